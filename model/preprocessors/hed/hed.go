package hed

import (
	"context"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/preprocessors"
)

// HED is controlnet_aux's ControlNetHED_Apache2 (hed/__init__.py). Its fields carry the checkpoint's names.
type HED struct {
	Norm   *nn.Numbers `weight:"norm"` // is subtracted from the picture, in 0..255
	Block1 *block      `weight:"block1"`
	Block2 *block      `weight:"block2"`
	Block3 *block      `weight:"block3"`
	Block4 *block      `weight:"block4"`
	Block5 *block      `weight:"block5"`
}

// block is a DoubleConvBlock.
type block struct {
	Convs      []*nn.Conv2d `weight:"convs"`
	Projection *nn.Conv2d   `weight:"projection"` // 1 × 1, to the edges of the block's scale
}

// convs is how many convolutions each block has.
var convs = [5]int{2, 2, 3, 3, 3}

// New lays the network out, for blocks of so many channels. The published one has 64, 128, 256, 512 and 512.
func New(channels [5]int) *HED {
	h := &HED{Norm: nn.NewNumbers(1, 3, 1, 1)}
	in := 3
	for i, to := range []**block{&h.Block1, &h.Block2, &h.Block3, &h.Block4, &h.Block5} {
		b := &block{Projection: nn.NewConv2d(channels[i], 1, 1, true)}
		for range convs[i] {
			b.Convs = append(b.Convs, nn.NewConv2d(in, channels[i], 3, true))
			in = channels[i]
		}
		*to = b
	}
	return h
}

// Open lays out the network that a checkpoint has.
func Open(c nn.Checkpoint) (preprocessors.Network, error) {
	var channels [5]int
	for i := range channels {
		name := fmt.Sprintf("block%d.convs.0.weight", i+1)
		_, shape, ok := c.Info(name)
		if !ok || len(shape) != 4 {
			return nil, fmt.Errorf("%s is missing, or is no convolution", name)
		}
		channels[i] = shape[0]
	}
	return New(channels), nil
}

// Name implements nn.Network.
func (h *HED) Name() string { return "edge detector HED" }

// Record appends the network to p.
//
//	x: Act [1, H, W, 3], the picture in 0..255 less Norm
//	returns: F32 [1, h, w, 1] for each block, of which each has half the size of the one before, rounded down: logits of edges
func (h *HED) Record(p *gpu.Program, x *gpu.Tensor) (edges []*gpu.Tensor) {
	for i, b := range []*block{h.Block1, h.Block2, h.Block3, h.Block4, h.Block5} {
		name := fmt.Sprintf("block%d", i+1)
		if i > 0 {
			x = gpu.MaxPool(p, x, 2, name+".down")
		}
		for k, conv := range b.Convs {
			x = conv.Forward(p, x, gpu.Conv2dOptions{Label: fmt.Sprintf("%s.convs.%d", name, k), Padding: 1, Activation: gpu.ReLU})
		}
		p.Watch(x)
		edges = append(edges, b.Projection.Forward(p, x, gpu.Conv2dOptions{Label: name + ".projection", Output: gpu.F32}))
	}
	return edges
}

// Edges returns how likely an edge is at each pixel of a picture, from 0 to 1.
func (h *HED) Edges(ctx context.Context, d *gpu.Device, m *imageproc.Image) ([]float64, error) {
	x := d.NewTensor("picture", gpu.Act, 1, m.Height, m.Width, 3)
	defer x.Release()
	values := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		values[i] = float32(v) - h.Norm.Values[i%3]
	}
	x.SetFloat32(values)
	scales, err := preprocessors.Run(ctx, d, h, func(p *gpu.Program) []*gpu.Tensor { return h.Record(p, x) })
	if err != nil {
		return nil, err
	}
	sum := make([]float32, m.Width*m.Height)
	for i, logits := range scales {
		for k, v := range maps.Enlarge(logits, m.Width>>i, m.Height>>i, m.Width, m.Height) {
			sum[k] += v
		}
	}
	edges := make([]float64, len(sum))
	for i, v := range sum {
		edges[i] = 1 / (1 + math.Exp(-float64(v/float32(len(scales)))))
	}
	return edges, nil
}

// Map implements preprocessors.Network as HEDdetector does. options are safe and scribble.
func (h *HED) Map(ctx context.Context, d *gpu.Device, m *imageproc.Image, options []float64) (*imageproc.Image, error) {
	padded := preprocessors.Pad(m)
	edges, err := h.Edges(ctx, d, padded)
	if err != nil {
		return nil, err
	}
	if options[0] != 0 {
		safeStep(edges)
	}
	out := preprocessors.Grey(edges, padded.Width, m)
	if options[1] != 0 {
		out = maps.Scribble(maps.Thin(out, 127, 3))
	}
	return out, nil
}

// safeStep leaves three levels of edges, so that a faint texture does not become one: controlnet_aux's safe_step.
func safeStep(edges []float64) {
	const step = 2
	for i, v := range edges {
		edges[i] = float64(float32(int32(float32(v)*(step+1))) / step)
	}
}
