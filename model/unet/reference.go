package unet

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Reference is another picture that the UNet reads beside the sample, as noisy as the sample is. For every
// entry of the sample the batch has one of the picture, with the same words, behind all those of the sample.
// So the weights are read once for both. The sample takes over what reference_attn and reference_adain
// do in diffusers' examples/community/stable_diffusion_reference.py.
type Reference struct {
	X *gpu.Tensor // Act [1, H, W, in_channels]
	// Attention gives the picture's hidden states to the sample's self-attentions as more keys and values.
	Attention bool
	// AdaIN gives the results of the deeper blocks the mean and the deviation, channel by channel, that the
	// picture's have.
	AdaIN bool
	// Mixed is how many of the first entries go without the picture in part: with the weight Fidelity.
	Mixed    int
	Fidelity float64
}

// AddReference adds a picture. The conditioning was made with ConditioningTaps.AddReference.
func (t *StepTaps) AddReference(r Reference) { t.reference = &r }

// batch is the sample and then the picture, as the UNet reads them.
//
//	x: Act [1 or B, H, W, in_channels], the sample
//	returns: Act [2B, H, W, in_channels]
func (r *Reference) batch(p *gpu.Program, x *gpu.Tensor, c *Conditioning) *gpu.Tensor {
	return gpu.ConcatEntries(p, gpu.Repeat(p, x, c.own), gpu.Repeat(p, r.X, c.batch-c.own))
}

// attend is the self-attention over the block's own states and, for the sample, those of the picture.
//
//	qkv: Act [2B, H, W, 3C]
//	returns: Act [2B, H·W, C]
func (r *Reference) attend(p *gpu.Program, a *selfAttention, qkv *gpu.Tensor) *gpu.Tensor {
	batch, channels := qkv.Shape[0], qkv.Channels()
	all := qkv.Reshape(batch, qkv.Rows()/batch, channels)
	own, picture := all.First(batch/2), gpu.Entries(p, all, batch/2, batch/2)
	c := channels / 3
	with := gpu.Attention(p, own, gpu.ConcatTokens(p, own, picture), gpu.AttentionOptions{Label: a.name, Heads: a.heads, HeadSize: c / a.heads, KAt: c, VAt: 2 * c})
	if r.Mixed > 0 && r.Fidelity > 0 {
		with = gpu.Mix(p, with, nn.Attention(p, own.First(r.Mixed), a.heads, a.name), r.Fidelity, a.name+".mix")
	}
	return gpu.ConcatEntries(p, with, nn.Attention(p, picture, a.heads, a.name+".reference"))
}

// The deeper blocks are those whose weight in diffusers (gn_weight) is at most gn_auto_machine_weight, which is 1.

// adaptsDown says whether AdaIN applies to a down block of n.
func adaptsDown(i, n int) bool { return 2*(1-float64(i)/float64(n)) <= 1 }

// adaptsUp says whether AdaIN applies to an up block of n.
func adaptsUp(i, n int) bool { return 2*float64(i)/float64(n) <= 1 }

// adapt applies AdaIN to the result of a block, Act [2B, H, W, C], where it is asked for. here says whether the
// block is one of the deeper ones.
func (t *StepTaps) adapt(p *gpu.Program, h *gpu.Tensor, here bool, label string) *gpu.Tensor {
	if t.reference == nil || !t.reference.AdaIN || !here {
		return h
	}
	return gpu.AdaIN(p, h, t.reference.Mixed, t.reference.Fidelity, label+".adain")
}
