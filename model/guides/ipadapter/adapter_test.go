package ipadapter

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/guides"
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
			err := checkSimple(c.lambda)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: %v", c.lambda, err)
			}
		})
	}
}
