package loader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

const pickles = "../tests/fixtures/pickles"

// openPickled opens a file that tests/reference/pickles.py made.
func openPickled(t *testing.T, name string) (Source, *Checkpoint) {
	t.Helper()
	s, err := OpenFile(filepath.Join(pickles, name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckpoint(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// Every file gives the tensors and the numbers that torch gives, or is refused by name.
func TestPickles(t *testing.T) {
	ctx := context.Background()
	raw, err := os.ReadFile(filepath.Join(pickles, "pickles.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]struct {
		Fail    string
		Tensors map[string]struct {
			DType string
			Shape []int
			Bytes string
		}
	}
	if err := json.Unmarshal(raw, &files); err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		s, err := OpenFile(filepath.Join(pickles, name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := OpenCheckpoint(ctx, s)
		if want.Fail != "" {
			if err == nil || !strings.Contains(err.Error(), want.Fail) {
				t.Errorf("%s: %v, want %q", name, err, want.Fail)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(c.Names()) != len(want.Tensors) {
			t.Errorf("%s has the tensors %q and should have %d", name, c.Names(), len(want.Tensors))
		}
		for key, w := range want.Tensors {
			dtype, shape, ok := c.Info(key)
			if !ok || dtype != w.DType || !slices.Equal(shape, w.Shape) {
				t.Errorf("%s: %s is %s %v, want %s %v", name, key, dtype, shape, w.DType, w.Shape)
				continue
			}
			n := int64(len(w.Bytes) / 2)
			b, err := c.Read(ctx, key, 0, n)
			if err != nil || hex.EncodeToString(webapi.GoBytes(b)) != w.Bytes {
				t.Errorf("%s: %s has the bytes %x (%v), want %s", name, key, webapi.GoBytes(b), err, w.Bytes)
			}
			if _, err := c.Read(ctx, key, 0, n+4); err == nil {
				t.Errorf("%s: bytes after the end of %s were read", name, key)
			}
			if n >= 8 { // a part
				b, err := c.Read(ctx, key, 4, 4)
				if err != nil || hex.EncodeToString(webapi.GoBytes(b)) != w.Bytes[8:16] {
					t.Errorf("%s: a part of %s has the bytes %x (%v), want %s", name, key, webapi.GoBytes(b), err, w.Bytes[8:16])
				}
			}
		}
	}
}

// A tensor whose strides are 0 claims more bytes than its file has, and they are not allocated.
func TestGatherIsBounded(t *testing.T) {
	x := located{Tensor{Name: "a", DType: "F32", Shape: []int{1 << 40}, Strides: []int{0}, End: 4}, Memory("a.pt", make([]byte, 4))}
	if _, err := x.gather(context.Background(), 0, 1<<42); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("4 TiB: %v", err)
	}
	if b, err := x.gather(context.Background(), 4, 8); err != nil || webapi.NumBytes(b) != 8 {
		t.Errorf("two numbers: %v, %v", b, err)
	}
}

// Files are known by their content, in whatever form they come.
func TestPickledKinds(t *testing.T) {
	ctx := context.Background()
	s, _ := openPickled(t, "ip_adapter.bin")
	if c, err := OpenIPAdapter(ctx, s); err != nil || !slices.Equal(c.Names(), []string{"image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"}) {
		t.Errorf("the IP-Adapter is %v (%v)", c, err)
	}
	for _, name := range []string{"web_ui.pt", "textual_inversion.pt", "textual_inversion_old.pt", "learned_embeds.bin"} {
		s, c := openPickled(t, name)
		if kind, err := Recognise(c); err != nil || kind != KindTextualInversion {
			t.Errorf("%s: %q, %v", name, kind, err)
		}
		e, err := OpenTextualInversion(ctx, s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		token := map[string]string{"web_ui.pt": "ink", "learned_embeds.bin": "<ink.2>"}[name]
		if e.Token != token || len(e.Vectors) != 2 || !slices.Equal(e.Vectors[1], []float32{-3, -2, -1, 0, 1, 2, 3, 4}) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	for name, want := range map[string]Kind{"lora.pt": KindLoRA, "vae.ckpt": KindVAE, "controlnet.pth": KindControlNet, "t2i_adapter.pth": KindT2IAdapter} {
		_, c := openPickled(t, name)
		if kind, err := Recognise(c); err != nil || kind != want {
			t.Errorf("%s: %q, %v", name, kind, err)
		}
	}
	s, _ = openPickled(t, "lora.pt")
	b, err := os.ReadFile(filepath.Join(pickles, "lora.pt"))
	if err != nil {
		t.Fatal(err)
	}
	about, err := ReadLoRAInfo(ctx, s)
	if sum := fmt.Sprintf("%x", sha256.Sum256(b)); err != nil || about.Hash != sum {
		t.Errorf("the hash of a LoRA is %+v (%v), want %s, that of its file", about, err, sum)
	}
}

// A folder may have pickles in place of safetensors, which are preferred.
func TestPickledFolder(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join(pickles, "params.pth"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"unet/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin", "pytorch_model.fp16.bin"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, network := range []string{UNet, TextEncoder, Here} {
		if c, err := OpenNetwork(context.Background(), Directory(dir), network); err != nil || len(c.Names()) != 2 {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// All codes of the 8-bit floats have the values that torch gives them.
func TestFloat8(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(pickles, "float8.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]int32
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	codes := make([]byte, 256)
	for i := range codes {
		codes[i] = byte(i)
	}
	for dtype, values := range want {
		p := gpu.Parameter{Name: dtype, DType: dtype, Shape: []int{256}, Read: func(context.Context, int64, int64) (webapi.Bytes, error) { return webapi.BytesOf(codes), nil }}
		got, err := p.Float32(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			w := math.Float32frombits(uint32(values[i]))
			if v != w && (v == v || w == w) {
				t.Errorf("%s: the code %#x is %v, want %v", dtype, i, v, w)
			}
		}
	}
}
