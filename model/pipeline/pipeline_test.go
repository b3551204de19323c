//go:build js && wasm

package pipeline

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/guides/reference"
	"github.com/imprompt/imprompt/model/guides/t2iadapter"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/random"
)

// A fixture of tests/reference/pipelines.py, or one like it.
type fixture struct{ Cases map[string]testCase }

type testCase struct {
	Model, Kind, Scheduler string
	Steps, Height, Width   int
	Guidance, Strength     float64
	GuidanceStart          float64 `json:"guidance_start"`
	GuidanceStop           float64 `json:"guidance_stop"`
	CacheInterval          int     `json:"cache_interval"`
	TomeRatio              float64 `json:"tome_ratio"`
	Eta                    float64
	Seed                   uint64
	VariationSeed          uint64  `json:"variation_seed"`
	VariationStrength      float64 `json:"variation_strength"`
	NumImages              int     `json:"num_images"`
	IDs                    []int32
	NegativeIDs            []int32 `json:"negative_ids"`
	Adapters               []testAdapter
	ControlNets            []testMap
	Balance                controlnet.Balance
	T2IAdapters            []testMap `json:"t2i_adapters"`
	Reference              *struct {
		Image            string
		Fidelity         float64
		Attention, AdaIN *bool // nil means reference-only
	}
	Style *struct {
		Image string
		Scale float64
		span
	}
	Uni      *testUni
	Moves    moves
	Latents  []float32
	F16Error float64 `json:"f16_error"`
}

// moves is how far the latents move if what is tested is changed, by what is changed where there are several.
type moves map[string]float64

func (m *moves) UnmarshalJSON(b []byte) error {
	var one float64
	if json.Unmarshal(b, &one) == nil {
		*m = moves{"": one}
		return nil
	}
	return json.Unmarshal(b, (*map[string]float64)(m))
}

type testAdapter struct {
	Kind              string
	Layers            string
	Scale             float64
	Images            []string
	Combine, Negative string
	Mask              []int
	Frame             []int // the width and height of a picture whose tiles the images are
	span
}

// span is in which of the steps something works.
type span struct {
	Start float64
	End   *float64 // nil means 1
}

func (s span) end() float64 {
	if s.End == nil {
		return 1
	}
	return *s.End
}

// steeredFixture is a fixture with networks that read maps, and the pipelines that they steer.
type steeredFixture struct {
	modeltest.Steering
	Cases map[string]testCase
}

// testMap is a map, and how the network that reads it works.
type testMap struct {
	Net, Map string
	Scale    float64
	Repaint  bool // whether the pixels that are repainted are -1
	span
}

// pixels are the map for a case's picture, [H, W, channels] in 0..1, mostly 0 and 1.
func (m testMap) pixels(c testCase, channels int) (list []float32) {
	for i, v := range modeltest.Picture(m.Map, c.Height, c.Width) {
		if i%3 < channels {
			list = append(list, min(max(0.5+1.5*v, 0), 1))
		}
	}
	return list
}

func readFixture(t *testing.T, name string) *fixture {
	t.Helper()
	f := &fixture{}
	modeltest.Fixture(t, name, f)
	return f
}

// testModel is one of the fixture's models on a GPU.
type testModel struct {
	modeltest.Model
	pipeline *Pipeline
	vision   *clip.VisionEncoder
	adapters map[string]*ipadapter.Adapter // by form: global, plus, simple
	controls map[string]*controlnet.ControlNet
	t2i      map[string]*t2iadapter.Adapter
	style    *t2iadapter.StyleAdapter
	progress func(Progress) // is told of runs, unless it is nil
	pixels   []float32      // of the last picture
	uni      uniNetworks
	// keep makes another guide of an IP-Adapter's, unless it is nil.
	keep   func(g *ipadapter.Guide, lambda guides.Lambda) *ipadapter.Guide
	change func(req *Request) // changes the request of the next case; nil for nothing
}

