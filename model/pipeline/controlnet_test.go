//go:build js && wasm

package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/modeltest"
)

// addControls adds a case's ControlNets to a request.
func (m *testModel) addControls(t *testing.T, req *Request, c testCase) {
	t.Helper()
	for _, n := range c.ControlNets {
		pixels := n.pixels(c, 3)
		for i, m := range c.repainted() {
			if n.Repaint && m > 0.5 {
				copy(pixels[3*i:], []float32{-1, -1, -1})
			}
		}
		balance := c.Balance
		if m.controls[c.ControlNets[0].Net].GlobalPool() {
			balance = controlnet.Guess // as diffusers' pipelines, for all networks
		}
		g, err := controlnet.NewGuide(m.controls[n.Net], controlnet.Options{Map: pixels, Lambda: n.Scale, Start: n.Start, End: n.end(), Balance: balance})
		if err != nil {
			t.Fatal(err)
		}
		req.Guides = append(req.Guides, g)
	}
}

// Pipelines with ControlNets give diffusers' latents. A weight of 0 is the base model, and two
// ControlNets of which the second has the weight 0 are the first alone, to the bit.
func TestControlNet(t *testing.T) {
	var f steeredFixture
	modeltest.Fixture(t, "controlnet/controlnet.json", &f)
	cached := readFixture(t, "deep_cache/controlnet.json") // tests/reference/deep_cache.py
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, n := range f.Nets {
			model, net, _ := strings.Cut(name, "/")
			if net == "six" {
				continue // its map is half the size of the picture
			}
			m := models(model)
			config, err := controlnet.ParseConfig(n.Config)
			if err != nil {
				t.Fatal(err)
			}
			control, err := controlnet.New(config, m.pipeline.UNet)
			if err != nil {
				t.Fatal(err)
			}
			f.Load(t, d, control, m.Model, "controlnet", name)
			m.controls[net] = control
		}
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
		for name, c := range cached.Cases {
			t.Run("DeepCache, "+name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
		t.Run("Uni-ControlNet", func(t *testing.T) { testUniControlNet(t, d, models("b")) })
		same := func(what string, a, b testCase) {
			if !slices.Equal(models(a.Model).run(t, a), models(b.Model).run(t, b)) {
				t.Errorf("%s: the latents differ", what)
			}
		}
		with := f.Cases["a_two"]
		change := func(edit func(list []testMap) []testMap) testCase {
			c := with
			c.ControlNets = edit(slices.Clone(with.ControlNets))
			return c
		}
		none := change(func([]testMap) []testMap { return nil })
		same("two of weight 0", none, change(func(l []testMap) []testMap {
			l[0].Scale, l[1].Scale = 0, 0
			return l
		}))
		same("weight 0 in all steps", none, change(func(l []testMap) []testMap {
			l[0].Start, l[1].Scale = 1, 0 // it works between the end and the end
			return l
		}))
		same("the second of weight 0", change(func(l []testMap) []testMap { return l[:1] }), change(func(l []testMap) []testMap {
			l[1].Scale = 0
			return l
		}))
	})
}
