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

// Repeatable is a Guide that says what it depends on. If the next run's guides have the same
// keys, and all else is the same, what was prepared is used again and Prepare is not called.
type Repeatable interface {
	Guide
	Key(r *Run) string
}

// Noised is a Guide that reads a picture as noisy as the sample is in every step.
type Noised interface {
	Guide
	// Picture is the picture, [H, W, 3] of the result's size in -1..1.
	Picture() []float32
	// Begin takes the picture's latents for one of the run's results, before it is drawn: by
	// step, [h·w, 4], scaled as the scheduler scales the UNet's input.
	Begin(steps [][]float32)
}

// Run is what a guide may know of the run that it steers.
type Run struct {
	Device    *gpu.Device
	Memory    *nn.Memory // nil where all networks are loaded already
	UNet      *unet.UNet // which may not be loaded yet
	Encodings *Encodings // kept from one run to the next
	Steps     int        // of the schedule
	Timesteps []float64  // by step
	Batch     int        // 2 with classifier-free guidance, 1 without
	Branches  []*Branch
	// Words are the text encoder's hidden states, Act [Batch, T, D], before guides add to
	// them.
	Words         *gpu.Tensor
	Height, Width int // of the latents
}

// Entries are count entries of a tensor of the whole batch, Act [B, T, C], from the first on: the
// tensor itself where these are all, or else a copy of the one entry, which release frees.
func (r *Run) Entries(ctx context.Context, x *gpu.Tensor, first, count int) (entries *gpu.Tensor, release func(), err error) {
	if count == r.Batch {
		return x, func() {}, nil
	}
	entries, err = nn.Once(ctx, r.Device, "an entry of the batch", func(p *gpu.Program) *gpu.Tensor { return Entry(p, x, first) })
	if err != nil {
		return nil, nil, err
	}
	return entries, entries.Release, nil
}

// Branch is what the UNet computes at once: the whole batch or, in the low-memory mode and
// for Separate guides, one of its entries. With classifier-free guidance the batch has two
// entries, the unconditional one and then the conditional one.
type Branch struct {
	First, Count int // the entries of the batch
	Taps         unet.ConditioningTaps
	// Full says in which steps the UNet computes everything, where it does not in all of them
	// (unet.FullSteps). In the others it reads no skip but the first.
	Full []bool
	// Conditioning is what the UNet's steps share. It is there when Record is called.
	Conditioning *unet.Conditioning
}

// Of is the branch's entries of a tensor of the whole batch, Act [B, T, C].
func (b *Branch) Of(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	if b.Count == x.Shape[0] {
		return x
	}
	return Entry(p, x, b.First)
}

// Entry copies one entry of a tensor of the whole batch, Act [B, T, C].
func Entry(p *gpu.Program, x *gpu.Tensor, i int) *gpu.Tensor {
	batch, tokens, channels := x.Shape[0], x.Shape[1], x.Shape[2]
	return gpu.SliceTokens(p, x.Reshape(1, batch*tokens, channels), i*tokens, tokens)
}

// Conditional is the conditional entry among the branch's, the last of the batch, or -1
// where the branch has the unconditional entry alone.
func (b *Branch) Conditional(batch int) int {
	if at := batch - 1 - b.First; at < b.Count {
		return at
	}
	return -1
}
