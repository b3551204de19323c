//go:build !js

package unet_test

import (
	"context"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// With a reference picture a step reads every weight once, as without it.
func TestReferenceReadsWeightsOnce(t *testing.T) {
	ctx := context.Background()
	m := modeltest.Models(t)["a"]
	config, err := unet.ParseConfig(m.Configs["unet"])
	if err != nil {
		t.Fatal(err)
	}
	d, u := gpu.NewPlanner(true, gpu.DefaultLimits), unet.New(config)
	if err := nn.Load(ctx, d, u, m.Checkpoint("unet", false), gpu.WeightF16, nil); err != nil {
		t.Fatal(err)
	}
	// products counts the dispatches of a step that read a matrix.
	products := func(with bool) (count int) {
		var before unet.ConditioningTaps
		taps := &unet.StepTaps{}
		if with {
			before.AddReference()
			taps.AddReference(unet.Reference{X: d.NewTensor("picture", gpu.Act, 1, 8, 12, 4), Attention: true, AdaIN: true, Mixed: 1, Fidelity: 0.5})
		}
		c, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: []float64{1}, Words: d.NewTensor("words", gpu.Act, 2, 16, config.CrossAttentionDim), Taps: before})
		if err != nil {
			t.Fatal(err)
		}
		p := d.NewProgram("step")
		eps := u.Record(p, d.NewTensor("x", gpu.Act, 2, 8, 12, 4), c, taps)
		if eps.Shape[0] != 2 {
			t.Errorf("the prediction is %v", eps.Shape)
		}
		p.Keep(eps)
		if err := p.Build(ctx); err != nil {
			t.Fatal(err)
		}
		for _, ds := range p.Dispatches() {
			if strings.HasPrefix(ds.Kernel, "conv2d") && ds.Kernel != "conv2d_sum" {
				count++
			}
		}
		return count
	}
	if without, with := products(false), products(true); with != without {
		t.Errorf("a step has %d products with a reference picture, and %d without", with, without)
	}
}
