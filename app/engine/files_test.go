//go:build !js

package engine

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
)

// oddFiles is the full-size model with some of its files changed.
type oddFiles struct {
	fullSize
	single map[string]string // image encoders in one file: the name, and the layout it has
}

func (f oddFiles) Folder(ctx context.Context, name string) (loader.Folder, error) {
	layout, ok := f.single[name]
	if !ok {
		return f.fullSize.Folder(ctx, name)
	}
	folder, file, _ := strings.Cut(layout, "/")
	s, err := fullSizeFolder{f.fullSize, folder}.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	return loader.OpenSingleFile(ctx, s, nil)
}

// shapes changes the tensors of a file.
func (f oddFiles) shapes(t *testing.T, name string, change func(map[string][]int)) {
	t.Helper()
	var layout struct {
		DType  string           `json:"dtype"`
		Shapes map[string][]int `json:"shapes"`
	}
	if err := json.Unmarshal(f.fullSize[name], &layout); err != nil {
		t.Fatal(err)
	}
	change(layout.Shapes)
	b, err := json.Marshal(layout)
	if err != nil {
		t.Fatal(err)
	}
	f.fullSize[name] = b
}

// config changes a field of a configuration.
func (f oddFiles) config(t *testing.T, name, field string, value any) {
	t.Helper()
	var c map[string]any
	if err := json.Unmarshal(f.fullSize[name], &c); err != nil {
		t.Fatal(err)
	}
	c[field] = value
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f.fullSize[name] = b
}

// Files as people publish them can be drawn with, and a warning about each oddity comes once.
func TestOddFiles(t *testing.T) {
	const (
		unet    = "sd15/unet/diffusion_pytorch_model.fp16.safetensors"
		text    = "sd15/text_encoder/model.fp16.safetensors"
		encoder = "ip-adapter/image_encoder/model.safetensors"
		adapter = "ip-adapter/ip-adapter_sd15.safetensors"
	)
	for _, c := range []struct {
		name   string
		change func(t *testing.T, f oddFiles, s *settings.Settings)
		warn   string // "" for nothing
		fail   string // "" for a picture
	}{
		{"as published", func(*testing.T, oddFiles, *settings.Settings) {}, "", ""},
		{"saved with an adapter in it", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.config(t, "sd15/unet/config.json", "encoder_hid_dim_type", "ip_image_proj")
			f.shapes(t, unet, func(m map[string][]int) {
				m["down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.0.weight"] = []int{320, 768}
				m["encoder_hid_proj.image_projection_layers.0.norm.weight"] = []int{768}
			})
		}, "UNet's file has 2 tensors that are not used: down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.0.weight and 1 more. The model was saved while an IP-Adapter was in it", ""},
		{"an extra tensor", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.shapes(t, text, func(m map[string][]int) { m["training.step"] = []int{1} })
		}, "text encoder's file has a tensor that is not used: training.step.", ""},
		{"an extra tensor without elements", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.shapes(t, unet, func(m map[string][]int) { m["empty"] = []int{0, 4} })
		}, "", ""},
		{"a missing tensor", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.shapes(t, unet, func(m map[string][]int) { delete(m, "conv_in.bias"); m["conv_in.b"] = []int{320} })
		}, "", "1 missing:\n  conv_in.bias\n1 not used:\n  conv_in.b"},
		{"more rows than tokens", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.config(t, "sd15/text_encoder/config.json", "vocab_size", 49410)
			f.shapes(t, text, func(m map[string][]int) { m["text_model.embeddings.token_embedding.weight"][0] = 49410 })
		}, "The text encoder knows 49410 tokens and the tokenizer knows 49408", ""},
		{"the wrong image encoder", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.shapes(t, adapter, func(m map[string][]int) { m["image_proj.proj.weight"][1] = 1280 })
		}, "", "this adapter reads 1280 numbers and this image encoder gives 1024, as CLIP ViT-H/14 does: choose CLIP ViT-bigG/14"},
		{"the wrong image encoder for Plus", func(t *testing.T, f oddFiles, s *settings.Settings) {
			s.IPAdapters()[0].Weights = "ip-adapter-plus_sd15.safetensors"
			f.shapes(t, "ip-adapter/ip-adapter-plus_sd15.safetensors", func(m map[string][]int) { m["image_proj.proj_in.weight"][1] = 1024 })
		}, "", "this adapter reads 1024 numbers and this image encoder gives 1280, as CLIP ViT-H/14 does: choose CLIP ViT-L/14"},
		{"a whole CLIPModel as the image encoder", func(t *testing.T, f oddFiles, _ *settings.Settings) {
			f.shapes(t, encoder, func(m map[string][]int) {
				m["text_model.final_layer_norm.weight"], m["text_projection.weight"], m["logit_scale"] = []int{1024}, []int{1024, 1024}, []int{}
			})
		}, "", ""},
		{"an image encoder in one file", func(_ *testing.T, f oddFiles, s *settings.Settings) {
			f.single["vit-h.safetensors"] = encoder
			s.IPAdapters()[0].ImageEncoder = "vit-h.safetensors"
		}, "", ""},
		{"no image encoder", func(_ *testing.T, _ oddFiles, s *settings.Settings) { s.IPAdapters()[0].ImageEncoder = "" }, "", "--image-encoder"},
		{"a folder without one", func(_ *testing.T, _ oddFiles, s *settings.Settings) { s.IPAdapters()[0].ImageEncoder = "elsewhere" }, "", "elsewhere has no config.json"},
		{"an adapter of another base", func(t *testing.T, f oddFiles, s *settings.Settings) {
			f.shapes(t, adapter, func(m map[string][]int) { m["image_proj.norm.weight"][0] = 2048 })
		}, "", "another base model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := oddFiles{readFullSize(t), map[string]string{}}
			s := settings.Default()
			s.Model, s.Prompt, s.NumInferenceSteps, s.Width, s.Height = "sd15", "a fox", 1, 64, 64
			a := settings.DefaultIPAdapter()
			a.Weights, a.ImageEncoder, a.Images = "ip-adapter_sd15.safetensors", "ip-adapter", []settings.ImagePrompt{{Picture: "fox.png"}}
			s.Guides = settings.Guides{&a}
			c.change(t, f, &s)
			e := New(gpu.NewPlanner(true, roomy()), f)
			defer e.Unload()
			var said []string
			e.Warn = func(text string) { said = append(said, text) }
			loaded := false
			err := e.Generate(context.Background(), s, Pictures{"fox.png": grey(30, 20)}, func(ev Event) { loaded = loaded || ev.Done > 0 }, func(Result) error { return nil })
			if all := strings.Join(said, "\n"); !strings.Contains(all, c.warn) || c.warn == "" && all != "" || len(said) > 1 {
				t.Errorf("it says %q, want %q", said, c.warn)
			}
			switch {
			case c.fail == "" && err != nil:
				t.Error(err)
			case c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)):
				t.Errorf("%v, want %q", err, c.fail)
			case c.fail != "" && loaded:
				t.Error("weights were loaded before it was noticed")
			}
		})
	}
}
