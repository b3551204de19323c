package depth

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// neck is DepthAnythingNeck (models/depth_anything/modeling_depth_anything.py).
type neck struct {
	Reassemble []*reassemble `weight:"reassemble_stage.layers"`
	Convs      []*nn.Conv2d  `weight:"convs"`
	Fusion     []*fusion     `weight:"fusion_stage.layers"` // the first is that of the last map
}

// reassemble is DepthAnythingReassembleLayer. It makes maps of 4, 2, 1 and 1/2 times the size.
type reassemble struct {
	Projection *nn.Conv2d          `weight:"projection"`
	Up         *nn.ConvTranspose2d `weight:"resize"` // or nil
	Down       *nn.Conv2d          `weight:"resize"` // or nil
}

// fusion is DepthAnythingFeatureFusionLayer.
type fusion struct {
	Projection *nn.Conv2d `weight:"projection"`
	Residual1  *residual  `weight:"residual_layer1"` // nil in the first, which has nothing to be added to
	Residual2  *residual  `weight:"residual_layer2"`
}

// residual is DepthAnythingPreActResidualLayer.
type residual struct {
	Conv1 *nn.Conv2d `weight:"convolution1"`
	Conv2 *nn.Conv2d `weight:"convolution2"`
}

// factors are how many times larger the maps become.
var factors = [4]int{4, 2, 1, 0}

func newNeck(c Config) *neck {
	unit := func() *residual {
		return &residual{nn.NewConv2d(c.Fusion, c.Fusion, 3, true), nn.NewConv2d(c.Fusion, c.Fusion, 3, true)}
	}
	n := &neck{}
	for i, channels := range c.Neck {
		r := &reassemble{Projection: nn.NewConv2d(c.HiddenSize, channels, 1, true)}
		switch f := factors[i]; {
		case f > 1:
			r.Up = nn.NewConvTranspose2d(channels, channels, f)
		case f < 1:
			r.Down = nn.NewConv2d(channels, channels, 3, true)
		}
		n.Reassemble = append(n.Reassemble, r)
		n.Convs = append(n.Convs, nn.NewConv2d(channels, c.Fusion, 3, false))
		layer := &fusion{Projection: nn.NewConv2d(c.Fusion, c.Fusion, 1, true), Residual2: unit()}
		if i > 0 {
			layer.Residual1 = unit()
		}
		n.Fusion = append(n.Fusion, layer)
	}
	return n
}

// record fuses the backbone's maps, Act [1, h, w, C], into one, Act [1, 8h, 8w, Fusion].
func (n *neck) record(p *gpu.Program, maps []*gpu.Tensor) (x *gpu.Tensor) {
	for i, r := range n.Reassemble {
		name := fmt.Sprintf("neck.reassemble.%d", i)
		y := r.Projection.Forward(p, maps[i], gpu.Conv2dOptions{Label: name + ".projection"})
		if r.Up != nil {
			y = r.Up.Forward(p, y, gpu.ConvTranspose2dOptions{Label: name + ".resize", Stride: factors[i]})
		}
		if r.Down != nil {
			y = r.Down.Forward(p, y, gpu.Conv2dOptions{Label: name + ".resize", Stride: 2, Padding: 1})
		}
		maps[i] = n.Convs[i].Forward(p, y, gpu.Conv2dOptions{Label: fmt.Sprintf("neck.convs.%d", i), Padding: 1})
	}
	for i, f := range n.Fusion {
		name := fmt.Sprintf("neck.fusion.%d", i)
		seen := maps[len(maps)-1-i]
		if i > 0 {
			seen = gpu.Add(p, x, f.Residual1.forward(p, seen, name+".residual_layer1"), gpu.AddOptions{Label: name})
		}
		x = f.Residual2.forward(p, seen, name+".residual_layer2")
		h, w := 2*x.Shape[1], 2*x.Shape[2]
		if i < len(n.Fusion)-1 {
			next := maps[len(maps)-2-i]
			h, w = next.Shape[1], next.Shape[2]
		}
		x = f.Projection.Forward(p, gpu.Bilinear(p, x, h, w, name+".upsample"), gpu.Conv2dOptions{Label: name + ".projection"})
	}
	return x
}

func (r *residual) forward(p *gpu.Program, x *gpu.Tensor, name string) *gpu.Tensor {
	h := gpu.Activate(p, x, gpu.ReLU, name+".activation1")
	h = r.Conv1.Forward(p, h, gpu.Conv2dOptions{Label: name + ".convolution1", Padding: 1, Activation: gpu.ReLU})
	return r.Conv2.Forward(p, h, gpu.Conv2dOptions{Label: name + ".convolution2", Padding: 1, Residual: x})
}

// head is DepthAnythingDepthEstimationHead of relative depth.
type head struct {
	Conv1 *nn.Conv2d `weight:"conv1"`
	Conv2 *nn.Conv2d `weight:"conv2"`
	Conv3 *nn.Conv2d `weight:"conv3"`
}

func newHead(c Config) *head {
	return &head{nn.NewConv2d(c.Fusion, c.Fusion/2, 3, true), nn.NewConv2d(c.Fusion/2, c.Head, 3, true), nn.NewConv2d(c.Head, 1, 1, true)}
}

// record returns the depth, F32 [1, height, width, 1].
func (h *head) record(p *gpu.Program, x *gpu.Tensor, height, width int) *gpu.Tensor {
	x = h.Conv1.Forward(p, x, gpu.Conv2dOptions{Label: "head.conv1", Padding: 1})
	x = gpu.Bilinear(p, x, height, width, "head.upsample")
	x = h.Conv2.Forward(p, x, gpu.Conv2dOptions{Label: "head.conv2", Padding: 1, Activation: gpu.ReLU})
	return h.Conv3.Forward(p, x, gpu.Conv2dOptions{Label: "head.conv3", Activation: gpu.ReLU, Output: gpu.F32})
}
