package depth

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// backbone is transformers' Dinov2Backbone (models/dinov2/modeling_dinov2.py).
type backbone struct {
	Class     *nn.Numbers   `weight:"embeddings.cls_token"`
	Positions *nn.Numbers   `weight:"embeddings.position_embeddings"` // the first is the class token's
	Patch     *nn.Conv2d    `weight:"embeddings.patch_embeddings.projection"`
	Layers    []*layer      `weight:"encoder.layer"`
	Norm      *nn.LayerNorm `weight:"layernorm"`
}

// layer is a Dinov2Layer. transformers 5 has other names for the attention than the published files.
type layer struct {
	Norm1  *nn.LayerNorm  `weight:"norm1"`
	QKV    *nn.Linear     `weight:"attention.attention.query|attention.q_proj,attention.attention.key|attention.k_proj,attention.attention.value|attention.v_proj"`
	Out    *nn.Linear     `weight:"attention.output.dense|attention.o_proj"`
	Scale1 *nn.LayerScale `weight:"layer_scale1"`
	Norm2  *nn.LayerNorm  `weight:"norm2"`
	FC1    *nn.Linear     `weight:"mlp.fc1"`
	FC2    *nn.Linear     `weight:"mlp.fc2"`
	Scale2 *nn.LayerScale `weight:"layer_scale2"`
}

const layerNormEps = 1e-6

func newBackbone(c Config) *backbone {
	n := c.HiddenSize
	b := &backbone{Class: nn.NewNumbers(1, 1, n), Positions: nn.NewNumbers(1, c.Side*c.Side+1, n), Patch: nn.NewConv2d(3, n, c.PatchSize, true), Norm: nn.NewLayerNorm(n, layerNormEps)}
	for range c.Layers {
		b.Layers = append(b.Layers, &layer{
			Norm1: nn.NewLayerNorm(n, layerNormEps), QKV: nn.NewFused(n, true, n, n, n), Out: nn.NewLinear(n, n, true), Scale1: nn.NewLayerScale(n),
			Norm2: nn.NewLayerNorm(n, layerNormEps), FC1: nn.NewLinear(n, c.MLP, true), FC2: nn.NewLinear(c.MLP, n, true), Scale2: nn.NewLayerScale(n),
		})
	}
	return b
}

// record returns what the layers with the numbers OutIndices give, after the norm and without the class token.
//
//	pixels: Act [1, H, W, 3], normalised
//	class: Act [1, 1, C], the class token with its position
//	positions: Act [1, h·w, C], for the patches
//	returns: Act [1, h, w, C] each
func (b *backbone) record(p *gpu.Program, pixels, class, positions *gpu.Tensor, c Config) (maps []*gpu.Tensor) {
	patches := b.Patch.Forward(p, pixels, gpu.Conv2dOptions{Label: "patch_embeddings", Stride: c.PatchSize})
	h, w := patches.Shape[1], patches.Shape[2]
	x := gpu.Add(p, patches.Reshape(1, h*w, c.HiddenSize), positions, gpu.AddOptions{Label: "position_embeddings"})
	x = gpu.ConcatTokens(p, class, x)
	for i, l := range b.Layers {
		x = l.forward(p, x, c.Heads, fmt.Sprintf("encoder.layer.%d", i))
		if slices.Contains(c.OutIndices, i+1) {
			seen := gpu.SliceTokens(p, b.Norm.Forward(p, x, "layernorm"), 1, h*w)
			maps = append(maps, seen.Reshape(1, h, w, c.HiddenSize))
		}
	}
	return maps
}

func (l *layer) forward(p *gpu.Program, x *gpu.Tensor, heads int, name string) *gpu.Tensor {
	h := l.Norm1.Forward(p, x, name+".norm1")
	h = nn.Attention(p, l.QKV.Forward(p, h, gpu.LinearOptions{Label: name + ".qkv"}), heads, name+".attention")
	x = l.Out.Forward(p, h, gpu.LinearOptions{Label: name + ".attention.output", Lambda: l.Scale1.Forward(), Residual: x})
	h = l.Norm2.Forward(p, x, name+".norm2")
	h = l.FC1.Forward(p, h, gpu.LinearOptions{Label: name + ".mlp.fc1", Activation: gpu.GELU})
	return l.FC2.Forward(p, h, gpu.LinearOptions{Label: name + ".mlp.fc2", Lambda: l.Scale2.Forward(), Residual: x})
}
