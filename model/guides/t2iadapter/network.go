package t2iadapter

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Adapter is the network, diffusers' T2IAdapter (models/adapter.py) of the type full_adapter or
// light_adapter. Its fields carry the checkpoint's names.
type Adapter struct {
	ConvIn *nn.Conv2d `weight:"adapter.conv_in"` // nil in a light adapter
	Body   []*stage   `weight:"adapter.body"`

	config Config
}

// stage is diffusers' AdapterBlock, or its LightAdapterBlock.
type stage struct {
	InConv  *nn.Conv2d `weight:"in_conv"` // 1 × 1; nil where the channels do not change
	Resnets []*resnet  `weight:"resnets"`
	OutConv *nn.Conv2d `weight:"out_conv"` // 1 × 1; nil in a full adapter

	down bool // whether the size is halved first
}

// resnet is diffusers' AdapterResnetBlock, or its LightAdapterResnetBlock, whose second
// convolution is also 3 × 3.
type resnet struct {
	Block1 *nn.Conv2d `weight:"block1"`
	Block2 *nn.Conv2d `weight:"block2"`

	padding int // of Block2
}

// New lays the network out, for a UNet that it is to steer.
func New(c Config, u *unet.UNet) (*Adapter, error) {
	a := &Adapter{config: c}
	in := c.InChannels * c.DownscaleFactor * c.DownscaleFactor
	features := c.Channels
	if c.Light {
		features = append(slices.Clone(features), features[len(features)-1])
	} else {
		a.ConvIn = nn.NewConv2d(in, features[0], 3, true)
		in = features[0]
	}
	if !slices.Equal(features, u.Config.BlockOutChannels) {
		return nil, fmt.Errorf("the T2I-Adapter's features have %v channels and the model's blocks %v: the adapter belongs to another base model (choose one whose name has sd14 or sd15)",
			features, u.Config.BlockOutChannels)
	}
	for i, out := range features {
		s := &stage{down: i > 0}
		width, size2 := out, 1
		if c.Light {
			width, size2 = out/4, 3
			s.OutConv = nn.NewConv2d(width, out, 1, true)
		}
		if in != width || c.Light {
			s.InConv = nn.NewConv2d(in, width, 1, true)
		}
		for range c.ResBlocks {
			s.Resnets = append(s.Resnets, &resnet{nn.NewConv2d(width, width, 3, true), nn.NewConv2d(width, width, size2, true), size2 / 2})
		}
		a.Body = append(a.Body, s)
		in = out
	}
	return a, nil
}

// Name implements nn.Network.
func (a *Adapter) Name() string { return "T2I-Adapter" }

// Channels is how many channels the map has.
func (a *Adapter) Channels() int { return a.config.InChannels }

// Record appends the network to p.
//
//	x: Act [B, h, w, InChannels · DownscaleFactor²], the map after Unshuffle
//	returns: Act, the features for each of the UNet's down blocks
func (a *Adapter) Record(p *gpu.Program, x *gpu.Tensor) []*gpu.Tensor {
	if a.ConvIn != nil {
		x = a.ConvIn.Forward(p, x, gpu.Conv2dOptions{Label: "adapter.conv_in", Padding: 1})
	}
	var features []*gpu.Tensor
	for i, s := range a.Body {
		x = s.forward(p, x, fmt.Sprintf("adapter.body.%d", i))
		features = append(features, x)
	}
	return features
}

func (s *stage) forward(p *gpu.Program, x *gpu.Tensor, name string) *gpu.Tensor {
	if s.down {
		x = gpu.AveragePool(p, x, 2, 2, name+".downsample")
	}
	if s.InConv != nil {
		x = s.InConv.Forward(p, x, gpu.Conv2dOptions{Label: name + ".in_conv"})
	}
	for i, r := range s.Resnets {
		label := fmt.Sprintf("%s.resnets.%d", name, i)
		h := r.Block1.Forward(p, x, gpu.Conv2dOptions{Label: label + ".block1", Padding: 1, Activation: gpu.ReLU})
		x = r.Block2.Forward(p, h, gpu.Conv2dOptions{Label: label + ".block2", Padding: r.padding, Residual: x})
	}
	if s.OutConv != nil {
		x = s.OutConv.Forward(p, x, gpu.Conv2dOptions{Label: name + ".out_conv"})
	}
	return x
}

// Unshuffle is torch's PixelUnshuffle, channels last: every square of factor × factor pixels
// becomes one pixel.
//
//	x: [h, w, channels]
//	returns: [h/factor, w/factor, channels · factor²], where the channel is c·factor² + y·factor + x
func Unshuffle(x []float32, height, width, channels, factor int) []float32 {
	out := make([]float32, 0, len(x))
	for y := 0; y < height; y += factor {
		for left := 0; left < width; left += factor {
			for c := range channels {
				for dy := range factor {
					for dx := range factor {
						out = append(out, x[((y+dy)*width+left+dx)*channels+c])
					}
				}
			}
		}
	}
	return out
}
