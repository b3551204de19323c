package lineart

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/preprocessors"
)

// Generator is controlnet_aux's Generator (lineart/__init__.py). Its fields carry the checkpoint's names: the numbers of the
// layers in torch's Sequentials, some of which have no weights.
type Generator struct {
	First     *nn.Conv2d          `weight:"model0.1"` // 7 × 7
	Down1     *nn.Conv2d          `weight:"model1.0"`
	Down2     *nn.Conv2d          `weight:"model1.3"`
	Residuals []*residual         `weight:"model2"`
	Up1       *nn.ConvTranspose2d `weight:"model3.0"`
	Up2       *nn.ConvTranspose2d `weight:"model3.3"`
	Last      *nn.Conv2d          `weight:"model4.1"` // 7 × 7
}

// residual is a ResidualBlock.
type residual struct {
	Conv1 *nn.Conv2d `weight:"conv_block.1"`
	Conv2 *nn.Conv2d `weight:"conv_block.5"`
}

// New lays the network out, with so many channels at the size of the picture and so many residual blocks. The published ones
// have 64 and 3.
func New(channels, blocks int) *Generator {
	conv := func(in, out, size int) *nn.Conv2d { return nn.NewConv2d(in, out, size, true) }
	n := channels
	g := &Generator{First: conv(3, n, 7), Down1: conv(n, 2*n, 3), Down2: conv(2*n, 4*n, 3),
		Up1: nn.NewConvTranspose2d(4*n, 2*n, 3), Up2: nn.NewConvTranspose2d(2*n, n, 3), Last: conv(n, 1, 7)}
	for range blocks {
		g.Residuals = append(g.Residuals, &residual{conv(4*n, 4*n, 3), conv(4*n, 4*n, 3)})
	}
	return g
}

// Open lays out the network that a checkpoint has.
func Open(c nn.Checkpoint) (preprocessors.Network, error) {
	_, shape, ok := c.Info("model0.1.weight")
	if !ok || len(shape) != 4 {
		return nil, errors.New("model0.1.weight is missing, or is no convolution")
	}
	blocks := 0
	for blocks < 16 {
		if _, _, ok := c.Info(fmt.Sprintf("model2.%d.conv_block.1.weight", blocks)); !ok {
			break
		}
		blocks++
	}
	return New(shape[0], blocks), nil
}

// Name implements nn.Network.
func (g *Generator) Name() string { return "line art detector" }

// instanceNorm is torch's InstanceNorm2d without weights: a group norm in which each channel is a group.
func instanceNorm(p *gpu.Program, x *gpu.Tensor, a gpu.Activation, label string) *gpu.Tensor {
	return gpu.GroupNorm(p, x, &gpu.NormWeight{Channels: x.Channels()}, gpu.GroupNormOptions{Label: label + ".norm", Groups: x.Channels(), Eps: 1e-5, Activation: a})
}

// Record appends the network to p.
//
//	x: Act [1, H, W, 3], the picture in 0..1; both sides are multiples of 4
//	returns: F32 [1, H, W, 1], the logit of white paper at each pixel
func (g *Generator) Record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	conv := func(c *nn.Conv2d, x *gpu.Tensor, label string, o gpu.Conv2dOptions) *gpu.Tensor {
		o.Label = label
		return instanceNorm(p, c.Forward(p, x, o), gpu.ReLU, label)
	}
	x = conv(g.First, gpu.ReflectPad(p, x, 3, "model0.0"), "model0.1", gpu.Conv2dOptions{})
	x = conv(g.Down1, x, "model1.0", gpu.Conv2dOptions{Stride: 2, Padding: 1})
	x = conv(g.Down2, x, "model1.3", gpu.Conv2dOptions{Stride: 2, Padding: 1})
	for i, r := range g.Residuals {
		label := fmt.Sprintf("model2.%d.conv_block", i)
		h := conv(r.Conv1, gpu.ReflectPad(p, x, 1, label+".0"), label+".1", gpu.Conv2dOptions{})
		h = r.Conv2.Forward(p, gpu.ReflectPad(p, h, 1, label+".4"), gpu.Conv2dOptions{Label: label + ".5"})
		x = gpu.Add(p, x, instanceNorm(p, h, gpu.NoActivation, label+".5"), gpu.AddOptions{Label: label})
	}
	for i, up := range []*nn.ConvTranspose2d{g.Up1, g.Up2} {
		label := fmt.Sprintf("model3.%d", 3*i)
		x = up.Forward(p, x, gpu.ConvTranspose2dOptions{Label: label, Stride: 2, Padding: 1, OutputPadding: 1})
		x = instanceNorm(p, x, gpu.ReLU, label)
	}
	return g.Last.Forward(p, gpu.ReflectPad(p, x, 3, "model4.0"), gpu.Conv2dOptions{Label: "model4.1", Output: gpu.F32})
}

// Lines returns how white the paper is at each pixel of a picture, from 0 to 1.
func (g *Generator) Lines(ctx context.Context, d *gpu.Device, m *imageproc.Image) ([]float32, error) {
	x := d.NewTensor("picture", gpu.Act, 1, m.Height, m.Width, 3)
	defer x.Release()
	values := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		values[i] = float32(v) / 255
	}
	x.SetFloat32(values)
	out, err := preprocessors.Run(ctx, d, g, func(p *gpu.Program) []*gpu.Tensor { return []*gpu.Tensor{g.Record(p, x)} })
	if err != nil {
		return nil, err
	}
	for i, v := range out[0] {
		out[0][i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
	return out[0], nil
}

// Map implements preprocessors.Network as LineartDetector does: lines are white on black. It has no options.
func (g *Generator) Map(ctx context.Context, d *gpu.Device, m *imageproc.Image, _ []float64) (*imageproc.Image, error) {
	padded := preprocessors.Pad(m)
	lines, err := g.Lines(ctx, d, padded)
	if err != nil {
		return nil, err
	}
	return maps.Invert(preprocessors.Grey(lines, padded.Width, m)), nil
}
