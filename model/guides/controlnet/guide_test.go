//go:build !js

package controlnet_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Outside of its steps a ControlNet computes nothing, and its taps copy what they get.
func TestStepsOfControlNet(t *testing.T) {
	ctx := context.Background()
	m := modeltest.Models(t)["a"]
	var f struct {
		Nets map[string]struct {
			Config json.RawMessage
			Keys   map[string][]int
		}
	}
	modeltest.Fixture(t, "controlnet/controlnet.json", &f)
	uc, err1 := unet.ParseConfig(m.Configs["unet"])
	config, err2 := controlnet.ParseConfig(f.Nets["a/edges"].Config)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	u := unet.New(uc)
	n, err := controlnet.New(config, u)
	if err != nil {
		t.Fatal(err)
	}
	d := gpu.NewPlanner(true, gpu.DefaultLimits)
	m.Keys["net"] = f.Nets["a/edges"].Keys
	for part, network := range map[string]nn.Network{"unet": u, "net": n} {
		if err := nn.Load(ctx, d, network, m.Checkpoint(part, false), gpu.WeightF16, nil); err != nil {
			t.Fatal(err)
		}
	}
	words := d.NewTensor("words", gpu.Act, 2, 16, uc.CrossAttentionDim)
	branch := &guides.Branch{Count: 2}
	run := &guides.Run{Device: d, UNet: u, Steps: 4, Timesteps: []float64{900, 700, 400, 100}, Batch: 2, Branches: []*guides.Branch{branch}, Words: words, Height: 8, Width: 8}
	c, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: run.Timesteps, Words: words})
	if err != nil {
		t.Fatal(err)
	}
	// record is how many dispatches each step has.
	record := func(start, end float64) (counts [4]int) {
		g, err := controlnet.NewGuide(n, controlnet.Options{Map: make([]float32, 64*64*3), Lambda: 1, Start: start, End: end})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Prepare(ctx, run); err != nil {
			t.Fatal(err)
		}
		p, taps := d.NewProgram("step"), &unet.StepTaps{}
		x := d.NewTensor("x", gpu.Act, 2, 8, 8, 4)
		g.Record(p, x, branch, taps)
		u.Record(p, x, c, taps)
		for step := range counts {
			for _, ds := range p.Dispatches() {
				if p.Active(ds, step) {
					counts[step]++
				}
			}
		}
		return counts
	}
	none, all, some := record(1, 1)[0], record(0, 1)[0], record(0.25, 0.75)
	copies := n.Residuals()
	if want := [4]int{none + copies, all, all, none + copies}; some != want || all < none+2*copies {
		t.Errorf("the steps have %v dispatches, not %v; %d without the network, %d with it", some, want, none, all)
	}
}
