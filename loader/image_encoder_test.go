package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// An image encoder in one file, alone or as half of a whole CLIPModel, is a folder with the
// configuration that was published beside it.
func TestImageEncoderInOneFile(t *testing.T) {
	for _, e := range []struct {
		name                                                    string
		hidden, inner, layers, heads, patch, pixels, projection int
		activation                                              string
	}{
		{"ViT-H/14", 1280, 5120, 32, 16, 14, 224, 1024, "gelu"},
		{"ViT-bigG/14", 1664, 8192, 48, 16, 14, 224, 1280, "gelu"},
		{"ViT-L/14", 1024, 4096, 24, 16, 14, 224, 768, "quick_gelu"},
		{"ViT-L/14, 336 pixels", 1024, 4096, 24, 16, 14, 336, 768, "quick_gelu"},
		{"ViT-B/32", 768, 3072, 12, 12, 32, 224, 512, "quick_gelu"},
	} {
		t.Run(e.name, func(t *testing.T) {
			grid := e.pixels / e.patch
			shapes := map[string][]int{
				patchEmbedding: {e.hidden, 3, e.patch, e.patch},
				"vision_model.embeddings.position_embedding.weight": {grid*grid + 1, e.hidden},
				"visual_projection.weight":                          {e.projection, e.hidden},
				"text_model.embeddings.token_embedding.weight":      {8, 8},
				"text_projection.weight":                            {8, 8},
				"logit_scale":                                       {},
			}
			for i := range e.layers {
				shapes[fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm1.weight", i)] = []int{e.hidden}
				shapes[fmt.Sprintf("vision_model.encoder.layers.%d.mlp.fc1.weight", i)] = []int{e.inner, e.hidden}
			}
			ctx := context.Background()
			m, err := OpenSingleFile(ctx, makeHeader(t, shapes), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := ReadFile(ctx, m, Config(Here))
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			for field, want := range map[string]any{"hidden_size": e.hidden, "intermediate_size": e.inner, "num_hidden_layers": e.layers, "num_attention_heads": e.heads,
				"patch_size": e.patch, "image_size": e.pixels, "projection_dim": e.projection, "hidden_act": e.activation} {
				if fmt.Sprint(got[field]) != fmt.Sprint(want) {
					t.Errorf("%s is %v, want %v", field, got[field], want)
				}
			}
			c, err := m.Network(ctx, Here)
			if err != nil {
				t.Fatal(err)
			}
			if width := EncoderWidth(c); width != e.hidden || IsStyleAdapter(c) {
				t.Errorf("the width is %d", width)
			}
			if _, _, _, err := TextHalf(ctx, m, Here); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a text half of which most is missing: %v", err)
			}
			if len(c.Names()) != 3+2*e.layers || slices.ContainsFunc(c.Names(), func(n string) bool { return strings.HasPrefix(n, "text") }) {
				t.Errorf("the encoder has the tensors %v", c.Names())
			}
		})
	}
}

func TestImageEncoderWithoutProjection(t *testing.T) {
	_, err := OpenSingleFile(context.Background(), makeHeader(t, map[string][]int{patchEmbedding: {8, 3, 2, 2},
		"vision_model.embeddings.position_embedding.weight": {5, 8}, "vision_model.encoder.layers.0.mlp.fc1.weight": {8, 8}}), nil)
	if err == nil || !strings.Contains(err.Error(), "CLIPVisionModelWithProjection") {
		t.Error(err)
	}
}

// The text half of a whole CLIPModel in one file is found, with the activation of the image half and CLIP's tokenizer.
func TestTextHalfInOneFile(t *testing.T) {
	ctx := context.Background()
	shapes := map[string][]int{
		patchEmbedding: {1280, 3, 14, 14},
		"vision_model.embeddings.position_embedding.weight": {257, 1280},
		"vision_model.encoder.layers.0.mlp.fc1.weight":      {5120, 1280},
		"visual_projection.weight":                          {1024, 1280},
		"text_model.embeddings.token_embedding.weight":      {49408, 1024},
		"text_model.embeddings.position_embedding.weight":   {77, 1024},
		"text_model.encoder.layers.0.layer_norm1.weight":    {1024},
		"text_model.encoder.layers.0.mlp.fc1.weight":        {4096, 1024},
		"text_model.encoder.layers.1.layer_norm1.weight":    {1024},
		"text_projection.weight":                            {1024, 1024},
	}
	m, err := OpenSingleFile(ctx, makeHeader(t, shapes), Directory("../web/clip"))
	if err != nil {
		t.Fatal(err)
	}
	c, config, tokenizer, err := TextHalf(ctx, m, Here)
	if err != nil || len(c.Names()) != 6 {
		t.Fatalf("%v, %v", c, err)
	}
	var got map[string]any
	if err := json.Unmarshal(config, &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{"hidden_size": 1024, "num_hidden_layers": 2, "num_attention_heads": 16, "hidden_act": "gelu", "vocab_size": 49408} {
		if fmt.Sprint(got[field]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	for _, name := range []string{"vocab.json", "merges.txt", "tokenizer_config.json"} {
		if _, err := m.Open(ctx, tokenizer+"/"+name); err != nil {
			t.Error(err)
		}
	}
	delete(shapes, "text_projection.weight")
	if m, err = OpenSingleFile(ctx, makeHeader(t, shapes), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := TextHalf(ctx, m, Here); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a text encoder without a projection: %v", err)
	}
}
