package unet

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Token merging (ToMe; Bolya and Hoffman 2023, "Token Merging for Fast Stable Diffusion", arXiv 2303.17604) merges
// similar tokens before a self-attention and gives all of them its result: apply_patch of the package tomesd (0.1.3),
// with its defaults (max_downsample 1, self-attentions only) and use_rand=False. Every block finds the tokens that are
// similar in its own input, and each entry of the batch for itself.

// tokenMerging merges tokens in the self-attentions that read as many as the latents have pixels.
type tokenMerging struct {
	ratio  float64 // of the tokens that are merged
	tokens int     // H · W of the latents
}

// match finds the tokens to merge by a block's input, Act [B, H, W, C]. It returns nil where none are merged.
func (m *tokenMerging) match(p *gpu.Program, x *gpu.Tensor, label string) *gpu.TokenMatching {
	if m == nil || x.Shape[1]*x.Shape[2] != m.tokens {
		return nil
	}
	return gpu.MatchTokens(p, x, m.ratio, label)
}

// merged is the self-attention over merged tokens. x and the residual are as in forward.
func (a *selfAttention) merged(p *gpu.Program, x, residual *gpu.Tensor, m *gpu.TokenMatching) *gpu.Tensor {
	h := m.Merge(p, x, a.name+".merged")
	h = a.ToQKV.Forward(p, h, gpu.LinearOptions{Label: a.name + ".to_qkv"})
	h = nn.Attention(p, h, a.heads, a.name)
	h = a.ToOut.Forward(p, h, gpu.LinearOptions{Label: a.name + ".to_out.0"})
	return m.Unmerge(p, h, residual, a.name+".unmerged")
}
