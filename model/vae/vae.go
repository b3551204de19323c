package vae

import (
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// VAE is the autoencoder. Its halves are networks of their own, since a picture that is
// made from words needs the decoder only.
type VAE struct {
	Config    Config
	Encoder   *Encoder
	Decoder   *Decoder
	LatentRGB LatentRGB // SD15LatentRGB unless the model's folder has its own
}

// New lays both halves out.
func New(c Config) *VAE {
	return &VAE{Config: c, Encoder: newEncoder(c), Decoder: newDecoder(c), LatentRGB: SD15LatentRGB}
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
