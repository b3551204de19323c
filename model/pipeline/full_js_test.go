//go:build js && wasm && full

package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/npy"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

const fullFolder = "../../.build/full"

// fullSize are the files of tests/full/weights.py on a GPU, and what torch makes of
// them (tests/full/reference.py).
type fullSize struct {
	t *testing.T
	d *gpu.Device
}

func (f fullSize) read(name string) []byte {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(fullFolder, name))
	if err != nil {
		f.t.Fatalf("%v: ./build.sh test --full full makes it", err)
	}
	return b
}

func (f fullSize) checkpoint(name string) nn.Checkpoint {
	f.t.Helper()
	s, err := loader.OpenFile(filepath.Join(fullFolder, name))
	if err != nil {
		f.t.Fatalf("%v: ./build.sh test --full full makes it", err)
	}
	c, err := loader.OpenCheckpoint(context.Background(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// given is an input of reference.py.
func (f fullSize) given(name string, shape ...int) *gpu.Tensor {
	x := f.d.NewTensor(name, gpu.Act, shape...)
	x.SetFloat32(givenValues(name, x.Rows()*x.Channels()))
	return x
}

func givenValues(name string, count int) []float32 {
	v := make([]float32, count)
	for i := range v {
		v[i] = float32(modeltest.Uniform("full/"+name, i))
	}
	return v
}

// loads loads a network for as long as the test runs, and logs how long that takes.
func (f fullSize) loads(network nn.Network, c nn.Checkpoint) {
	f.t.Helper()
	began, before := time.Now(), f.d.MemoryBytes()
	if err := nn.Load(context.Background(), f.d, network, c, gpu.WeightF16, nil); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { nn.Unload(network) })
	bytes := float64(f.d.MemoryBytes()-before) / (1 << 20)
	seconds := time.Since(began).Seconds()
	f.t.Logf("%s: %.0f MiB on the GPU in %.1f s, %.0f MiB/s", network.Name(), bytes, seconds, bytes/seconds)
}

// compare runs a network and compares it with torch: within 1e-3 of float32 without
// shader-f16; with it within twice the error that float16 itself makes.
func (f fullSize) compare(name string, record func(p *gpu.Program) *gpu.Tensor) {
	f.t.Helper()
	ctx := context.Background()
	_, want, err := npy.Read(bytes.NewReader(f.read("reference/" + name + ".npy")))
	if err != nil {
		f.t.Fatal(err)
	}
	var errors map[string]struct {
		F16Error float64 `json:"f16_error"`
		Seconds  float64
	}
	if err := json.Unmarshal(f.read("reference/errors.json"), &errors); err != nil {
		f.t.Fatal(err)
	}
	tolerance := 1e-3
	if f.d.F16 {
		tolerance = 2 * errors[name].F16Error
	}
	f.d.ResetPeakMemory()
	began := time.Now()
	var cost float64
	x, err := nn.Once(ctx, f.d, name, func(p *gpu.Program) *gpu.Tensor {
		x := record(p)
		cost = p.Cost()
		return x
	})
	if err != nil {
		f.t.Fatal(err)
	}
	got, err := x.Float32(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	x.Release()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	e := modeltest.RelativeError(got, want)
	f.t.Logf("%s: relative error %.2g, at most %.2g; %.0f s for %.0f GFLOP (torch %.0f s); GPU %d MiB at the peak, Go's heap %d MiB", name, e, tolerance,
		time.Since(began).Seconds(), cost/1e9, errors[name].Seconds, f.d.PeakMemoryBytes()>>20, m.HeapSys>>20)
	if !(e <= tolerance) {
		f.t.Errorf("%s is off by %.3g, at most %.3g allowed", name, e, tolerance)
	}
	if m.HeapSys > 64<<20 {
		f.t.Errorf("Go's heap takes %d MiB, at most 64 are allowed", m.HeapSys>>20)
	}
}

// onFullSize runs a test on the paths that IMPROMPT_FULL_PATHS names ("f32 f16", which is
// the default: a network takes minutes on a CPU).
func onFullSize(t *testing.T, test func(f fullSize)) {
	paths := os.Getenv("IMPROMPT_FULL_PATHS")
	if paths == "" {
		paths = "f32 f16"
	}
	for _, path := range strings.Fields(paths) {
		t.Run(path, func(t *testing.T) {
			d, err := gpu.Open(context.Background(), gpu.Options{NoF16: path == "f32"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			if d.F16 != (path == "f16") {
				t.Fatalf("shader-f16 is %t on %s", d.F16, d.Info)
			}
			test(fullSize{t, d})
		})
	}
}

func TestFullText(t *testing.T) {
	onFullSize(t, func(f fullSize) {
		t := f.t
		c, err := clip.ParseTextConfig(f.read("sd15/text_encoder/config.json"))
		if err != nil {
			t.Fatal(err)
		}
		m := clip.NewTextEncoder(c)
		f.loads(m, f.checkpoint("sd15/text_encoder/model.fp16.safetensors"))
		ids := make([]uint32, 77)
		for i := range ids {
			ids[i] = 49407
		}
		copy(ids, []uint32{49406, 320, 3240})
		in := f.d.NewTensor("ids", gpu.U32, 1, 77)
		in.SetUint32(ids)
		f.compare("text", func(p *gpu.Program) *gpu.Tensor { return m.Record(p, in) })
	})
}

func TestFullVision(t *testing.T) {
	onFullSize(t, func(f fullSize) {
		t := f.t
		c, err := clip.ParseVisionConfig(f.read("ip-adapter/image_encoder/config.json"))
		if err != nil {
			t.Fatal(err)
		}
		m := clip.NewVisionEncoder(c)
		f.loads(m, f.checkpoint("ip-adapter/image_encoder/model.safetensors"))
		pixels := f.given("pixel_values", 1, 224, 224, 3)
		f.compare("image_embeds", func(p *gpu.Program) *gpu.Tensor { return m.Record(p, pixels, clip.ImageEmbeds) })
		f.compare("penultimate", func(p *gpu.Program) *gpu.Tensor { return m.Record(p, pixels, clip.Penultimate) })
	})
}

func TestFullUNet(t *testing.T) {
	onFullSize(t, func(f fullSize) {
		t := f.t
		ctx := context.Background()
		c, err := unet.ParseConfig(f.read("sd15/unet/config.json"))
		if err != nil {
			t.Fatal(err)
		}
		u := unet.New(c)
		f.loads(u, f.checkpoint("sd15/unet/diffusion_pytorch_model.fp16.safetensors"))
		ac := f.checkpoint("ip-adapter/ip-adapter_sd15.safetensors")
		a, err := ipadapter.New(ac, u)
		if err != nil {
			t.Fatal(err)
		}
		f.loads(a, ac)
		embeds := f.given("image_embeds", 1, 1, 1024)
		layers, err := guides.Layers(u, 0.6, "all")
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := nn.Once(ctx, f.d, "image_proj", func(p *gpu.Program) *gpu.Tensor { return a.RecordTokens(p, embeds) })
		if err != nil {
			t.Fatal(err)
		}
		kv, err := a.KV(ctx, f.d, tokens)
		if err != nil {
			t.Fatal(err)
		}
		var taps unet.ConditioningTaps
		taps.AddDecoupled(unet.Decoupled{KV: kv, Lambda: guides.Lambda{Layers: layers, End: 1}.Table(1)})
		cond, err := u.NewConditioning(ctx, f.d, unet.ConditioningOptions{Timesteps: []float64{481}, Words: f.given("encoder_hidden_states", 1, 77, 768), Taps: taps})
		if err != nil {
			t.Fatal(err)
		}
		defer cond.Release()
		sample := f.given("sample", 1, 64, 64, 4)
		f.compare("unet", func(p *gpu.Program) *gpu.Tensor { return u.Record(p, sample, cond, nil) })
	})
}

// A step of the UNet with a ControlNet at 512 × 512.
func TestFullControlNet(t *testing.T) {
	onFullSize(t, func(f fullSize) {
		t := f.t
		ctx := context.Background()
		uc, err1 := unet.ParseConfig(f.read("sd15/unet/config.json"))
		nc, err2 := controlnet.ParseConfig(f.read("controlnet/config.json"))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		u := unet.New(uc)
		n, err := controlnet.New(nc, u)
		if err != nil {
			t.Fatal(err)
		}
		f.loads(u, f.checkpoint("sd15/unet/diffusion_pytorch_model.fp16.safetensors"))
		f.loads(n, f.checkpoint("controlnet/diffusion_pytorch_model.fp16.safetensors"))
		words := f.given("encoder_hidden_states", 1, 77, 768)
		g, err := controlnet.NewGuide(n, controlnet.Options{Map: givenValues("map", 512*512*3), Lambda: 0.6, End: 1})
		if err != nil {
			t.Fatal(err)
		}
		branch := &guides.Branch{Count: 1}
		run := &guides.Run{Device: f.d, UNet: u, Steps: 1, Timesteps: []float64{481}, Batch: 1, Branches: []*guides.Branch{branch}, Words: words, Height: 64, Width: 64}
		if err := g.Prepare(ctx, run); err != nil {
			t.Fatal(err)
		}
		defer g.Release()
		cond, err := u.NewConditioning(ctx, f.d, unet.ConditioningOptions{Timesteps: run.Timesteps, Words: words})
		if err != nil {
			t.Fatal(err)
		}
		defer cond.Release()
		sample := f.given("sample", 1, 64, 64, 4)
		f.compare("controlnet_step", func(p *gpu.Program) *gpu.Tensor {
			taps := &unet.StepTaps{}
			g.Record(p, sample, branch, taps)
			return u.Record(p, sample, cond, taps)
		})
	})
}

func TestFullVAE(t *testing.T) {
	onFullSize(t, func(f fullSize) {
		t := f.t
		c, err := vae.ParseConfig(f.read("sd15/vae/config.json"))
		if err != nil {
			t.Fatal(err)
		}
		v := vae.New(c)
		f.loads(v.Decoder, f.checkpoint("sd15/vae/diffusion_pytorch_model.fp16.safetensors"))
		latents := f.given("latents", 1, 64, 64, 4)
		f.compare("vae_decode", func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, latents) })
	})
}
