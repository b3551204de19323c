package loader

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A ControlNet in one file comes out under the names that diffusers' conversion gives it, with
// the original's prefix and without it, and so does one that has diffusers' names already.
func TestControlNetAsDiffusers(t *testing.T) {
	lines := readLayout(t, "controlnet")
	want := map[string][]int{}
	for _, l := range lines {
		want[l.name] = dims(t, l.shape)
	}
	for name, rename := range map[string]func(l layoutLine) string{
		"original":   func(l layoutLine) string { return l.old },
		"no prefix":  func(l layoutLine) string { return strings.TrimPrefix(l.old, "control_model.") },
		"diffusers'": func(l layoutLine) string { return l.name },
	} {
		t.Run(name, func(t *testing.T) {
			shapes := map[string][]int{}
			for _, l := range lines {
				shapes[rename(l)] = dims(t, l.shape)
			}
			if name == "original" { // as the first ControlNets were published: with the whole model
				shapes["model.diffusion_model.input_blocks.0.0.weight"] = []int{4, 4, 3, 3}
			}
			checkStructure(t, KindControlNet, shapes, want)
		})
	}
}

// A full and a light T2I-Adapter in one file come out under diffusers' names.
func TestT2IAdapterAsDiffusers(t *testing.T) {
	full := map[string]string{"conv_in.weight": "adapter.conv_in.weight"} // original name to diffusers'
	light := map[string]string{}
	for stage := range 4 {
		for i := range 2 {
			for _, block := range []string{"block1.weight", "block2.bias"} {
				full[fmt.Sprintf("body.%d.%s", 2*stage+i, block)] = fmt.Sprintf("adapter.body.%d.resnets.%d.%s", stage, i, block)
			}
		}
		for i := range 4 {
			light[fmt.Sprintf("body.%d.body.%d.block1.weight", stage, i)] = fmt.Sprintf("adapter.body.%d.resnets.%d.block1.weight", stage, i)
		}
		for _, conv := range []string{"in_conv.weight", "out_conv.bias"} {
			light[fmt.Sprintf("body.%d.%s", stage, conv)] = fmt.Sprintf("adapter.body.%d.%s", stage, conv)
		}
	}
	full["body.2.in_conv.weight"], full["body.4.in_conv.bias"] = "adapter.body.1.in_conv.weight", "adapter.body.2.in_conv.bias"
	for name, names := range map[string]map[string]string{"full": full, "light": light} {
		original, diffusers := map[string][]int{}, map[string][]int{}
		for old, new := range names {
			original[old], diffusers[new] = []int{4, 4}, []int{4, 4}
		}
		t.Run(name, func(t *testing.T) { checkStructure(t, KindT2IAdapter, original, diffusers) })
		t.Run(name+", diffusers'", func(t *testing.T) { checkStructure(t, KindT2IAdapter, diffusers, diffusers) })
	}
}

// A style adapter keeps its names.
func TestStyleAdapterNames(t *testing.T) {
	shapes := map[string][]int{"style_embedding": {1, 8, 4}, "proj": {4, 3}, "transformer_layes.0.attn.in_proj_weight": {12, 4}, "ln_pre.bias": {4}}
	checkStructure(t, KindT2IAdapter, shapes, shapes)
}

// Uni-ControlNet's adapters come out under the names of tests/reference/uni_controlnet.py, without the model
// that its file holds besides.
func TestUniControlNetNames(t *testing.T) {
	text, err := os.ReadFile("../tests/fixtures/uni_controlnet/uni_controlnet.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Names map[string]string }
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	global := "global_adapter.ff1.net.0.proj.weight"
	original, want := map[string][]int{global: {4, 4}, "model.diffusion_model.input_blocks.0.0.weight": {4, 4, 3, 3}}, map[string][]int{global: {4, 4}}
	for old, name := range f.Names {
		original[old], want[name] = []int{4, 4}, []int{4, 4}
	}
	checkStructure(t, KindUniControlNet, original, want)
}

func checkStructure(t *testing.T, kind Kind, shapes, want map[string][]int) {
	t.Helper()
	ctx := context.Background()
	folder, err := OpenSingleFile(ctx, makeHeader(t, shapes), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, config, err := OpenStructure(ctx, folder, Here, kind)
	if err != nil || config != nil {
		t.Fatalf("a config of %d bytes, %v", len(config), err)
	}
	got := map[string][]int{}
	for _, n := range c.Names() {
		_, got[n], _ = c.Info(n)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the names are\n%v, not\n%v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// files is a folder in memory.
type files map[string]Source

func (f files) Open(_ context.Context, path string) (Source, error) {
	if s, ok := f[path]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
}

// A folder in diffusers' layout has its config.json, and what is of another kind is refused.
func TestOpenStructureFolder(t *testing.T) {
	ctx := context.Background()
	net := makeHeader(t, map[string][]int{"controlnet_cond_embedding.conv_in.weight": {4, 3, 3, 3}, "conv_in.weight": {4, 4, 3, 3}})
	folder := files{"config.json": Memory("config.json", []byte(`{"in_channels":4}`)), "diffusion_pytorch_model.fp16.safetensors": net}
	c, config, err := OpenStructure(ctx, folder, Here, KindControlNet)
	if err != nil || len(c.Names()) != 2 || string(config) != `{"in_channels":4}` {
		t.Errorf("%v, %s, %v", c, config, err)
	}
	if _, _, err := OpenStructure(ctx, folder, Here, KindT2IAdapter); err == nil || !strings.Contains(err.Error(), `"ControlNet" and should be of the kind "T2I-Adapter"`) {
		t.Error(err)
	}
	if _, err := OpenIPAdapter(ctx, net); err == nil || !strings.Contains(err.Error(), "under Structure") {
		t.Error(err)
	}
	for config, want := range map[string]Kind{`{"_class_name":"ControlNetModel"}`: KindControlNet, `{"_class_name":"T2IAdapter"}`: KindT2IAdapter, `{}`: KindImageEncoder} {
		if got := KindOfConfig([]byte(config)); got != want {
			t.Errorf("%s: %s, not %s", config, got, want)
		}
	}
	for want, name := range map[string]string{"XL": "add_embedding.linear_1.weight", "Diffusion 2": "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"} {
		other := makeHeader(t, map[string][]int{"controlnet_cond_embedding.conv_in.weight": {4, 3, 3, 3}, name: {4, 1024}})
		if _, err := OpenSingleFile(ctx, other, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
