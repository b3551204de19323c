//go:build !js

package pipeline

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// journal is a guide that writes down what the pipeline asks of it.
type journal struct {
	lines    []string
	network  nn.Network
	separate bool
}

func (j *journal) write(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) Separate() bool { return j.separate }

func (j *journal) Networks() []nn.Network { return []nn.Network{j.network} }

func (j *journal) Prepare(_ context.Context, r *guides.Run) error {
	j.write("prepare batch %d, steps %d, branches %d", r.Batch, r.Steps, len(r.Branches))
	return nil
}

func (j *journal) Record(p *gpu.Program, x *gpu.Tensor, b *guides.Branch, t *unet.StepTaps) {
	j.write("record entry %d of %d, input %v", b.First, b.Count, x.Shape)
	t.AddMid(unet.Residual{X: p.Device.NewTensor("residual", gpu.Act, b.Count, 2, 3, 160)})
}

func (j *journal) Release() { j.write("release") }

// The pipeline prepares a guide once, has it record for every branch of guidance, keeps its
// networks beside the UNet, and releases it.
func TestGuide(t *testing.T) {
	m := modeltest.Models(t)["a"]
	for name, c := range map[string]struct {
		guidance            float64
		separate, lowMemory bool
		want                []string
	}{
		"without guidance": {1, false, false, []string{"prepare batch 1, steps 3, branches 1", "record entry 0 of 1, input [1 8 12 4]", "release"}},
		"with guidance":    {7.5, false, false, []string{"prepare batch 2, steps 3, branches 1", "record entry 0 of 2, input [2 8 12 4]", "release"}},
		"low memory": {7.5, false, true, []string{"prepare batch 2, steps 3, branches 2",
			"record entry 0 of 1, input [1 8 12 4]", "record entry 1 of 1, input [1 8 12 4]", "release"}},
		"separate": {7.5, true, false, []string{"prepare batch 2, steps 3, branches 2",
			"record entry 0 of 1, input [1 8 12 4]", "record entry 1 of 1, input [1 8 12 4]", "release"}},
	} {
		t.Run(name, func(t *testing.T) {
			visionConfig, err := clip.ParseVisionConfig(m.Configs["image_encoder"])
			if err != nil {
				t.Fatal(err)
			}
			d := gpu.NewPlanner(true, gpu.DefaultLimits)
			p, err := New(d, Configs{UNet: m.Configs["unet"], VAE: m.Configs["vae"], Text: m.Configs["text_encoder"], Scheduler: m.Configs["scheduler"]})
			if err != nil {
				t.Fatal(err)
			}
			p.Memory, p.LowMemory = &nn.Memory{Device: d, Budget: nn.DefaultBudget}, c.lowMemory
			// An image encoder stands for a network that the guide's steps need.
			j := &journal{network: clip.NewVisionEncoder(visionConfig), separate: c.separate}
			for _, add := range []struct {
				network nn.Network
				part    string
			}{{p.UNet, "unet"}, {p.VAE.Decoder, "vae"}, {p.Text, "text_encoder"}, {j.network, "image_encoder"}} {
				if err := p.Memory.Add(add.network, m.Checkpoint(add.part, false), gpu.WeightF16); err != nil {
					t.Fatal(err)
				}
			}
			loaded := false
			req := &Request{IDs: make([]int32, 16), NegativeIDs: make([]int32, 16), Guides: []guides.Guide{j}, Height: 64, Width: 96,
				Scheduler: "ddim", Steps: 3, GuidanceScale: c.guidance, NumImages: 2}
			err = p.Run(context.Background(), req, func(at Progress) {
				if at.Stage == StageDenoise {
					loaded = slices.Contains(p.Memory.Loaded(), j.network)
				}
			}, func(Result) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(j.lines, c.want) {
				t.Errorf("the guide was asked to %q, not %q", j.lines, c.want)
			}
			if !loaded {
				t.Error("the guide's network is not on the GPU during the steps")
			}
		})
	}
}
