package clip

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// encoder is the transformer that both towers share (CLIPEncoder).
type encoder struct {
	Layers []*layer `weight:"layers"`
}

type layer struct {
	LayerNorm1 *nn.LayerNorm `weight:"layer_norm1"`
	SelfAttn   *attention    `weight:"self_attn"`
	LayerNorm2 *nn.LayerNorm `weight:"layer_norm2"`
	MLP        *mlp          `weight:"mlp"`
}

type attention struct {
	QKV *nn.Linear `weight:"q_proj,k_proj,v_proj"`
	Out *nn.Linear `weight:"out_proj"`
}

type mlp struct {
	FC1 *nn.Linear `weight:"fc1"`
	FC2 *nn.Linear `weight:"fc2"`
}

func newEncoder(c Config) *encoder {
	e := &encoder{}
	h := c.HiddenSize
	for range c.Layers {
		e.Layers = append(e.Layers, &layer{
			LayerNorm1: nn.NewLayerNorm(h, c.LayerNormEps),
			SelfAttn:   &attention{QKV: nn.NewFused(h, true, h, h, h), Out: nn.NewLinear(h, h, true)},
			LayerNorm2: nn.NewLayerNorm(h, c.LayerNormEps),
			MLP:        &mlp{FC1: nn.NewLinear(h, c.IntermediateSize, true), FC2: nn.NewLinear(c.IntermediateSize, h, true)},
		})
	}
	return e
}

// forward runs the first n layers over h, Act [B, T, C].
func (e *encoder) forward(p *gpu.Program, h *gpu.Tensor, c Config, causal bool, n int) *gpu.Tensor {
	for i, l := range e.Layers[:n] {
		h = l.forward(p, h, c, causal, fmt.Sprintf("encoder.layers.%d", i))
	}
	return h
}

func (l *layer) forward(p *gpu.Program, h *gpu.Tensor, c Config, causal bool, name string) *gpu.Tensor {
	y := l.LayerNorm1.Forward(p, h, name+".layer_norm1")
	qkv := l.SelfAttn.QKV.Forward(p, y, gpu.LinearOptions{Label: name + ".self_attn.qkv_proj"})
	attend := nn.Attention
	if causal {
		attend = nn.CausalAttention
	}
	y = attend(p, qkv, c.Heads, name+".self_attn")
	h = l.SelfAttn.Out.Forward(p, y, gpu.LinearOptions{Label: name + ".self_attn.out_proj", Residual: h})
	y = l.LayerNorm2.Forward(p, h, name+".layer_norm2")
	y = l.MLP.FC1.Forward(p, y, gpu.LinearOptions{Label: name + ".mlp.fc1", Activation: c.Activation})
	return l.MLP.FC2.Forward(p, y, gpu.LinearOptions{Label: name + ".mlp.fc2", Residual: h})
}
