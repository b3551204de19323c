package model

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
)

// VAE is diffusers' AutoencoderKL: it turns a picture into latents of an eighth of
// its size and back. Source: diffusers/models/autoencoders/autoencoder_kl.py and vae.py.
// Encoder and decoder load apart, since a picture from words needs the decoder only.
type VAE struct {
	Config  VAEConfig
	Encoder *vaeEncoder
	Decoder *vaeDecoder
}

type vaeEncoder struct {
	Body      *vaeEncoderBody `weight:"encoder"`
	QuantConv *Conv2d         `weight:"quant_conv"`
}

type vaeEncoderBody struct {
	ConvIn      *Conv2d      `weight:"conv_in"`
	DownBlocks  []*downBlock `weight:"down_blocks"`
	MidBlock    *vaeMidBlock `weight:"mid_block"`
	ConvNormOut *GroupNorm   `weight:"conv_norm_out"`
	ConvOut     *Conv2d      `weight:"conv_out"`
}

type vaeDecoder struct {
	PostQuantConv *Conv2d         `weight:"post_quant_conv"`
	Body          *vaeDecoderBody `weight:"decoder"`
}

type vaeDecoderBody struct {
	ConvIn      *Conv2d      `weight:"conv_in"`
	MidBlock    *vaeMidBlock `weight:"mid_block"`
	UpBlocks    []*upBlock   `weight:"up_blocks"`
	ConvNormOut *GroupNorm   `weight:"conv_norm_out"`
	ConvOut     *Conv2d      `weight:"conv_out"`
}

type vaeMidBlock struct {
	Resnets    []*resnetBlock  `weight:"resnets"`
	Attentions []*vaeAttention `weight:"attentions"`
}

// vaeAttention is diffusers' Attention with a group norm and a residual, one head.
// Older files name its projections query, key, value and proj_attn.
type vaeAttention struct {
	GroupNorm *GroupNorm `weight:"group_norm"`
	ToQKV     *Linear    `weight:"to_q|query,to_k|key,to_v|value"`
	ToOut     *Linear    `weight:"to_out.0|proj_attn"`
	name      string
}

// The VAE's norms have an eps of their own, and its resnets no time.
const vaeEps = 1e-6

