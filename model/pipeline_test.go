//go:build js && wasm

package model

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/scheduler"
)

// The fixture of tests/reference/pipelines.py.
type fixture struct {
	Models map[string]struct {
		Keys    map[string]map[string][]int
		Configs map[string]json.RawMessage
	}
	Cases map[string]testCase
}

type testCase struct {
	Model, Kind, Scheduler string
	Steps, Height, Width   int
	Guidance, Strength     float64
	Seed                   uint64
	NumImages              int `json:"num_images"`
	IDs                    []int32
	NegativeIDs            []int32 `json:"negative_ids"`
	Adapters               []testAdapter
	Latents                []float32
	F16Error               float64 `json:"f16_error"`
}

type testAdapter struct {
	Kind   string
	Layers string
	Scale  float64
	Images []string
	Mask   []int
	Start  float64
	End    *float64
}

func readFixture(t *testing.T) *fixture {
	t.Helper()
	b, err := os.ReadFile("../tests/fixtures/pipelines/pipelines.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{}
	if err := json.Unmarshal(b, f); err != nil {
		t.Fatal(err)
	}
	return f
}

// testModel is one of the fixture's models on a GPU.
type testModel struct {
	pipeline *Pipeline
	vision   *VisionEncoder
	adapters map[string]*IPAdapter
}

func loadModel(t *testing.T, d *gpu.Device, f *fixture, name string, f32 bool) *testModel {
	t.Helper()
	ctx := context.Background()
	m := f.Models[name]
	part := func(p string) Checkpoint { return synthetic{name + "/" + p + "/", m.Keys[p], f32} }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unet, err := ParseUNetConfig(m.Configs["unet"])
	must(err)
	vae, err := ParseVAEConfig(m.Configs["vae"])
	must(err)
	text, err := ParseCLIPTextConfig(m.Configs["text_encoder"])
	must(err)
	vision, err := ParseCLIPVisionConfig(m.Configs["image_encoder"])
	must(err)
	config, err := scheduler.ParseConfig(m.Configs["scheduler"])
	must(err)
	out := &testModel{pipeline: &Pipeline{Device: d, UNet: NewUNet(unet), VAE: NewVAE(vae), Text: NewTextEncoder(text), Scheduler: config},
		vision: NewVisionEncoder(vision), adapters: map[string]*IPAdapter{}}
	must(out.pipeline.UNet.Load(ctx, d, part("unet"), nil))
	must(out.pipeline.VAE.LoadEncoder(ctx, d, part("vae"), nil))
	must(out.pipeline.VAE.LoadDecoder(ctx, d, part("vae"), nil))
	must(out.pipeline.Text.Load(ctx, d, part("text_encoder"), nil))
	must(out.vision.Load(ctx, d, part("image_encoder"), nil))
	for _, kind := range []string{"global", "plus", "simple"} {
		a, err := NewIPAdapter(part(kind), out.pipeline.UNet)
		must(err)
		must(a.Load(ctx, d, part(kind), nil))
		out.adapters[kind] = a
	}
	return out
}

// run draws a case and returns its latents, [N, 4, h, w].
func (m *testModel) run(t *testing.T, c testCase) []float32 {
	t.Helper()
	req := &Request{IDs: c.IDs, NegativeIDs: c.NegativeIDs, Height: c.Height, Width: c.Width, Scheduler: c.Scheduler, Steps: c.Steps,
		GuidanceScale: c.Guidance, Seed: c.Seed, NumImages: c.NumImages, Strength: c.Strength}
	masked := false
	for _, a := range c.Adapters {
		masked = masked || a.Mask != nil
	}
	for _, a := range c.Adapters {
		im := ImagePrompt{Adapter: m.adapters[a.Kind], Vision: m.vision, Start: a.Start, End: 1}
		if a.End != nil {
			im.End = *a.End
		}
		size := m.vision.Config.ImageSize
		for _, p := range a.Images {
			im.Pixels = append(im.Pixels, picture(p, size, size))
		}
		var err error
		if im.Scales, err = m.pipeline.UNet.LayerScales(a.Scale, a.Layers); err != nil {
			t.Fatal(err)
		}
		if a.Mask != nil {
			mask := make([]float32, c.Height*c.Width)
			for i := range mask {
				if x := i % c.Width; x >= a.Mask[0] && x < a.Mask[1] {
					mask[i] = 1
				}
			}
			im.Mask = func(queries int) []float32 { return imageproc.DownsampleMask(mask, c.Height, c.Width, queries) }
		}
		req.Images = append(req.Images, im)
	}
	if c.Kind != "" {
		req.Init = picture("init", c.Height, c.Width)
	}
	if c.Kind == "inpaint" {
		mask := make([]float32, c.Height*c.Width)
		for i := range mask {
			if y, x := i/c.Width, i%c.Width; y >= c.Height/4 && y < c.Height*3/4 && x >= c.Width/3 {
				mask[i] = 1
			}
		}
		req.Mask = mask
		req.MaskedImage = imageproc.MaskedImage(req.Init, mask)
		req.LatentMask = imageproc.LatentMask(mask, c.Height, c.Width, c.Height/8, c.Width/8)
	}
	var latents []float32
	err := m.pipeline.Run(context.Background(), req, func(Progress) {}, func(r Result) error {
		for i, v := range r.Pixels {
			if math.IsNaN(float64(v)) {
				t.Errorf("pixel %d is not a number", i)
				break
			}
		}
		latents = append(latents, r.Latents...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return latents
}

func relativeError(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff, norm float64
	for i := range want {
		e := float64(got[i]) - float64(want[i])
		diff += e * e
		norm += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(diff / norm)
}

// Whole pipelines give diffusers' latents: within 1e-3 without shader-f16, and with
// it within twice what diffusers' own float16 run differs from its float32 run.
func TestPipelines(t *testing.T) {
	f := readFixture(t)
	if len(f.Cases) < 20 {
		t.Fatalf("the fixture has %d cases", len(f.Cases))
	}
	onModels(t, f, func(t *testing.T, d *gpu.Device, models map[string]*testModel) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				tolerance := 1e-3
				if d.F16 {
					tolerance = 2 * c.F16Error
				}
				e := relativeError(models[c.Model].run(t, c), c.Latents)
				t.Logf("relative error %.2g, at most %.2g", e, tolerance)
				if !(e <= tolerance) {
					t.Errorf("the latents are off by %.3g, at most %.3g allowed", e, tolerance)
				}
			})
		}
		// λ = 0 is the base model, to the bit.
		base, zero := models["a"].run(t, f.Cases["a_text"]), models["a"].run(t, f.Cases["a_zero"])
		for i := range base {
			if base[i] != zero[i] {
				t.Fatalf("λ = 0: latent %d is %g, the base model's is %g", i, zero[i], base[i])
			}
		}
		out := f.Cases["a_simple"]
		out.Adapters = append([]testAdapter(nil), out.Adapters...)
		out.Adapters[0].Scale = 0
		for i, v := range models["a"].run(t, out) {
			if base[i] != v {
				t.Fatalf("a simple adapter's picture left out: latent %d is %g, the base model's is %g", i, v, base[i])
			}
		}
	})
}

// onModels runs a test with the fixture's models on both numeric paths; a missing one
// fails.
func onModels(t *testing.T, f *fixture, test func(t *testing.T, d *gpu.Device, models map[string]*testModel)) {
	t.Helper()
	for _, path := range []struct {
		name  string
		noF16 bool
		f32   bool
	}{{"f32", true, true}, {"f16", false, false}} {
		t.Run(path.name, func(t *testing.T) {
			d, err := gpu.Open(context.Background(), gpu.Options{NoF16: path.noF16})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if d.F16 == path.noF16 {
				t.Fatalf("shader-f16 is %t on %s: ./build.sh setup installs a driver that has it", d.F16, d.Info)
			}
			if path.f32 {
				d.Weights = gpu.WeightF32
			}
			models := map[string]*testModel{}
			for name := range f.Models {
				models[name] = loadModel(t, d, f, name, path.f32)
			}
			test(t, d, models)
		})
	}
}
