package guides

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Guide steers the UNet of one run of the pipeline.
type Guide interface {
	// Networks lists what Record records with. These networks are on the GPU together
	// with the UNet while the steps run. It is nil for a guide whose steps need none.
	Networks() []nn.Network

	// Prepare runs once, before the UNet is loaded. It does everything that is the same
	// in all steps, such as encoding a picture, and adds the results to the taps of the
	// run's branches. It loads the networks that it needs itself, by r.Memory.
	Prepare(ctx context.Context, r *Run) error

	// Record records what changes over the steps into a step's program, and adds the
	// results to t. It is called for every branch, before the UNet is recorded, and again
	// whenever the program has to be recorded anew.
	//
	//	x: Act [b.Count, h, w, in_channels], the UNet's input
	Record(p *gpu.Program, x *gpu.Tensor, b *Branch, t *unet.StepTaps)

	// Release frees what Prepare made, when the run has ended.
	Release()
}

// Separate is a Guide that may need the entries of the batch computed one after the other,
// as in the low-memory mode, because what it adds to the time embedding differs between
// them.
type Separate interface {
	Guide
	Separate() bool
}

// Run is what a guide may know of the run that it steers.
type Run struct {
	Device    *gpu.Device
	Memory    *nn.Memory // nil where all networks are loaded already
	UNet      *unet.UNet // which may not be loaded yet
	Encodings *Encodings // kept from one run to the next
	Steps     int        // of the schedule
	Batch     int        // 2 with classifier-free guidance, 1 without
	Branches  []*Branch
}

// Branch is what the UNet computes at once: the whole batch or, in the low-memory mode and
// for Separate guides, one of its entries. With classifier-free guidance the batch has two entries, the
// unconditional one and then the conditional one.
type Branch struct {
	First, Count int // the entries of the batch
	Taps         unet.ConditioningTaps
}

// Of is the branch's entries of a tensor of the whole batch, Act [B, T, C].
func (b *Branch) Of(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	batch, tokens, channels := x.Shape[0], x.Shape[1], x.Shape[2]
	if b.Count == batch {
		return x
	}
	return gpu.SliceTokens(p, x.Reshape(1, batch*tokens, channels), b.First*tokens, tokens)
}