// NewVAE lays the network out; LoadEncoder and LoadDecoder fill it.
func NewVAE(c VAEConfig) *VAE {
	chans := c.BlockOutChannels
	n := len(chans)
	resnet := func(name string, in, out int) *resnetBlock {
		r := newResnetBlock(in, out, 0, c.NormNumGroups, vaeEps, 1)
		r.name = name
		return r
	}
	mid := func(name string) *vaeMidBlock {
		ch := chans[n-1]
		m := &vaeMidBlock{Resnets: []*resnetBlock{resnet(name+".resnets.0", ch, ch), resnet(name+".resnets.1", ch, ch)}}
		if c.MidBlockAttention {
			m.Attentions = []*vaeAttention{{
				GroupNorm: newGroupNorm(c.NormNumGroups, ch, vaeEps),
				ToQKV:     newFused(ch, true, ch, ch, ch), ToOut: newLinear(ch, ch, true),
				name: name + ".attentions.0",
			}}
		}
		return m
	}

	e := &vaeEncoderBody{ConvIn: newConv2d(c.InChannels, chans[0], 3), MidBlock: mid("encoder.mid_block"),
		ConvNormOut: newGroupNorm(c.NormNumGroups, chans[n-1], vaeEps), ConvOut: newConv2d(chans[n-1], 2*c.LatentChannels, 3)}
	in := chans[0]
	for i, out := range chans {
		b := &downBlock{}
		for j := range c.LayersPerBlock {
			b.Resnets = append(b.Resnets, resnet(fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", i, j), in, out))
			in = out
		}
		if i < n-1 {
			b.Downsamplers = []*sampler2D{{Conv: newConv2d(out, out, 3)}}
		}
		e.DownBlocks = append(e.DownBlocks, b)
	}

	d := &vaeDecoderBody{ConvIn: newConv2d(c.LatentChannels, chans[n-1], 3), MidBlock: mid("decoder.mid_block"),
		ConvNormOut: newGroupNorm(c.NormNumGroups, chans[0], vaeEps), ConvOut: newConv2d(chans[0], c.OutChannels, 3)}
	in = chans[n-1]
	for i := range chans {
		out := chans[n-1-i]
		b := &upBlock{}
		for j := range c.LayersPerBlock + 1 {
			b.Resnets = append(b.Resnets, resnet(fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", i, j), in, out))
			in = out
		}
		if i < n-1 {
			b.Upsamplers = []*sampler2D{{Conv: newConv2d(out, out, 3)}}
		}
		d.UpBlocks = append(d.UpBlocks, b)
	}

	v := &VAE{Config: c, Encoder: &vaeEncoder{Body: e}, Decoder: &vaeDecoder{Body: d}}
	if c.QuantConv {
		v.Encoder.QuantConv = newConv2d(2*c.LatentChannels, 2*c.LatentChannels, 1)
	}
	if c.PostQuantConv {
		v.Decoder.PostQuantConv = newConv2d(c.LatentChannels, c.LatentChannels, 1)
	}
	return v
}

// LoadEncoder uploads the encoder's weights.
func (v *VAE) LoadEncoder(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, v.Encoder, c, progress)
}

// LoadDecoder uploads the decoder's weights.
func (v *VAE) LoadDecoder(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, v.Decoder, c, progress)
}

func (e *vaeEncoder) part() networkPart {
	return networkPart{"VAE encoder", e, inPart("decoder", "post_quant_conv")}
}
func (d *vaeDecoder) part() networkPart {
	return networkPart{"VAE decoder", d, inPart("encoder", "quant_conv")}
}

// inPart says which keys belong to the other part, and so are not unexpected.
func inPart(names ...string) func(string) bool {
	return func(key string) bool {
		for _, n := range names {
			if len(key) > len(n) && key[:len(n)+1] == n+"." {
				return true
			}
		}
		return false
	}
}

// ReleaseEncoder frees the encoder's weights.
func (v *VAE) ReleaseEncoder() { unload(v.Encoder) }

// ReleaseDecoder frees the decoder's weights.
func (v *VAE) ReleaseDecoder() { unload(v.Decoder) }

// recordEncode appends the encoder to p.
//
//	pixels: Act [1, H, W, 3] in -1..1
//	returns: F32 [1, H/f, W/f, 8], the mean and the log variance of the posterior
func (v *VAE) recordEncode(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	e := v.Encoder.Body
	h := e.ConvIn.forward(p, pixels, gpu.Conv2dOptions{Label: "encoder.conv_in", Padding: 1})
	for i, b := range e.DownBlocks {
		for _, r := range b.Resnets {
			h = r.forward(p, h, nil, nil)
		}
		for _, s := range b.Downsamplers {
			h = s.down(p, h, fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0.conv", i), 0)
		}
	}
	h = e.MidBlock.forward(p, h)
	h = e.ConvNormOut.forward(p, h, nil, "encoder.conv_norm_out", true)
	o := gpu.Conv2dOptions{Label: "encoder.conv_out", Padding: 1}
	if v.Encoder.QuantConv == nil {
		o.Output = gpu.F32
		return e.ConvOut.forward(p, h, o)
	}
	h = e.ConvOut.forward(p, h, o)
	return v.Encoder.QuantConv.forward(p, h, gpu.Conv2dOptions{Label: "quant_conv", Output: gpu.F32})
}

// recordDecode appends the decoder to p.
//
//	latents: Act [1, h, w, 4], divided by scaling_factor
//	returns: F32 [1, f·h, f·w, 3] about -1..1
func (v *VAE) recordDecode(p *gpu.Program, latents *gpu.Tensor) *gpu.Tensor {
	d := v.Decoder.Body
	h := latents
	if q := v.Decoder.PostQuantConv; q != nil {
		h = q.forward(p, h, gpu.Conv2dOptions{Label: "post_quant_conv"})
	}
	h = d.ConvIn.forward(p, h, gpu.Conv2dOptions{Label: "decoder.conv_in", Padding: 1})
	h = d.MidBlock.forward(p, h)
	for i, b := range d.UpBlocks {
		for _, r := range b.Resnets {
			h = r.forward(p, h, nil, nil)
		}
		for _, s := range b.Upsamplers {
			h = s.up(p, h, fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0.conv", i), 2*h.Shape[1], 2*h.Shape[2])
		}
	}
	h = d.ConvNormOut.forward(p, h, nil, "decoder.conv_norm_out", true)
	return d.ConvOut.forward(p, h, gpu.Conv2dOptions{Label: "decoder.conv_out", Padding: 1, Output: gpu.F32})
}

func (m *vaeMidBlock) forward(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
	h = m.Resnets[0].forward(p, h, nil, nil)
	for _, a := range m.Attentions {
		h = a.forward(p, h)
	}
	return m.Resnets[1].forward(p, h, nil, nil)
}

func (a *vaeAttention) forward(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	h := a.GroupNorm.forward(p, x, nil, a.name+".group_norm", false)
	qkv := a.ToQKV.forward(p, h, gpu.LinearOptions{Label: a.name + ".to_qkv"})
	h = attention(p, qkv, 1, a.name)
	return a.ToOut.forward(p, h, gpu.LinearOptions{Label: a.name + ".to_out.0", Residual: x})
}
