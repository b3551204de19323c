package unicontrolnet

import (
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// GlobalTokens is how many tokens a picture becomes.
const GlobalTokens = 4

// GlobalAdapter is the network, GlobalAdapter in Uni-ControlNet's models/global_adapter.py. Its fields carry the checkpoint's
// names.
type GlobalAdapter struct {
	Norm1 *nn.LayerNorm `weight:"norm1"`
	FF1   *feedForward  `weight:"ff1"`
	Norm2 *nn.LayerNorm `weight:"norm2"`
	FF2   *feedForward  `weight:"ff2"`

	dim int // of the embedding and of a token
}

// feedForward is FeedForward of ldm/modules/attention.py, with a GEGLU.
type feedForward struct {
	Proj *nn.Linear `weight:"net.0.proj"`
	Out  *nn.Linear `weight:"net.2"`
}

// NewGlobal lays the network out as its checkpoint's shapes say, for a UNet that it is to steer.
func NewGlobal(c nn.Checkpoint, u *unet.UNet) (*GlobalAdapter, error) {
	shape := func(name string) []int { _, s, _ := c.Info(name); return s }
	norm, first, second := shape("norm1.weight"), shape("ff1.net.2.weight"), shape("ff2.net.2.weight")
	if len(norm) != 1 || len(first) != 2 || len(second) != 2 {
		return nil, errors.New("the file has no global_adapter of the published form: choose Uni-ControlNet's uni.ckpt")
	}
	dim, middle := norm[0], first[0]
	if dim != u.Config.CrossAttentionDim || second[0] != GlobalTokens*dim {
		return nil, fmt.Errorf("the global adapter makes %d numbers of an embedding of %d, and this model reads words of %d: it belongs to another base model", second[0], dim, u.Config.CrossAttentionDim)
	}
	feed := func(in, inner, out int) *feedForward {
		return &feedForward{nn.NewGEGLU(in, inner), nn.NewLinear(inner, out, true)}
	}
	return &GlobalAdapter{dim: dim,
		Norm1: nn.NewLayerNorm(dim, 1e-5), FF1: feed(dim, first[1], middle),
		Norm2: nn.NewLayerNorm(middle, 1e-5), FF2: feed(middle, second[1], second[0])}, nil
}

// Name implements nn.Network.
func (a *GlobalAdapter) Name() string { return "global adapter" }

// Record appends the network to p.
//
//	x: Act [1, n, dim], embeddings of n pictures
//	returns: F32 [1, n, 4·dim], the tokens of each
func (a *GlobalAdapter) Record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	h := a.FF1.forward(p, a.Norm1.Forward(p, x, "norm1"), "ff1", gpu.Act)
	return a.FF2.forward(p, a.Norm2.Forward(p, h, "norm2"), "ff2", gpu.F32)
}

func (f *feedForward) forward(p *gpu.Program, x *gpu.Tensor, name string, output gpu.DType) *gpu.Tensor {
	x = f.Proj.Forward(p, x, gpu.LinearOptions{Label: name + ".net.0", Activation: gpu.GEGLU})
	return f.Out.Forward(p, x, gpu.LinearOptions{Label: name + ".net.2", Output: output})
}
