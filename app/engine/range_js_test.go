//go:build js && wasm

package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
)

// swollen is the model that ships, except that the numbers between the norms of its VAE's
// decoder are 2^14 times as large. The norms take the factor out again, so it draws the same
// pictures, as long as the numbers fit into their type.
type swollen struct{ shipped }

func (swollen) Folder(context.Context, string) (loader.Folder, error) { return swollenFolder{}, nil }

type swollenFolder struct{}

func (swollenFolder) Open(ctx context.Context, path string) (loader.Source, error) {
	if path != "vae/diffusion_pytorch_model.safetensors" {
		return loader.Directory(shippedModel).Open(ctx, path)
	}
	b, err := os.ReadFile(filepath.Join(shippedModel, path))
	if err != nil {
		return nil, err
	}
	data := 8 + int(binary.LittleEndian.Uint64(b))
	header := map[string]struct {
		DType   string `json:"dtype"`
		Offsets [2]int `json:"data_offsets"`
	}{}
	if err := json.Unmarshal(b[8:data], &header); err != nil {
		return nil, err
	}
	for name, t := range header {
		if !strings.HasPrefix(name, "decoder.") || !addsToTheStream(strings.TrimPrefix(name, "decoder.")) {
			continue
		}
		if t.DType != "F16" {
			return nil, fmt.Errorf("%s is %s", name, t.DType)
		}
		for at := data + t.Offsets[0]; at < data+t.Offsets[1]; at += 2 {
			x := gpu.Float32(binary.LittleEndian.Uint16(b[at:]))
			binary.LittleEndian.PutUint16(b[at:], gpu.Float16(x*(1<<14)))
		}
	}
	return loader.Memory(path, b), nil
}

// addsToTheStream reports whether a parameter's numbers are added to those between the norms:
// all of a convolution that reads normalised numbers, and only the bias of one that reads
// the others.
func addsToTheStream(name string) bool {
	parts := strings.Split(name, ".")
	switch module := parts[len(parts)-2]; {
	case module == "conv_in" || module == "conv2" || strings.Contains(name, ".to_out.0."):
		return true
	case module == "conv_shortcut" || strings.Contains(name, ".upsamplers."):
		return parts[len(parts)-1] == "bias"
	}
	return false
}

// A decoder whose numbers exceed float16's range is noticed, and in float32 it gives the
// right picture.
func TestSaturation(t *testing.T) {
	ctx := context.Background()
	s := settings.Default()
	s.Prompt, s.NumInferenceSteps, s.Height, s.Width = "a fox", 1, 64, 64
	var pictures [][]uint8
	draw := func(host Host, noF16 bool) (finished int, err error) {
		d, err := gpu.Open(ctx, gpu.Options{NoF16: noF16})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		err = New(d, host).Generate(ctx, s, nil, func(Event) {}, func(r Result) error {
			finished++
			pictures = append(pictures, r.RGBA)
			return nil
		})
		return finished, err
	}
	if _, err := draw(shipped{}, true); err != nil {
		t.Fatal(err)
	}
	said := ""
	if err := InRange(func(float32 bool) (int, error) { return draw(swollen{}, float32) }, func(text string) { said += text }); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "leave float16 here: the VAE decoder gave numbers beyond 65,504") || len(pictures) != 2 {
		t.Fatalf("%d pictures, and it says %q", len(pictures), said)
	}
	want, got := pictures[0], pictures[1]
	for i := range want {
		if d := int(got[i]) - int(want[i]); d < -1 || d > 1 {
			t.Fatalf("number %d of the picture is %d, want %d", i, got[i], want[i])
		}
	}
}
