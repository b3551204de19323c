package ipadapter

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Adapter is the network, in h94's published key names: a projection of the image encoder's
// output to tokens, and K' and V' for every cross-attention of the UNet.
type Adapter struct {
	Global *imageProjection `weight:"image_proj"` // all but one of the three are nil
	Plus   *resampler       `weight:"image_proj"`
	Full   *fullProjection  `weight:"image_proj"`
	Layers []*attnProcessor `weight:"ip_adapter"` // the published numbers are odd: 1, 3, 5 …; nil for a simple adapter

	dim int // cross_attention_dim
}

// attnProcessor is what an adapter adds to a cross-attention.
type attnProcessor struct {
	ToKV *nn.Linear `weight:"to_k_ip,to_v_ip"`
}

// New tells an adapter's form from its keys and lays it out for a UNet.
func New(c nn.Checkpoint, u *unet.UNet) (*Adapter, error) {
	a := &Adapter{dim: u.Config.CrossAttentionDim}
	shape := func(key string) []int { _, s, _ := c.Info(key); return s }
	proj, norm, latents := shape("image_proj.proj.weight"), shape("image_proj.norm.weight"), shape("image_proj.latents")
	switch {
	case len(proj) == 2 && len(norm) == 1:
		if norm[0] != a.dim || proj[0]%a.dim != 0 {
			return nil, fmt.Errorf("the adapter's tokens have %d numbers and the UNet's cross-attention takes %d: the adapter belongs to another base model (SD 1.5 takes 768)", norm[0], a.dim)
		}
		a.Global = newImageProjection(proj[1], proj[0]/a.dim, a.dim)
	case len(latents) == 3:
		r, err := newResampler(shape, latents, a.dim)
		if err != nil {
			return nil, err
		}
		a.Plus = r
	case len(shape("image_proj.proj.3.weight")) == 1 && len(shape("image_proj.proj.0.weight")) == 2:
		first, last := shape("image_proj.proj.0.weight"), shape("image_proj.proj.3.weight")
		if last[0] != a.dim {
			return nil, fmt.Errorf("the adapter's tokens have %d numbers and the UNet's cross-attention takes %d. The adapter belongs to another base model (SD 1.5 takes 768)", last[0], a.dim)
		}
		a.Full = newFullProjection(first[1], first[0], a.dim)
	default:
		return nil, fmt.Errorf("this is not an IP-Adapter of a supported form: it has neither image_proj.proj.weight nor image_proj.latents nor image_proj.proj.3.weight (global, Plus and full-face adapters have)")
	}
	if hasOnlyProjection(c) {
		return a, nil
	}
	for _, x := range u.CrossAttentions() {
		a.Layers = append(a.Layers, nil, &attnProcessor{ToKV: nn.NewFused(a.dim, false, x.Channels, x.Channels)})
	}
	return a, nil
}

func hasOnlyProjection(c nn.Checkpoint) bool {
	for _, name := range c.Names() {
		if !strings.HasPrefix(name, "image_proj.") {
			return false
		}
	}
	return true
}

// Name implements nn.Network.
func (a *Adapter) Name() string { return "IP-Adapter" }

// Simple reports whether the adapter is a simple one: its file, which model/train/adapter.py
// --adapter simple writes, has the projection alone.
func (a *Adapter) Simple() bool { return a.Layers == nil }

// checkEncoder refuses an image encoder that the adapter was not trained beside, which is
// the commonest mistake: there are several of about the same name.
func (a *Adapter) checkEncoder(c clip.Config) error {
	gives := c.ProjectionDim
	if a.readsPatches() {
		gives = c.HiddenSize
	}
	return a.checkSize("this image encoder gives", gives)
}

// The image encoders of the published adapters, by the size of their embedding and by that of their
// hidden states.
var (
	encodersByEmbedding = map[int]string{1024: "CLIP ViT-H/14", 1280: "CLIP ViT-bigG/14", 768: "CLIP ViT-L/14"}
	encodersByStates    = map[int]string{1280: "CLIP ViT-H/14", 1664: "CLIP ViT-bigG/14", 1024: "CLIP ViT-L/14"}
)

// encoder is the image encoder that gives vectors of a size, of the kind that the adapter reads; ""
// for an unknown one.
func (a *Adapter) encoder(size int) string {
	if a.readsPatches() {
		return encodersByStates[size]
	}
	return encodersByEmbedding[size]
}

// checkSize refuses vectors of another size than the adapter reads. giver is what has them.
func (a *Adapter) checkSize(giver string, gives int) error {
	reads := a.reads()
	if reads == gives {
		return nil
	}
	remedy := "choose the image encoder that was published with the adapter"
	if name := a.encoder(reads); name != "" {
		remedy = "choose " + name
		if name == "CLIP ViT-H/14" {
			remedy += ", which is in models/image_encoder of h94/IP-Adapter"
		}
	}
	is := ""
	if name := a.encoder(gives); name != "" {
		is = ", as " + name + " does"
	}
	return fmt.Errorf("this adapter reads %d numbers and %s %d%s: %s", reads, giver, gives, is, remedy)
}

// readsPatches reports whether the adapter reads the image encoder's hidden states, one for each
// patch, and not its one embedding.
func (a *Adapter) readsPatches() bool { return a.Global == nil }

// reads is the size of the vectors that the adapter reads.
func (a *Adapter) reads() int {
	switch {
	case a.Full != nil:
		return a.Full.in
	case a.Plus != nil:
		return a.Plus.in
	}
	return a.Global.in
}

// NumTokens is how many tokens a picture becomes. patches is how many hidden states the image
// encoder gives, the class token's included.
func (a *Adapter) NumTokens(patches int) int {
	switch {
	case a.Full != nil:
		return patches
	case a.Plus != nil:
		return a.Plus.tokens
	}
	return a.Global.tokens
}

// RecordTokens appends the projection to p.
//
//	x: the image encoder's output: Act [B, 1, projection_dim], image_embeds, for a global
//	   or simple adapter, or Act [B, T, hidden_size], hidden_states[-2], for Plus and full
//	returns: Act [B, NumTokens, cross_attention_dim]
func (a *Adapter) RecordTokens(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	switch {
	case a.Plus != nil:
		return a.Plus.record(p, x)
	case a.Full != nil:
		return a.Full.record(p, x)
	}
	return a.Global.record(p, x)
}

// KV computes K' and V' of every cross-attention, Act [B, T, 2C], the keys and then the
// values, in persistent tensors that the caller releases.
//
//	tokens: Act [B, T, cross_attention_dim]
func (a *Adapter) KV(ctx context.Context, d *gpu.Device, tokens *gpu.Tensor) ([]*gpu.Tensor, error) {
	return nn.OnceAll(ctx, d, "image keys and values", func(p *gpu.Program) (list []*gpu.Tensor) {
		for i, l := range a.Layers {
			if l != nil {
				list = append(list, l.ToKV.Forward(p, tokens, gpu.LinearOptions{Label: fmt.Sprintf("ip_adapter.%d.to_kv_ip", i)}))
			}
		}
		return list
	})
}
