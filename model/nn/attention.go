package nn

import "github.com/imprompt/imprompt/gpu"

// Attention is softmax(QKᵗ/√d)V of a sequence with itself.
//
//	qkv: Act [.., 3C], queries, keys and values one behind the other
//	returns: Act [.., C]
func Attention(p *gpu.Program, qkv *gpu.Tensor, heads int, label string) *gpu.Tensor {
	return attention(p, qkv, heads, false, label)
}

// CausalAttention is Attention in which a token sees only itself and those before it.
func CausalAttention(p *gpu.Program, qkv *gpu.Tensor, heads int, label string) *gpu.Tensor {
	return attention(p, qkv, heads, true, label)
}

func attention(p *gpu.Program, qkv *gpu.Tensor, heads int, causal bool, label string) *gpu.Tensor {
	c := qkv.Channels() / 3
	return gpu.Attention(p, qkv, qkv, gpu.AttentionOptions{Label: label, Heads: heads, HeadSize: c / heads, Causal: causal, KAt: c, VAt: 2 * c})
}
