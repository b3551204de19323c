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
// run, and some of them with every variant (kernelRuns).
func TestGPUKernels(t *testing.T) {
	f := readFixture(t, "pipelines/pipelines.json")
	onOwnModels(t, func(t *testing.T, d *gpu.Device, models models) {
		tile := 0
		for _, run := range kernelRuns {
			if run.full && os.Getenv("IMPROMPT_FULL") == "" {
				continue
			}
			kernels, err := gpu.ParseKernels(run.kernels)
			if err != nil {
				t.Fatal(err)
			}
			if lacks(d, kernels) {
				continue
			}
			if err := d.SetKernels(kernels); err != nil {
				t.Fatal(err)
			}
			if d.Winograd() != tile { // weights are uploaded in another form
				delete(loaded, d)
				tile = d.Winograd()
			}
			names := run.cases
			if names == nil {
				names = slices.Sorted(maps.Keys(f.Cases))
			}
			for _, name := range names {
				t.Run(run.kernels+" "+name, func(t *testing.T) {
					c, ok := f.Cases[name]
					if !ok {
						t.Fatalf("the fixture has no case %s", name)
					}
					modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
				})
			}
		}
	})
}

// lacks says whether the device cannot run one of the variants.
func lacks(d *gpu.Device, k gpu.Kernels) bool {
	for class, name := range k.Choice {
		if !slices.ContainsFunc(d.Variants(gpu.Class(class)), func(v gpu.Variant) bool { return v.Name == name }) {
			return true
		}
	}
	return false
}
