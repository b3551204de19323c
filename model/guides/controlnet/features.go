package controlnet

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// features is the FeatureExtractor of Uni-ControlNet's local adapter (models/local_adapter.py): features
// of all maps together at the sizes of the down blocks. The odd entries of Pre and of each of the Extractors
// are activations, which have no weights.
type features struct {
	Pre        []*nn.Conv2d   `weight:"pre_extractor"` // the second and the fourth halve the size
	Extractors [][]*nn.Conv2d `weight:"extractors"`    // by down block; each halves the size
	ZeroConvs  []*nn.Conv2d   `weight:"zero_convs"`    // by down block
}

func newFeatures(maps int, channels []int) *features {
	f := &features{}
	in := maps
	for _, out := range []int{32, 64, 64, 128, 128} {
		f.Pre = append(f.Pre, nn.NewConv2d(in, out, 3, true), nil)
		in = out
	}
	for _, out := range channels {
		f.Extractors = append(f.Extractors, []*nn.Conv2d{nn.NewConv2d(in, out, 3, true)})
		f.ZeroConvs = append(f.ZeroConvs, nn.NewConv2d(out, out, 3, true))
		in = out
	}
	return f
}

// record appends the extractor to p, and returns the features by down block.
//
//	x: Act [1, 8h, 8w, maps], in 0..1
//	returns: Act [1, h, w, C], [1, h/2, w/2, C'] and so on; odd sizes are rounded up
func (f *features) record(p *gpu.Program, x *gpu.Tensor) (list []*gpu.Tensor) {
	const name = "feature_extractor."
	step := func(c *nn.Conv2d, stride int, format string, args ...any) {
		x = c.Forward(p, x, gpu.Conv2dOptions{Label: name + fmt.Sprintf(format, args...), Padding: 1, Stride: stride, Activation: gpu.SiLU})
	}
	for i := 0; i < len(f.Pre); i += 2 {
		step(f.Pre[i], 1+i/2%2, "pre_extractor.%d", i)
	}
	for i, e := range f.Extractors {
		step(e[0], 2, "extractors.%d.0", i)
		list = append(list, f.ZeroConvs[i].Forward(p, x, gpu.Conv2dOptions{Label: fmt.Sprintf("%szero_convs.%d", name, i), Padding: 1}))
	}
	return list
}

// RecordModulations records what the FDNs make of the maps, which is the same in all steps. The first resnet of
// each down block has two FDNs.
//
//	x: Act [1, 8h, 8w, Channels], the maps in 0..1
//	returns: for each FDN its Gamma and then its Beta, Act of the size of the resnet's input
func (n *ControlNet) RecordModulations(p *gpu.Program, x *gpu.Tensor) (list []*gpu.Tensor) {
	for i, f := range n.Features.record(p, x) {
		r := n.DownBlocks[i].Resnets[0]
		for j, fdn := range []*blocks.FDN{r.FDN1, r.FDN2} {
			m := fdn.Modulation(p, f, fmt.Sprintf("%s.norm%d", r.Name, j+1))
			list = append(list, m.Gamma, m.Beta)
		}
	}
	return list
}

// Modulations are the results of RecordModulations in the form of unet.ConditioningOptions.FDN.
func (n *ControlNet) Modulations(list []*gpu.Tensor) map[*blocks.ResnetBlock2D][]blocks.Modulation {
	by := map[*blocks.ResnetBlock2D][]blocks.Modulation{}
	for i, b := range n.DownBlocks {
		at := list[4*i:]
		by[b.Resnets[0]] = []blocks.Modulation{{Gamma: at[0], Beta: at[1]}, {Gamma: at[2], Beta: at[3]}}
	}
	return by
}
