package loader

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
)

// A file of embeddings comes back as it was written, and what is none is refused by name.
func TestImageEmbeds(t *testing.T) {
	ctx := context.Background()
	e := &ImageEmbeds{Shape: []int{2, 1, 3}, Values: []float32{0, 0, 0, 1, -2, 0.5}, Encoder: "CLIP ViT-H/14", Tiled: [][2]int{{90, 40}}}
	for _, f16 := range []bool{false, true} {
		file, err := e.File(f16)
		if err != nil {
			t.Fatal(err)
		}
		back, err := OpenImageEmbeds(ctx, Memory("kept.safetensors", file))
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("f16 %t: %+v, %v", f16, back, err)
		}
	}
	for want, shapes := range map[string]map[string][]int{
		"has 2 tensors":         {"a": {2, 1, 8}, "b": {2, 1, 8}},
		"has the shape [1 768]": {"token": {1, 768}},
		"has the shape [3 1 8]": {"a": {3, 1, 8}},
		"than a hundred":        {"a": {2, 1000, 257, 1280}},
	} {
		if _, err := OpenImageEmbeds(ctx, makeHeader(t, shapes)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// What torch.save wrote of diffusers' list of embeddings is read:
// torch.save([torch.arange(12.).reshape(2, 1, 6)], "embeds.ipadpt").
func TestPickledImageEmbeds(t *testing.T) {
	file, err := os.ReadFile("../tests/fixtures/adapters/embeds.ipadpt")
	if err != nil {
		t.Fatal(err)
	}
	e, err := OpenImageEmbeds(context.Background(), Memory("embeds.ipadpt", file))
	want := &ImageEmbeds{Shape: []int{2, 1, 6}, Values: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	if err != nil || !reflect.DeepEqual(e, want) {
		t.Errorf("%+v, %v", e, err)
	}
}
