//go:build js && wasm

package pipeline

import (
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/t2iadapter"
	"github.com/imprompt/imprompt/model/modeltest"
)

// addT2IAdapters adds a case's T2I-Adapters to a request.
func (m *testModel) addT2IAdapters(req *Request, c testCase) {
	for _, a := range c.T2IAdapters {
		adapter := m.t2i[a.Net]
		o := t2iadapter.Options{Map: a.pixels(c, adapter.Channels()), Lambda: a.Scale, Start: a.Start, End: a.end()}
		req.Guides = append(req.Guides, t2iadapter.NewGuide(adapter, o))
	}
}

// Pipelines with T2I-Adapters give diffusers' latents, alone, together, and beside an image
// prompt.
func TestT2IAdapter(t *testing.T) {
	var f steeredFixture
	modeltest.Fixture(t, "t2i_adapter/t2i_adapter.json", &f)
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, n := range f.Nets {
			model, net, _ := strings.Cut(name, "/")
			if net == "light" {
				continue // it fits none of the models
			}
			m := models(model)
			config, err := t2iadapter.ParseConfig(n.Config)
			if err != nil {
				t.Fatal(err)
			}
			a, err := t2iadapter.New(config, m.pipeline.UNet)
			if err != nil {
				t.Fatal(err)
			}
			f.Load(t, d, a, m.Model, "t2i", name)
			m.t2i[net] = a
		}
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
		t.Run("style", func(t *testing.T) { testStyle(t, d, models("a")) })
	})
}