// loadModel loads a model for as long as its device is open.
func loadModel(t *testing.T, d *gpu.Device, m modeltest.Model) *testModel {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := New(d, Configs{UNet: m.Configs["unet"], VAE: m.Configs["vae"], Text: m.Configs["text_encoder"], Scheduler: m.Configs["scheduler"]})
	must(err)
	visionConfig, err := clip.ParseVisionConfig(m.Configs["image_encoder"])
	must(err)
	out := &testModel{Model: m, vision: clip.NewVisionEncoder(visionConfig), adapters: map[string]*ipadapter.Adapter{},
		controls: map[string]*controlnet.ControlNet{}, t2i: map[string]*t2iadapter.Adapter{}, pipeline: p}
	for _, form := range []string{"global", "plus", "simple"} {
		out.adapters[form], err = ipadapter.New(m.Checkpoint(form, !d.F16), out.pipeline.UNet)
		must(err)
	}
	for part, networks := range out.networks() {
		for _, n := range networks {
			must(nn.Load(context.Background(), d, n, m.Checkpoint(part, !d.F16), modeltest.Weights(d), nil))
		}
	}
	return out
}

// networks are the model's, by the part of the fixture that holds their keys.
func (m *testModel) networks() map[string][]nn.Network {
	p := m.pipeline
	return map[string][]nn.Network{"unet": {p.UNet}, "vae": {p.VAE.Encoder, p.VAE.Decoder}, "text_encoder": {p.Text}, "image_encoder": {m.vision},
		"global": {m.adapters["global"]}, "plus": {m.adapters["plus"]}, "simple": {m.adapters["simple"]}}
}

// compareInLowMemory draws a case with the branches of guidance one after the other.
func (m *testModel) compareInLowMemory(t *testing.T, d *gpu.Device, c testCase) {
	t.Helper()
	m.pipeline.LowMemory = true
	defer func() { m.pipeline.LowMemory = false }()
	modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
}

// run draws a case and returns its latents, [N, 4, h, w].
func (m *testModel) run(t *testing.T, c testCase) []float32 {
	t.Helper()
	req := &Request{IDs: c.IDs, NegativeIDs: c.NegativeIDs, Height: c.Height, Width: c.Width, Scheduler: c.Scheduler, Steps: c.Steps,
		Eta: c.Eta, GuidanceScale: c.Guidance, GuidanceStart: c.GuidanceStart, GuidanceStop: c.GuidanceStop, CacheInterval: c.CacheInterval, TomeRatio: c.TomeRatio, Seed: c.Seed, NumImages: c.NumImages, Strength: c.Strength}
	for _, a := range c.Adapters {
		lambda := guides.Lambda{Start: a.Start, End: a.end()}
		size := m.vision.Config.ImageSize
		var pixels [][]float32
		for _, p := range a.Images {
			pixels = append(pixels, modeltest.Picture(p, size, size))
		}
		var err error
		if lambda.Layers, err = guides.Layers(m.pipeline.UNet, a.Scale, a.Layers); err != nil {
			t.Fatal(err)
		}
		if lambda.Opposed, err = guides.Opposed(m.pipeline.UNet, a.Layers); err != nil {
			t.Fatal(err)
		}
		if a.Mask != nil {
			mask := make([]float32, c.Height*c.Width)
			for i := range mask {
				if x := i % c.Width; x >= a.Mask[0] && x < a.Mask[1] {
					mask[i] = 1
				}
			}
			lambda.Mask = func(h, w int) []float32 { return imageproc.AttentionMask(mask, c.Height, c.Width, h, w) }
		}
		g, err := ipadapter.NewGuide(m.adapters[a.Kind], m.vision, pixels, lambda)
		if err != nil {
			t.Fatal(err)
		}
		g.Combine = a.Combine
		if a.Negative != "" {
			g.Negative = modeltest.Picture(a.Negative, size, size)
		}
		if a.Frame != nil {
			tiling := imageproc.NewTiling(a.Frame[0], a.Frame[1])
			for i := range tiling.Tiles {
				g.Places = append(g.Places, ipadapter.Place{Pictures: []int{i}, Mask: func(h, w int) []float32 { return tiling.Place(i, h, w) }})
			}
		}
		if m.keep != nil {
			g = m.keep(g, lambda)
		}
		req.Guides = append(req.Guides, g)
	}
	m.addControls(t, req, c)
	m.addT2IAdapters(req, c)
	m.addStyle(t, req, c)
	m.addUni(t, req, c)
	if r := c.Reference; r != nil {
		g := reference.NewGuide(modeltest.Picture(r.Image, c.Height, c.Width), r.Fidelity)
		if r.AdaIN != nil {
			g.Attention, g.AdaIN = *r.Attention, *r.AdaIN
		}
		req.Guides = append(req.Guides, g)
	}
	if c.Kind != "" {
		req.Init = modeltest.Picture("init", c.Height, c.Width)
	}
	if c.Kind == "inpaint" {
		mask := c.repainted()
		req.Mask = mask
		req.MaskedImage = imageproc.MaskedImage(req.Init, mask)
		req.LatentMask = imageproc.LatentMask(mask, c.Height, c.Width, c.Height/8, c.Width/8)
	}
	if c.VariationStrength > 0 {
		req.Sources, req.Variation, req.VariationStrength = []random.Source{random.New(c.Seed)}, []random.Source{random.New(c.VariationSeed)}, c.VariationStrength
	}
	if m.change != nil {
		m.change(req)
	}
	var latents []float32
	progress := m.progress
	if progress == nil {
		progress = func(Progress) {}
	}
	err := m.pipeline.Run(context.Background(), req, progress, func(r Result) error {
		m.pixels = r.Pixels
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

// repainted is the mask of an inpainting, [H, W].
func (c testCase) repainted() []float32 {
	mask := make([]float32, c.Height*c.Width)
	for i := range mask {
		if y, x := i/c.Width, i%c.Width; y >= c.Height/4 && y < c.Height*3/4 && x >= c.Width/3 {
			mask[i] = 1
		}
	}
	return mask
}

// Whole pipelines give diffusers' latents: within 1e-3 without shader-f16, and with
// it within twice what diffusers' own float16 run differs from its float32 run.
func TestPipelines(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	if len(f.Cases) < 20 {
		t.Fatalf("the fixture has %d cases", len(f.Cases))
	}
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
		// λ = 0 is the base model, to the bit.
		base, zero := models("a").run(t, f.Cases["a_text"]), models("a").run(t, f.Cases["a_zero"])
		for i := range base {
			if base[i] != zero[i] {
				t.Fatalf("λ = 0: latent %d is %g, the base model's is %g", i, zero[i], base[i])
			}
		}
		out := f.Cases["a_simple"]
		out.Adapters = append([]testAdapter(nil), out.Adapters...)
		out.Adapters[0].Scale = 0
		for i, v := range models("a").run(t, out) {
			if base[i] != v {
				t.Fatalf("a simple adapter's picture left out: latent %d is %g, the base model's is %g", i, v, base[i])
			}
		}
	})
}

// Where λ differs by layer, the latents are diffusers', too.
func TestLayers(t *testing.T) {
	var f struct{ Layers map[string]testCase }
	modeltest.Fixture(t, "networks/networks.json", &f)
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Layers {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
	})
}

