package unet

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// The UNet's taps are the places at which guides steer it. There are two kinds:
// ConditioningTaps are what all steps of a picture share, and StepTaps are recorded into
// every step. Where several guides use one tap, it takes what each of them adds. A UNet
// whose taps are empty records the same dispatches as one without taps.
//
// Transformer blocks are numbered as CrossAttentions lists them.

// ConditioningTaps are read by NewConditioning, once before the steps. The zero value adds
// nothing.
type ConditioningTaps struct {
	words     map[int][]behindWords
	decoupled []Decoupled
	time      []float32
	reference bool
}

// AddWords puts tokens behind the words that the cross-attention of one transformer block
// reads. Words and tokens share its keys and values and one softmax.
//
//	tokens: Act [B, T, cross_attention_dim]
//	active: by step, whether they are there; nil means in all steps
func (t *ConditioningTaps) AddWords(block int, tokens *gpu.Tensor, active []bool) {
	t.words = with(t.words, block, behindWords{tokens, active})
}

// behindWords holds AddWords' arguments.
type behindWords struct {
	tokens *gpu.Tensor
	active []bool
}

// Decoupled are keys and values for every cross-attention that have a softmax of their own,
// whose result is added times λ (decoupled cross-attention, arXiv 2308.06721, section 3.2.2).
type Decoupled struct {
	KV     []*gpu.Tensor            // by transformer block: Act [B, T, 2C], the keys, then the values
	Lambda [][]float32              // λ by step and transformer block
	Mask   func(h, w int) []float32 // the weight of every query of an attention over h × w places; nil for 1 everywhere
}

// AddDecoupled adds keys and values with a softmax of their own to all cross-attentions.
func (t *ConditioningTaps) AddDecoupled(d Decoupled) { t.decoupled = append(t.decoupled, d) }

// AddTime adds a vector, of time_embedding_dim numbers, to the time embedding of all steps
// before its SiLU. It is where diffusers adds class embeddings and the embeddings of
// addition_embed_type. All entries of the batch share it; guides.Separate
// is for guides whose vector differs between them.
func (t *ConditioningTaps) AddTime(v []float32) {
	if t.time == nil {
		t.time = make([]float32, len(v))
	}
	for i, x := range v {
		t.time[i] += x
	}
}

// AddReference doubles the batch, for the picture that StepTaps.AddReference then has to add in every step.
func (t *ConditioningTaps) AddReference() { t.reference = true }

// StepTaps are read by UNet.Record. The zero value adds nothing.
type StepTaps struct {
	skips  map[int][]Tap
	blocks map[int][]Tap
	mid    []Tap
	self   map[int][]*gpu.Tensor
	read   []func(block int, x *gpu.Tensor)

	reference *Reference
}

// Tap records what a guide makes of activations, and returns the result, of the same shape. A
// guide whose last layer can add its residual itself gives a Tap; others give a Residual.
type Tap func(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor

// When returns the tap for some of the steps: it hands on what it gets in the others. nil means all steps.
func (t Tap) When(active []bool) Tap {
	if active == nil {
		return t
	}
	return func(p *gpu.Program, x *gpu.Tensor) (y *gpu.Tensor) {
		p.When(active, func() { y = t(p, x) })
		p.When(gpu.Not(active), func() { gpu.CopyRows(p, x, y, 0, 0, x.Rows()) })
		return y
	}
}

// Residual is added to activations, times λ.
type Residual struct {
	X        *gpu.Tensor // Act, of the shape that it is added to, or of one pixel for all of them, or of batch 1 for all entries of the batch
	Lambda   *gpu.Tensor // F32 [steps, n], such as guides.Lambda.Tensor makes; nil for 1
	LambdaAt int         // the column of Lambda
	Mask     *gpu.Tensor // F32 [1, H·W], the weight of every pixel; nil for 1 everywhere
	First    int         // the first entry of the batch that X is added to
}

// Tap adds the residual. The label names the place.
func (r Residual) Tap(label string) Tap {
	return func(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
		return gpu.Add(p, x, r.X, gpu.AddOptions{Label: label, Lambda: r.Lambda, LambdaAt: r.LambdaAt, Mask: r.Mask, First: r.First})
	}
}

// AddSkip adds a residual to what the up blocks read of the down path: i is 0 for conv_in's
// result, and goes on with the result of every resnet (with its attention) and downsampler.
// The down path itself is not changed. These are diffusers' down_block_additional_residuals,
// which a ControlNet computes.
func (t *StepTaps) AddSkip(i int, r Residual) { t.TapSkip(i, r.Tap(fmt.Sprintf("skips.%d.tap", i))) }

// TapSkip applies a Tap at the place of AddSkip.
func (t *StepTaps) TapSkip(i int, tap Tap) { t.skips = with(t.skips, i, tap) }

// AddMid adds a residual to the mid block's result: diffusers' mid_block_additional_residual.
func (t *StepTaps) AddMid(r Residual) { t.TapMid(r.Tap("mid_block.tap")) }

// TapMid applies a Tap at the place of AddMid.
func (t *StepTaps) TapMid(tap Tap) { t.mid = append(t.mid, tap) }

// AddDown adds a residual inside a down block, so that the rest of the down path reads it,
// too: before the downsampler of a block with cross-attentions, and after that of a block
// without. These are diffusers' down_intrablock_additional_residuals, a T2I-Adapter's features.
func (t *StepTaps) AddDown(block int, r Residual) {
	t.blocks = with(t.blocks, block, r.Tap(fmt.Sprintf("down_blocks.%d.tap", block)))
}

// AddSelf gives more tokens to the self-attention (attn1) of one transformer block: keys and
// values are made from the block's own hidden states and, behind them, from these.
//
//	x: Act [B, T, C] or [B, H, W, C], hidden states after the block's norm1
func (t *StepTaps) AddSelf(block int, x *gpu.Tensor) { t.self = with(t.self, block, x) }

// ReadSelf has read called, while the UNet is recorded, with the hidden states that every
// self-attention (attn1) reads: Act [B, H, W, C], after norm1, valid within the program.
func (t *StepTaps) ReadSelf(read func(block int, x *gpu.Tensor)) { t.read = append(t.read, read) }

func with[T any](m map[int][]T, i int, v T) map[int][]T {
	if m == nil {
		m = map[int][]T{}
	}
	m[i] = append(slices.Clip(m[i]), v)
	return m
}

// apply records taps, one after the other, of the sample's entries of the batch.
func (c *Conditioning) apply(p *gpu.Program, x *gpu.Tensor, list []Tap) *gpu.Tensor {
	if len(list) == 0 {
		return x
	}
	x = gpu.Repeat(p, x, c.batch)
	y := x.First(c.own)
	for _, tap := range list {
		y = tap(p, y)
	}
	if c.own < c.batch {
		y = gpu.ConcatEntries(p, y, gpu.Entries(p, x, c.own, c.batch-c.own))
	}
	return y
}
