//go:build js && wasm && kernels

package pipeline

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// Whole pipelines with the kernels that visitors' GPUs run, which a processor that emulates
// a GPU would not choose: they give diffusers' latents within the same tolerances. Mesa's
// compiler takes minutes for all of them, so that without --full one case runs: an
// inpainting with an image prompt and guidance, through all networks. With --full all cases
// run, and two of them with every variant.
func TestGPUKernels(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	all := slices.Sorted(maps.Keys(f.Cases))
	onOwnModels(t, func(t *testing.T, d *gpu.Device, models models) {
		run := func(kernels gpu.Kernels, names ...string) {
			if err := d.SetKernels(kernels); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				t.Run(kernels.String()+" "+name, func(t *testing.T) {
					c, ok := f.Cases[name]
					if !ok {
						t.Fatalf("the fixture has no case %s", name)
					}
					modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
				})
			}
		}
		first := gpu.Kernels{For: "gpu"}
		if os.Getenv("IMPROMPT_FULL") == "" {
			run(first, "c_inpaint")
			return
		}
		run(first, all...)
		for _, class := range gpu.Classes {
			for _, v := range d.Variants(class)[1:] {
				run(first.With(string(class), v.Name), "a_odd", "c_inpaint")
			}
		}
	})
}
