package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

// kernelRun is a choice of kernels with which TestGPUKernels draws whole pictures.
type kernelRun struct {
	kernels string   // as gpu.ParseKernels reads it
	cases   []string // of pipelines.json; nil means all of them
	full    bool     // whether the run takes place with --full only
}

// kernelRuns has every variant of gpu's list. Variants that are chosen together are in one run, because their errors
// add up there.
var kernelRuns = []kernelRun{
	{kernels: "gpu", cases: []string{"c_inpaint"}},
	{kernels: "gpu", full: true},
	{kernels: "gpu,conv=early,linear=early,attention=pair", cases: []string{"a_odd", "c_inpaint"}, full: true},   // AMD and NVIDIA start with these
	{kernels: "gpu,conv=rolled,linear=rolled,attention=tile", cases: []string{"a_odd", "c_inpaint"}, full: true}, // and Intel with these
	{kernels: "gpu,conv=short,linear=short", cases: []string{"a_odd", "b_simple", "c_inpaint"}, full: true},
	{kernels: "gpu,conv=winograd", cases: []string{"a_odd", "b_simple", "c_inpaint"}, full: true},
	{kernels: "gpu,conv=winograd4", cases: []string{"a_odd", "c_inpaint"}, full: true},
	{kernels: "gpu,upsample=phases", cases: []string{"a_odd", "c_inpaint"}, full: true},
	{kernels: "gpu,groups=512", cases: []string{"a_odd", "c_inpaint"}, full: true},
	{kernels: "gpu,groups=1024", cases: []string{"a_odd", "c_inpaint"}, full: true},
}

// A variant that is added to gpu's list needs a run that draws whole pictures with it.
func TestKernelRuns(t *testing.T) {
	drawn := map[string]bool{}
	for _, run := range kernelRuns {
		k, err := gpu.ParseKernels(run.kernels)
		if err != nil {
			t.Fatal(err)
		}
		if k.For != "gpu" {
			t.Errorf("%q does not choose a GPU's kernels", run.kernels)
		}
		for class, name := range k.Choice {
			drawn[class+"="+name] = true
		}
	}
	for _, f16 := range []bool{true, false} {
		d := gpu.NewPlanner(f16, gpu.DefaultLimits)
		d.Subgroups = true
		for _, class := range gpu.Classes {
			for _, v := range d.Variants(class)[1:] { // every run has the first one of the classes that it does not name
				if choice := string(class) + "=" + v.Name; !drawn[choice] {
					t.Errorf("no whole picture is drawn with %s: add it to kernelRuns", choice)
				}
			}
		}
	}
}