// The schedulers for few steps, and a model that takes the guidance as an embedding:
// tests/reference/fast.py.
func TestFast(t *testing.T) {
	f := readFixture(t, "fast/fast.json")
	small := map[string]modeltest.Model{"a": modeltest.Models(t)["a"], "lcm": modeltest.ModelsOf(t, "fast/fast.json")["lcm"]}
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, sharedModel(t, d, small[c.Model]).run(t, c), c.Latents, c.F16Error)
			})
		}
	})
}

// models finds one of the fixture's models by its name, on a device.
type models = func(name string) *testModel

// onModels runs a test with the fixture's models on both numeric paths. The package's tests share them.
func onModels(t *testing.T, test func(t *testing.T, d *gpu.Device, models models)) {
	t.Helper()
	small := modeltest.Models(t)
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		test(t, d, func(name string) *testModel { return sharedModel(t, d, small[name]) })
	})
}

// onOwnModels is onModels for a test that changes the device or unloads networks.
func onOwnModels(t *testing.T, test func(t *testing.T, d *gpu.Device, models models)) {
	t.Helper()
	small := modeltest.Models(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		t.Cleanup(func() { delete(loaded, d) })
		test(t, d, func(name string) *testModel { return sharedModel(t, d, small[name]) })
	})
}

// loaded are the models on each device, by name.
var loaded = map[*gpu.Device]map[string]*testModel{}

// sharedModel is a model that is loaded once on a device. What the pipeline keeps from a test goes when the test ends.
func sharedModel(t *testing.T, d *gpu.Device, m modeltest.Model) *testModel {
	t.Helper()
	if loaded[d] == nil {
		loaded[d] = map[string]*testModel{}
	}
	if loaded[d][m.Name] == nil {
		loaded[d][m.Name] = loadModel(t, d, m)
	}
	shared := loaded[d][m.Name]
	t.Cleanup(shared.pipeline.Forget)
	return shared
}

func TestMain(m *testing.M) { modeltest.Main(m) }
