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

// A tiny autoencoder gives the same tensors and configuration from all layouts in which it is published.
func TestTinyVAE(t *testing.T) {
	text, err := os.ReadFile("../tests/fixtures/tiny_vae/tiny_vae.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Keys   map[string][]int
		Config map[string]any
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	// The original files, of one half each. Its decoder has one layer more at the beginning.
	encoder, decoder, joined := map[string][]int{}, map[string][]int{}, map[string][]int{}
	for name, shape := range f.Keys {
		if i, rest, ok := cutNumber(name, "encoder.layers."); ok {
			encoder[fmt.Sprintf("%d.%s", i, rest)] = shape
			joined[fmt.Sprintf("taesd_encoder.%d.%s", i, rest)] = shape
		}
		if i, rest, ok := cutNumber(name, "decoder.layers."); ok {
			decoder[fmt.Sprintf("%d.%s", i+1, rest)] = shape
			joined[fmt.Sprintf("taesd_decoder.%d.%s", i+1, rest)] = shape
		}
	}
	ctx := context.Background()
	check := func(t *testing.T, c *Checkpoint, config []byte, err error, halves ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(f.Keys)), func(name string) bool { return !slices.Contains(halves, name[:len("encoder")]) })
		if !slices.Equal(c.Names(), want) {
			t.Errorf("the tensors are %q", c.Names())
		}
		if !IsTiny(config) {
			t.Error("it is not said to be tiny")
		}
		var got map[string]any
		if err := json.Unmarshal(config, &got); err != nil {
			t.Fatal(err)
		}
		for _, half := range []string{"encoder", "decoder"} {
			for _, key := range []string{"num_" + half + "_blocks", half + "_block_out_channels"} {
				want := f.Config[key]
				if !slices.Contains(halves, half) {
					want = []any{}
				}
				if !reflect.DeepEqual(got[key], want) {
					t.Errorf("%s is %v, want %v", key, got[key], want)
				}
			}
		}
	}
	for name, layout := range map[string]struct {
		shapes map[string][]int
		halves []string
	}{
		"diffusers":            {f.Keys, []string{"encoder", "decoder"}},
		"both original halves": {joined, []string{"encoder", "decoder"}},
		"the original encoder": {encoder, []string{"encoder"}},
		"the original decoder": {decoder, []string{"decoder"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := makeHeader(t, layout.shapes)
			c, err := OpenFileOfWeights(ctx, file)
			if err != nil {
				t.Fatal(err)
			}
			if kind, err := Recognise(c); kind != KindVAE || err != nil {
				t.Errorf("it is of the kind %q (%v)", kind, err)
			}
			v, config, err := OpenVAEFile(ctx, file)
			check(t, v, config, err, layout.halves...)
			m, err := OpenSingleFile(ctx, file, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, config, err = OpenVAEFolder(ctx, m)
			check(t, v, config, err, layout.halves...)
		})
	}
	t.Run("a folder of the original files", func(t *testing.T) {
		v, config, err := OpenVAEFolder(ctx, sources{"taesd_encoder.safetensors": makeHeader(t, encoder), "taesd_decoder.safetensors": makeHeader(t, decoder)})
		check(t, v, config, err, "encoder", "decoder")
	})
	t.Run("a folder with one half in both formats", func(t *testing.T) {
		half := makeHeader(t, encoder)
		v, config, err := OpenVAEFolder(ctx, sources{"taesd_encoder.safetensors": half, "taesd_encoder.pth": half})
		check(t, v, config, err, "encoder")
	})
	decoder["1.weight"] = []int{8, 16, 3, 3}
	if _, _, err := OpenVAEFile(ctx, makeHeader(t, decoder)); err == nil || !strings.Contains(err.Error(), "latents of 16 channels") {
		t.Errorf("a tiny autoencoder of another model: %v", err)
	}
}

// sources is a folder of files.
type sources map[string]Source

func (s sources) Open(_ context.Context, path string) (Source, error) {
	if f, ok := s[path]; ok {
		return f, nil
	}
	return nil, os.ErrNotExist
}
