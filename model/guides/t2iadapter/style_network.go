package t2iadapter

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// StyleConfig holds the arguments of StyleAdapter's constructor. A published file has no config.json.
type StyleConfig struct {
	Width  int // width, of the image encoder's hidden states
	Dim    int // context_dim, of the tokens: the UNet's cross_attention_dim
	Tokens int // num_token
	Layers int // n_layes
	Heads  int // num_head
}

// StyleAdapter is the network, StyleAdapter in ldm/modules/encoders/adapter.py of TencentARC's T2I-Adapter
// (branch SD). Its fields carry the checkpoint's names.
type StyleAdapter struct {
	Embedding *nn.Parameter `weight:"style_embedding"`
	LnPre     *nn.LayerNorm `weight:"ln_pre"`
	Layers    []*styleLayer `weight:"transformer_layes"` // spelled as in the published keys
	LnPost    *nn.LayerNorm `weight:"ln_post"`
	Proj      *nn.Linear    `weight:"proj"` // a bare parameter, [Width, Dim]

	config StyleConfig
}

// styleLayer is ResidualAttentionBlock: a layer of CLIP with torch's names.
type styleLayer struct {
	Ln1   *nn.LayerNorm `weight:"ln_1"`
	ToQKV *nn.Linear    `weight:"attn.in_proj_"`
	Out   *nn.Linear    `weight:"attn.out_proj"`
	Ln2   *nn.LayerNorm `weight:"ln_2"`
	FC    *nn.Linear    `weight:"mlp.c_fc"`
	Proj  *nn.Linear    `weight:"mlp.c_proj"`
}

// IsStyle says whether a T2I-Adapter's checkpoint is a style adapter.
func IsStyle(c nn.Checkpoint) bool {
	_, _, ok := c.Info("style_embedding")
	return ok
}

// StyleConfigOf infers the configuration from the shapes of a file's tensors. They do not show the number of
// heads, which is 8, as in all published files.
func StyleConfigOf(c nn.Checkpoint) (StyleConfig, error) {
	shape := func(name string) []int { _, s, _ := c.Info(name); return s }
	embedding, proj := shape("style_embedding"), shape("proj")
	if len(embedding) != 3 || len(proj) != 2 {
		return StyleConfig{}, fmt.Errorf("the style adapter's file has style_embedding %v and proj %v; [1, tokens, width] and [width, dim] are supported", embedding, proj)
	}
	s := StyleConfig{Width: embedding[2], Dim: proj[1], Tokens: embedding[1], Heads: 8}
	for shape(fmt.Sprintf("transformer_layes.%d.ln_1.weight", s.Layers)) != nil {
		s.Layers++
	}
	return s, nil
}

// NewStyle lays the network out, for a UNet that it is to steer.
func NewStyle(c StyleConfig, u *unet.UNet) (*StyleAdapter, error) {
	if dim := u.Config.CrossAttentionDim; c.Dim != dim {
		return nil, fmt.Errorf("the style adapter's tokens have %d numbers, and this model's words have %d: it belongs to another base model (choose one whose name has sd14 or sd15)", c.Dim, dim)
	}
	if c.Heads < 1 || c.Width%(4*c.Heads) != 0 {
		return nil, fmt.Errorf("the style adapter has %d channels over %d heads; heads of a multiple of 4 numbers are supported", c.Width, c.Heads)
	}
	w := c.Width
	a := &StyleAdapter{Embedding: nn.NewParameter(c.Tokens, w), LnPre: nn.NewLayerNorm(w, 1e-5), LnPost: nn.NewLayerNorm(w, 1e-5), Proj: nn.NewColumns(w, c.Dim), config: c}
	for range c.Layers {
		a.Layers = append(a.Layers, &styleLayer{
			Ln1: nn.NewLayerNorm(w, 1e-5), ToQKV: nn.NewLinear(w, 3*w, true), Out: nn.NewLinear(w, w, true),
			Ln2: nn.NewLayerNorm(w, 1e-5), FC: nn.NewLinear(w, 4*w, true), Proj: nn.NewLinear(4*w, w, true)})
	}
	return a, nil
}

// Name implements nn.Network.
func (a *StyleAdapter) Name() string { return "style adapter" }

// Record appends the network to p.
//
//	x: Act [1, T, Width], the image encoder's last_hidden_state with the class token
//	returns: F32 [1, Tokens, Dim]
func (a *StyleAdapter) Record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	patches := x.Shape[1]
	h := gpu.ConcatTokens(p, x, a.Embedding.Forward())
	h = a.LnPre.Forward(p, h, "ln_pre")
	for i, l := range a.Layers {
		h = l.forward(p, h, a.config.Heads, fmt.Sprintf("transformer_layes.%d", i))
	}
	h = a.LnPost.Forward(p, gpu.SliceTokens(p, h, patches, a.config.Tokens), "ln_post")
	return a.Proj.Forward(p, h, gpu.LinearOptions{Label: "proj", Output: gpu.F32})
}

func (l *styleLayer) forward(p *gpu.Program, h *gpu.Tensor, heads int, name string) *gpu.Tensor {
	qkv := l.ToQKV.Forward(p, l.Ln1.Forward(p, h, name+".ln_1"), gpu.LinearOptions{Label: name + ".attn.in_proj"})
	y := nn.Attention(p, qkv, heads, name+".attn")
	h = l.Out.Forward(p, y, gpu.LinearOptions{Label: name + ".attn.out_proj", Residual: h})
	y = l.FC.Forward(p, l.Ln2.Forward(p, h, name+".ln_2"), gpu.LinearOptions{Label: name + ".mlp.c_fc", Activation: gpu.QuickGELU})
	return l.Proj.Forward(p, y, gpu.LinearOptions{Label: name + ".mlp.c_proj", Residual: h})
}
