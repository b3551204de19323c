//go:build js && wasm

package pipeline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/modeltest"
)

type testControlNet struct {
	Net, Map string
	Scale    float64
	Start    float64
	End      *float64
	Repaint  bool
}

// The fixture of tests/reference/controlnet.py.
type controlFixture struct {
	Nets map[string]struct { // by "MODEL/NET"
		Config json.RawMessage
		Keys   map[string][]int
	}
	Cases map[string]testCase
}

// addControls adds a case's ControlNets to a request.
func (m *testModel) addControls(t *testing.T, req *Request, c testCase) {
	t.Helper()
	for _, n := range c.ControlNets {
		pixels := modeltest.Picture(n.Map, c.Height, c.Width)
		mask := c.repainted()
		for i, v := range pixels {
			pixels[i] = min(max(0.5+1.5*v, 0), 1)
			if n.Repaint && mask[i/3] > 0.5 {
				pixels[i] = -1
			}
		}
		balance := c.Balance
		if m.controls[c.ControlNets[0].Net].GlobalPool() {
			balance = controlnet.Guess // as diffusers' pipelines, for all networks
		}
		o := controlnet.Options{Map: pixels, Lambda: n.Scale, Start: n.Start, End: 1, Balance: balance}
		if n.End != nil {
			o.End = *n.End
		}
		g, err := controlnet.NewGuide(m.controls[n.Net], o)
		if err != nil {
			t.Fatal(err)
		}
		req.Guides = append(req.Guides, g)
	}
}

// Pipelines with ControlNets give diffusers' latents. A weight of 0 is the base model, and two
// ControlNets of which the second has the weight 0 are the first alone, to the bit.
func TestControlNet(t *testing.T) {
	var f controlFixture
	modeltest.Fixture(t, "controlnet/controlnet.json", &f)
	onModels(t, func(t *testing.T, d *gpu.Device, models map[string]*testModel) {
		for name, n := range f.Nets {
			model, net, _ := strings.Cut(name, "/")
			if net == "six" {
				continue // its map is half the size of the picture
			}
			m := models[model]
			config, err := controlnet.ParseConfig(n.Config)
			if err != nil {
				t.Fatal(err)
			}
			control, err := controlnet.New(config, m.pipeline.UNet)
			if err != nil {
				t.Fatal(err)
			}
			part := "controlnet " + net
			m.Keys[part] = n.Keys
			modeltest.Load(t, d, control, m.Model, part)
			m.controls[net] = control
		}
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models[c.Model].run(t, c), c.Latents, c.F16Error)
			})
		}
		same := func(what string, a, b testCase) {
			if !slices.Equal(models[a.Model].run(t, a), models[b.Model].run(t, b)) {
				t.Errorf("%s: the latents differ", what)
			}
		}
		with := f.Cases["a_two"]
		change := func(edit func(list []testControlNet) []testControlNet) testCase {
			c := with
			c.ControlNets = edit(slices.Clone(with.ControlNets))
			return c
		}
		none := change(func([]testControlNet) []testControlNet { return nil })
		same("two of weight 0", none, change(func(l []testControlNet) []testControlNet {
			l[0].Scale, l[1].Scale = 0, 0
			return l
		}))
		same("weight 0 in all steps", none, change(func(l []testControlNet) []testControlNet {
			l[0].Start, l[1].Scale = 1, 0 // it works between the end and the end
			return l
		}))
		same("the second of weight 0", change(func(l []testControlNet) []testControlNet { return l[:1] }), change(func(l []testControlNet) []testControlNet {
			l[1].Scale = 0
			return l
		}))
	})
}
