package vae

import (
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// VAE is an autoencoder. Its halves are networks of their own, since a picture that is
// made from words needs the decoder only.
type VAE struct {
	Config    Config
	Encoder   Encoder   // nil for a tiny autoencoder whose file has the decoder alone
	Decoder   Decoder   // nil for one whose file has the encoder alone
	LatentRGB LatentRGB // SD15LatentRGB unless the model's folder has its own
	Tile      int       // the sides of a tile, in latents (diffusers' tile_latent_min_size)
}

// Encoder turns a picture into latents.
type Encoder interface {
	nn.Network
	// Record appends the encoder to p.
	//
	//	pixels: Act [1, H, W, 3], VAE.EncoderInput
	//	returns: F32 [1, H/f, W/f, 8], the mean and the log variance of the posterior or, for a
	//	   tiny autoencoder, [1, H/f, W/f, 4], the latents
	Record(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor
}

// Decoder turns latents into a picture.
type Decoder interface {
	nn.Network
	// Record appends the decoder to p.
	//
	//	latents: Act [1, h, w, 4], VAE.DecoderInput
	//	returns: F32 [1, f·h, f·w, 3], which VAE.Picture brings to about -1..1
	Record(p *gpu.Program, latents *gpu.Tensor) *gpu.Tensor
}

// New lays both halves out.
func New(c Config) *VAE {
	v := &VAE{Config: c, LatentRGB: SD15LatentRGB, Tile: 512 / c.Factor()}
	if !c.Tiny {
		v.Tile = max(4, c.SampleSize/c.Factor()/4*4) // a quarter of it is how far tiles overlap
		v.Encoder, v.Decoder = newEncoder(c), newDecoder(c)
		return v
	}
	if len(c.EncoderBlocks) > 0 {
		v.Encoder = newTinyEncoder(c)
	}
	if len(c.DecoderBlocks) > 0 {
		v.Decoder = newTinyDecoder(c)
	}
	return v
}

// EncoderInput is a picture, in -1..1, as the encoder reads it.
func (v *VAE) EncoderInput(pixels []float32) []float32 {
	if !v.Config.Tiny {
		return pixels
	}
	in := make([]float32, len(pixels))
	for i, x := range pixels {
		in[i] = (x + 1) / 2
	}
	return in
}

// DecoderInput appends what makes the decoder's input of the UNet's latents, F32 [1, h, w, 4].
func (v *VAE) DecoderInput(p *gpu.Program, latents *gpu.Tensor) *gpu.Tensor {
	if v.Config.Tiny {
		return gpu.Limited(p, latents, 1/v.Config.ScalingFactor, tinyLimit)
	}
	return gpu.Cast(p, latents, 1/v.Config.ScalingFactor)
}

// Picture brings the decoder's result to about -1..1, in place.
func (v *VAE) Picture(pixels []float32) []float32 {
	if v.Config.Tiny {
		for i, x := range pixels {
			pixels[i] = 2*x - 1
		}
	}
	return pixels
}

// eps is that of all the VAE's norms.
const eps = 1e-6

func newResnet(c Config, name string, in, out int) *blocks.ResnetBlock2D {
	return blocks.NewResnetBlock2D(name, in, out, 0, c.NormNumGroups, eps, 1)
}

// midBlock is diffusers' UNetMidBlock2D.
type midBlock struct {
	Resnets    []*blocks.ResnetBlock2D `weight:"resnets"`
	Attentions []*attention            `weight:"attentions"`
}

func newMidBlock(c Config, name string) *midBlock {
	ch := c.BlockOutChannels[len(c.BlockOutChannels)-1]
	m := &midBlock{Resnets: []*blocks.ResnetBlock2D{newResnet(c, name+".resnets.0", ch, ch), newResnet(c, name+".resnets.1", ch, ch)}}
	if c.MidBlockAttention {
		m.Attentions = []*attention{newAttention(c, name+".attentions.0", ch)}
	}
	return m
}

func (m *midBlock) forward(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
	h = m.Resnets[0].Forward(p, h, nil, nil)
	for _, a := range m.Attentions {
		h = a.forward(p, h)
	}
	return m.Resnets[1].Forward(p, h, nil, nil)
}

// attention is diffusers' Attention with a group norm, a residual and one head. Older
// files name its projections query, key, value and proj_attn.
type attention struct {
	GroupNorm *nn.GroupNorm `weight:"group_norm"`
	ToQKV     *nn.Linear    `weight:"to_q|query,to_k|key,to_v|value"`
	ToOut     *nn.Linear    `weight:"to_out.0|proj_attn"`
	name      string
}

func newAttention(c Config, name string, ch int) *attention {
	return &attention{
		GroupNorm: nn.NewGroupNorm(c.NormNumGroups, ch, eps),
		ToQKV:     nn.NewFused(ch, true, ch, ch, ch),
		ToOut:     nn.NewLinear(ch, ch, true),
		name:      name,
	}
}

func (a *attention) forward(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	h := a.GroupNorm.Forward(p, x, nil, a.name+".group_norm", false)
	qkv := a.ToQKV.Forward(p, h, gpu.LinearOptions{Label: a.name + ".to_qkv"})
	h = nn.Attention(p, qkv, 1, a.name)
	return a.ToOut.Forward(p, h, gpu.LinearOptions{Label: a.name + ".to_out.0", Residual: x})
}

// hasPrefix reports whether a key begins with one of the names and a dot.
func hasPrefix(key string, names ...string) bool {
	for _, n := range names {
		if strings.HasPrefix(key, n+".") {
			return true
		}
	}
	return false
}
