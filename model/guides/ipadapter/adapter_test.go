package ipadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// shapes is a checkpoint of which only the header is read.
type shapes map[string][]int

func (s shapes) Names() []string {
	var names []string
	for n := range s {
		names = append(names, n)
	}
	return names
}

func (s shapes) Info(name string) (string, []int, bool) {
	shape, ok := s[name]
	return "F16", shape, ok
}

func (s shapes) Read(context.Context, string, int64, int64) (webapi.Bytes, error) {
	return webapi.BytesOf(nil), errors.New("only the header is there")
}

// A file that has a projection alone is a simple adapter. With K' and V' it is not.
func TestSimpleIsDetected(t *testing.T) {
	c, err := unet.ParseConfig([]byte(`{"block_out_channels": [8, 8], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
		"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "attention_head_dim": 2, "cross_attention_dim": 8, "norm_num_groups": 2}`))
	if err != nil {
		t.Fatal(err)
	}
	u := unet.New(c)
	file := shapes{"image_proj.proj.weight": {16, 4}, "image_proj.proj.bias": {16}, "image_proj.norm.weight": {8}, "image_proj.norm.bias": {8}}
	a, err := New(file, u)
	if err != nil || !a.Simple() || a.NumTokens(1) != 2 {
		t.Fatalf("a simple adapter: %v, %v", a, err)
	}
	file["ip_adapter.1.to_k_ip.weight"] = []int{4, 8}
	if a, err = New(file, u); err != nil || a.Simple() {
		t.Errorf("a global adapter: %v, %v", a, err)
	}
}

// What means nothing for a simple adapter is refused by name. λ of 0 and 1, by layer, is not.
func TestCheckSimple(t *testing.T) {
	for name, c := range map[string]struct {
		want   string
		lambda guides.Lambda
	}{
		"some layers": {"", guides.Lambda{Layers: []float64{1, 0, 1}, End: 1}},
		"no layer":    {"", guides.Lambda{Layers: []float64{0, 0, 0}, End: 1}},
		"a fraction":  {"0.6 was asked", guides.Lambda{Layers: []float64{1, 0.6}, End: 1}},
		"a mask":      {"mask", guides.Lambda{Layers: []float64{1}, End: 1, Mask: func(int, int) []float32 { return nil }}},
		"some steps":  {"0.2 to 1 of them", guides.Lambda{Layers: []float64{1}, Start: 0.2, End: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&Adapter{}).checkLambda(c.lambda)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: %v", c.lambda, err)
			}
		})
	}
}

// The published adapters for faces and the lighter one are of forms that are known: by the names and
// shapes of their tensors, ip-adapter-plus-face_sd15 is ip-adapter-plus_sd15 and ip-adapter_sd15_light
// is ip-adapter_sd15. ip-adapter-full-face_sd15 has a projection of its own.
func TestPublishedAdapters(t *testing.T) {
	var layout map[string]json.RawMessage
	modeltest.Fixture(t, "full/layout.json", &layout)
	config, err := unet.ParseConfig(layout["sd15/unet/config.json"])
	if err != nil {
		t.Fatal(err)
	}
	u := unet.New(config)
	layers := map[string][]int{}
	for i, size := range []int{320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320, 1280} {
		layers[fmt.Sprintf("ip_adapter.%d.to_k_ip.weight", 2*i+1)] = []int{size, 768}
		layers[fmt.Sprintf("ip_adapter.%d.to_v_ip.weight", 2*i+1)] = []int{size, 768}
	}
	plus := map[string][]int{"latents": {1, 16, 768}, "proj_in.weight": {768, 1280}, "proj_in.bias": {768}, "proj_out.weight": {768, 768}, "proj_out.bias": {768},
		"norm_out.weight": {768}, "norm_out.bias": {768}}
	for i := range 4 {
		for name, shape := range map[string][]int{"0.norm1.weight": {768}, "0.norm1.bias": {768}, "0.norm2.weight": {768}, "0.norm2.bias": {768},
			"0.to_q.weight": {768, 768}, "0.to_kv.weight": {1536, 768}, "0.to_out.weight": {768, 768},
			"1.0.weight": {768}, "1.0.bias": {768}, "1.1.weight": {3072, 768}, "1.3.weight": {768, 3072}} {
			plus[fmt.Sprintf("layers.%d.%s", i, name)] = shape
		}
	}
	for name, projection := range map[string]map[string][]int{
		"ip-adapter_sd15_light":     {"proj.weight": {3072, 1024}, "proj.bias": {3072}, "norm.weight": {768}, "norm.bias": {768}},
		"ip-adapter-plus-face_sd15": plus,
		"ip-adapter-full-face_sd15": {"proj.0.weight": {1280, 1280}, "proj.0.bias": {1280}, "proj.2.weight": {768, 1280}, "proj.2.bias": {768}, "proj.3.weight": {768}, "proj.3.bias": {768}},
	} {
		shapes := shapes(maps.Clone(layers))
		for key, shape := range projection {
			shapes["image_proj."+key] = shape
		}
		a, err := New(shapes, u)
		if err == nil {
			m := &nn.Memory{Unused: func(_ string, keys []string) { t.Errorf("%s: %q are not used", name, keys) }}
			err = m.Add(a, shapes, gpu.WeightF16)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := map[string]int{"ip-adapter_sd15_light": 4, "ip-adapter-plus-face_sd15": 16, "ip-adapter-full-face_sd15": 257}[name]; a.NumTokens(257) != want {
			t.Errorf("%s makes %d tokens of a picture, want %d", name, a.NumTokens(257), want)
		}
	}
}
