//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/t2iadapter"
	"github.com/imprompt/imprompt/model/modeltest"
)

// addStyle adds a case's style adapter to a request.
func (m *testModel) addStyle(t *testing.T, req *Request, c testCase) {
	t.Helper()
	if c.Style == nil {
		return
	}
	size := m.vision.Config.ImageSize
	g, err := t2iadapter.NewStyleGuide(m.style, m.vision, t2iadapter.StyleOptions{
		Pixels: modeltest.Picture(c.Style.Image, size, size), Lambda: c.Style.Scale, Start: c.Style.Start, End: c.Style.end()})
	if err != nil {
		t.Fatal(err)
	}
	req.Guides = append(req.Guides, g)
}

// testStyle is the part of TestT2IAdapter for the style adapter. Pipelines with it give the latents of its
// repository: alone, beside an image prompt, without guidance, and in some of the steps. In the low-memory
// mode they give the same.
func testStyle(t *testing.T, d *gpu.Device, m *testModel) {
	var f steeredFixture
	modeltest.Fixture(t, "style_adapter/style_adapter.json", &f)
	config := t2iadapter.StyleConfig{Width: 40, Dim: 48, Tokens: 8, Layers: 3, Heads: 2}
	var err error
	if m.style, err = t2iadapter.NewStyle(config, m.pipeline.UNet); err != nil {
		t.Fatal(err)
	}
	inferred, err := t2iadapter.StyleConfigOf(f.Load(t, d, m.style, m.Model, "t2i", "a/style"))
	if inferred.Heads = config.Heads; err != nil || inferred != config {
		t.Errorf("inferred from the file: %+v (%v), and it is %+v", inferred, err, config)
	}
	t.Run("network", func(t *testing.T) {
		x := modeltest.Given(d, m.Model, "hidden_states", 1, 52, config.Width) // of two pictures
		defer x.Release()
		f.Check(t, d, "a/style", modeltest.RunAll(t, d, func(p *gpu.Program) (list []*gpu.Tensor) {
			for i := range 2 {
				list = append(list, m.style.Record(p, gpu.SliceTokens(p, x, 26*i, 26)))
			}
			return list
		}))
	})
	for name, c := range f.Cases {
		t.Run(name, func(t *testing.T) {
			modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
		})
	}
	t.Run("low memory", func(t *testing.T) { m.compareInLowMemory(t, d, f.Cases["a_steps"]) })
}
