//go:build js && wasm

package pipeline

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/guides/unicontrolnet"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// testUni is Uni-ControlNet in a case: the local adapter where Scale is not nil, and the global one where
// Strength is not.
type testUni struct {
	Maps            map[string]string
	Image           string
	Scale, Strength *float64
}

// uniNetworks are Uni-ControlNet's adapters, and the image encoder that the global one reads.
type uniNetworks struct {
	local  *controlnet.ControlNet
	global *unicontrolnet.GlobalAdapter
	vision *clip.VisionEncoder
}

// addUni adds a case's Uni-ControlNet to a request.
func (m *testModel) addUni(t *testing.T, req *Request, c testCase) {
	t.Helper()
	if c.Uni == nil {
		return
	}
	var o unicontrolnet.Options
	var err error
	if s := c.Uni.Scale; s != nil {
		pixels := make([]float32, c.Height*c.Width*21)
		for i, name := range []string{"canny", "mlsd", "hed", "sketch", "openpose", "midas", "seg"} {
			if c.Uni.Maps[name] == "" {
				continue
			}
			for j, v := range (testMap{Map: c.Uni.Maps[name]}).pixels(c, 3) {
				pixels[j/3*21+3*i+j%3] = v
			}
		}
		if o.Local, err = controlnet.NewGuide(m.uni.local, controlnet.Options{Map: pixels, Lambda: *s, End: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Uni.Strength; s != nil {
		o.Global, o.Vision, o.Lambda = m.uni.global, m.uni.vision, *s
		if c.Uni.Image != "" {
			o.Pixels = modeltest.Picture(c.Uni.Image, o.Vision.Config.ImageSize, o.Vision.Config.ImageSize)
		}
	}
	g, err := unicontrolnet.NewGuide(o)
	if err != nil {
		t.Fatal(err)
	}
	req.Guides = append(req.Guides, g)
}

// testUniControlNet is the part of TestControlNet for Uni-ControlNet. Its adapters give what its repository's
// give, alone and in pipelines: either of them, and both beside an image prompt. In the low-memory mode they
// give the same.
func testUniControlNet(t *testing.T, d *gpu.Device, m *testModel) {
	var f struct {
		steeredFixture
		Timestep float64
	}
	modeltest.Fixture(t, "uni_controlnet/uni_controlnet.json", &f)
	u := m.pipeline.UNet
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	config, err := clip.ParseVisionConfig(f.Nets["b/image_encoder"].Config)
	must(err)
	m.uni.vision = clip.NewVisionEncoder(config)
	f.Load(t, d, m.uni.vision, m.Model, "uni", "b/image_encoder")
	m.Keys["uni local"], m.Keys["uni global"] = f.Nets["b/local"].Keys, f.Nets["b/global"].Keys
	m.uni.global, err = unicontrolnet.NewGlobal(m.Checkpoint("uni global", !d.F16), u)
	must(err)
	f.Load(t, d, m.uni.global, m.Model, "uni", "b/global")
	local, err := controlnet.LocalConfigOf(m.Checkpoint("uni local", !d.F16), u.Config)
	must(err)
	m.uni.local, err = controlnet.New(local, u)
	must(err)
	f.Load(t, d, m.uni.local, m.Model, "uni", "b/local")

	t.Run("global", func(t *testing.T) {
		x := modeltest.Given(d, m.Model, "embeds", 1, 2, 48)
		defer x.Release()
		f.Check(t, d, "b/global", modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return m.uni.global.Record(p, x) }))
	})
	t.Run("local", func(t *testing.T) {
		size := modeltest.ReadNetworks(t).Latents
		x := modeltest.Given(d, m.Model, "controlnet sample", 2, size[0], size[1], 4)
		defer x.Release()
		words := modeltest.Given(d, m.Model, "encoder_hidden_states", 2, 16, 48)
		defer words.Release()
		in := modeltest.Given(d, m.Model, "map", 1, 8*size[0], 8*size[1], 21)
		defer in.Release()
		p := d.NewProgram("maps")
		defer p.Release()
		maps := m.uni.local.RecordModulations(p, in)
		for _, x := range maps {
			p.Keep(x)
			defer x.Release()
		}
		must(p.Build(context.Background()))
		must(p.Run(context.Background(), 0))
		c, err := m.uni.local.NewConditioning(context.Background(), d, unet.ConditioningOptions{Timesteps: []float64{f.Timestep}, Words: words, FDN: m.uni.local.Modulations(maps)})
		must(err)
		defer c.Release()
		f.Check(t, d, "b/local", modeltest.RunAll(t, d, func(p *gpu.Program) []*gpu.Tensor { return m.uni.local.RecordResiduals(p, x, nil, c) }))
	})
	for name, c := range f.Cases {
		t.Run(name, func(t *testing.T) {
			modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
		})
	}
	t.Run("low memory", func(t *testing.T) { m.compareInLowMemory(t, d, f.Cases["b_uni"]) })
}
