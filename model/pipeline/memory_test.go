//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
)

// In the low-memory mode, with a budget so small that every network leaves as soon as
// another is needed, pictures are the same: guidance in two passes, several adapters and
// masks, and inpainting, which needs both halves of the VAE.
func TestLowMemory(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	onOwnModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for _, name := range []string{"a_masks", "c_inpaint"} {
			c, ok := f.Cases[name]
			if !ok {
				t.Fatalf("the fixture has no case %s", name)
			}
			t.Run(name, func(t *testing.T) {
				m := models(c.Model)
				memory := m.scarce(t, d)
				modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
				if loaded := memory.Loaded(); len(loaded) != 1 {
					t.Errorf("%d networks are on the GPU after the run; the decoder alone should be", len(loaded))
				}
			})
		}
	})
}

// scarce gives the pipeline a Memory of no budget at all, in place of the loaded networks.
func (m *testModel) scarce(t *testing.T, d *gpu.Device) *nn.Memory {
	t.Helper()
	memory := &nn.Memory{Device: d, Budget: 1}
	m.pipeline.VAE.Tile = 1 << 10 // so that the VAE does not work in tiles for want of memory, which gives another picture
	for part, networks := range m.networks() {
		for _, n := range networks {
			nn.Unload(n)
			if err := memory.Add(n, m.Checkpoint(part, !d.F16), modeltest.Weights(d)); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.pipeline.Memory, m.pipeline.LowMemory = memory, true
	m.pipeline.Encodings.Release()
	return memory
}
