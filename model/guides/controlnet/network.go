package controlnet

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// ControlNet is the network, diffusers' ControlNetModel (models/controlnets/controlnet.py).
// Its fields carry the checkpoint's names.
type ControlNet struct {
	unet.Encoder

	CondEmbedding *condEmbedding `weight:"controlnet_cond_embedding"` // nil in a local adapter
	Features      *features      `weight:"feature_extractor"`         // of Uni-ControlNet's local adapter; nil in others
	SkipConvs     []*nn.Conv2d   `weight:"controlnet_down_blocks"`    // 1 × 1; one for each skip
	MidConv       *nn.Conv2d     `weight:"controlnet_mid_block"`      // 1 × 1

	config Config
}

// New lays the network out, for a UNet that it is to steer.
func New(c Config, u *unet.UNet) (*ControlNet, error) {
	n := &ControlNet{Encoder: *unet.NewEncoder(c.Encoder), config: c}
	if c.Features == nil {
		n.CondEmbedding = newCondEmbedding(c)
	} else if err := n.localAdapter(); err != nil {
		return nil, err
	}
	if theirs, ours := n.SkipChannels(), u.SkipChannels(); !slices.Equal(theirs, ours) || c.Encoder.CrossAttentionDim != u.Config.CrossAttentionDim {
		return nil, fmt.Errorf("the ControlNet has blocks of %v channels and reads words of %d numbers, and this model has %v and %d: it belongs to another base model (choose one for Stable Diffusion 1.5, whose name has sd15)",
			c.Encoder.BlockOutChannels, c.Encoder.CrossAttentionDim, u.Config.BlockOutChannels, u.Config.CrossAttentionDim)
	}
	if c.Encoder.InChannels != 4 && c.Encoder.InChannels != u.Config.InChannels {
		return nil, fmt.Errorf("the ControlNet reads latents of %d channels, and this model has %d", c.Encoder.InChannels, u.Config.InChannels)
	}
	for _, channels := range n.SkipChannels() {
		n.SkipConvs = append(n.SkipConvs, nn.NewConv2d(channels, channels, 1, true))
	}
	last := c.Encoder.BlockOutChannels[len(c.Encoder.BlockOutChannels)-1]
	n.MidConv = nn.NewConv2d(last, last, 1, true)
	return n, nil
}

// localAdapter makes the network Uni-ControlNet's LocalAdapter: the maps enter by FDN in the first resnet of
// every down block.
func (n *ControlNet) localAdapter() error {
	c := n.config
	if len(c.Features) != len(n.DownBlocks) {
		return fmt.Errorf("the local adapter has features for %d down blocks, and this model has %d: it belongs to another base model", len(c.Features), len(n.DownBlocks))
	}
	n.Features = newFeatures(c.ConditioningChannels, c.Features)
	in := c.Encoder.BlockOutChannels[0]
	for i, b := range n.DownBlocks {
		out := c.Encoder.BlockOutChannels[i]
		b.Resnets[0].Denormalise(in, out, c.Features[i], c.Encoder.NormNumGroups)
		in = out
	}
	return nil
}

// Name implements nn.Network.
func (n *ControlNet) Name() string {
	if n.Features != nil {
		return "Uni-ControlNet"
	}
	return "ControlNet"
}

// factor is how much larger a map is than the latents.
func (n *ControlNet) factor() int {
	if n.Features != nil {
		return 8
	}
	return 1 << (len(n.config.EmbeddingChannels) - 1)
}

// Channels is how many channels the map has.
func (n *ControlNet) Channels() int { return n.config.ConditioningChannels }

// GlobalPool says whether the residuals are averaged over the picture.
func (n *ControlNet) GlobalPool() bool { return n.config.GlobalPool }

// Residuals is how many residuals the network gives: one for each skip, and the mid block's.
func (n *ControlNet) Residuals() int { return len(n.SkipConvs) + 1 }

// conv is the convolution of a residual, the last of which is the mid block's.
func (n *ControlNet) conv(i int) (layer *nn.Conv2d, label string) {
	if i < len(n.SkipConvs) {
		return n.SkipConvs[i], fmt.Sprintf("controlnet_down_blocks.%d", i)
	}
	return n.MidConv, "controlnet_mid_block"
}

// RecordStates records the encoder: what the convolutions of the residuals read.
//
//	x: Act [1, h, w, in_channels], the noisy latents, which all entries of the batch share
//	hint: Act [1, h, w, C], the map's embedding
//	returns: Act, one for each residual
func (n *ControlNet) RecordStates(p *gpu.Program, x, hint *gpu.Tensor, c *unet.Conditioning) []*gpu.Tensor {
	skips, mid := n.Encoder.Record(p, x, hint, c)
	return append(skips, mid)
}

// RecordResiduals records the whole network: RecordStates and the convolutions. A guide
// records the convolutions itself, where their results are added.
func (n *ControlNet) RecordResiduals(p *gpu.Program, x, hint *gpu.Tensor, c *unet.Conditioning) []*gpu.Tensor {
	list := n.RecordStates(p, x, hint, c)
	for i, h := range list {
		layer, label := n.conv(i)
		list[i] = layer.Forward(p, h, gpu.Conv2dOptions{Label: label})
	}
	return list
}

// condEmbedding is diffusers' ControlNetConditioningEmbedding: a map becomes an embedding of
// the latents' size.
type condEmbedding struct {
	ConvIn  *nn.Conv2d   `weight:"conv_in"`
	Blocks  []*nn.Conv2d `weight:"blocks"` // every second one halves the size
	ConvOut *nn.Conv2d   `weight:"conv_out"`
}

func newCondEmbedding(c Config) *condEmbedding {
	channels := c.EmbeddingChannels
	e := &condEmbedding{ConvIn: nn.NewConv2d(c.ConditioningChannels, channels[0], 3, true)}
	for i := range channels[1:] {
		e.Blocks = append(e.Blocks, nn.NewConv2d(channels[i], channels[i], 3, true), nn.NewConv2d(channels[i], channels[i+1], 3, true))
	}
	e.ConvOut = nn.NewConv2d(channels[len(channels)-1], c.Encoder.BlockOutChannels[0], 3, true)
	return e
}

// RecordHint appends the map's embedding to p.
//
//	x: Act [B, H, W, conditioning_channels], in 0..1
//	returns: Act [B, h, w, block_out_channels[0]]
func (n *ControlNet) RecordHint(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	e := n.CondEmbedding
	const name = "controlnet_cond_embedding."
	h := e.ConvIn.Forward(p, x, gpu.Conv2dOptions{Label: name + "conv_in", Padding: 1, Activation: gpu.SiLU})
	for i, b := range e.Blocks {
		h = b.Forward(p, h, gpu.Conv2dOptions{Label: fmt.Sprintf("%sblocks.%d", name, i), Padding: 1, Stride: 1 + i%2, Activation: gpu.SiLU})
	}
	return e.ConvOut.Forward(p, h, gpu.Conv2dOptions{Label: name + "conv_out", Padding: 1})
}
