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

// Tokens are merged in the self-attentions at the latents' size and in no other, and not beside what else reads the
// tokens of self-attentions.
func TestTokenMergingPlaces(t *testing.T) {
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
	o := unet.ConditioningOptions{Timesteps: []float64{1}, Words: d.NewTensor("words", gpu.Act, 2, 16, config.CrossAttentionDim), Height: 8, Width: 12, TomeRatio: 0.5}
	c, err := u.NewConditioning(ctx, d, o)
	if err != nil {
		t.Fatal(err)
	}
	step := func(taps *unet.StepTaps) *gpu.Program {
		p := d.NewProgram("step")
		u.Record(p, d.NewTensor("sample", gpu.Act, 1, 8, 12, 4), c, taps)
		return p
	}
	merging := map[string]bool{}
	for _, dispatch := range step(nil).Dispatches() {
		if dispatch.Kernel == "token_merge" {
			place, _, _ := strings.Cut(dispatch.Label, ".attentions")
			merging[place] = true
		}
	}
	if len(merging) != 2 || !merging["down_blocks.0"] || !merging["up_blocks.2"] {
		t.Errorf("tokens are merged in %v", merging)
	}
	read := &unet.StepTaps{}
	read.ReadSelf(func(int, *gpu.Tensor) {})
	if err := step(read).Build(ctx); err == nil || !strings.Contains(err.Error(), "set tome_ratio to 0") {
		t.Errorf("beside a tap: %v", err)
	}
	o.Taps.AddReference()
	if _, err := u.NewConditioning(ctx, d, o); err == nil || !strings.Contains(err.Error(), "leave the reference picture out") {
		t.Errorf("beside a reference picture: %v", err)
	}
}
