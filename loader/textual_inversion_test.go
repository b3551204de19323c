package loader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func inversionFile(t *testing.T, name string, shape []int, values ...float32) Source {
	t.Helper()
	head, err := json.Marshal(map[string]any{name: map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{0, 4 * len(values)}}})
	if err != nil {
		t.Fatal(err)
	}
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return Memory("fox.safetensors", b)
}

// Both published layouts are read, of one vector and of several.
func TestOpenTextualInversion(t *testing.T) {
	for _, c := range []struct {
		name, token string
		shape       []int
		rows        int
	}{{"<cat-toy>", "<cat-toy>", []int{4}, 1}, {"sks", "sks", []int{1, 4}, 1}, {"emb_params", "", []int{2, 2}, 2}} {
		v, err := OpenTextualInversion(context.Background(), inversionFile(t, c.name, c.shape, 1, 2, 3, 4))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if v.Token != c.token || len(v.Vectors) != c.rows || v.Vectors[c.rows-1][len(v.Vectors[0])-1] != 4 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	for name, says := range map[string]string{"clip_g": "XL", "text_model.x": "not a textual inversion"} {
		if _, err := OpenTextualInversion(context.Background(), inversionFile(t, name, []int{4}, 1, 2, 3, 4)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Embeddings are told from other files, and those for other models are refused by name.
func TestRecogniseTextualInversion(t *testing.T) {
	for _, c := range []struct {
		shapes map[string][]int
		kind   Kind
		says   string
	}{
		{map[string][]int{"emb_params": {8, 768}}, KindTextualInversion, ""},
		{map[string][]int{"<cat-toy>": {768}}, KindTextualInversion, ""},
		{map[string][]int{"<v1.0>": {1, 160}}, KindTextualInversion, ""},
		{map[string][]int{"emb_params": {8, 1024}}, KindTextualInversion, "Stable Diffusion 2"},
		{map[string][]int{"sks": {1, 1280}}, KindTextualInversion, "Stable Diffusion XL"},
		{map[string][]int{"clip_l": {2, 768}, "clip_g": {2, 1280}}, KindTextualInversion, "Stable Diffusion XL"},
		{map[string][]int{"a.weight": {768}}, "", "neither"},
		{map[string][]int{"matrix": {768, 768}}, "", "neither"},
	} {
		c1, err := OpenCheckpoint(context.Background(), makeHeader(t, c.shapes))
		if err != nil {
			t.Fatal(err)
		}
		kind, err := Recognise(c1)
		if kind != c.kind || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %q, %v", c.shapes, kind, err)
		}
	}
}
