package gpu

// Activation is a function applied to a layer's result before the residual.
type Activation int

const (
	NoActivation Activation = iota
	SiLU
	GELU      // with erf, torch's default
	QuickGELU // x · sigmoid(1.702 x), OpenAI's CLIP
	GEGLU     // value · gelu(gate): the weight's rows are the values, then the gates
	ReLU
)

// activationCodes are the activations that prelude_common.wgsl applies.
var activationCodes = []Const{{"NONE", int(NoActivation)}, {"SILU", int(SiLU)}, {"GELU", int(GELU)}, {"QUICK_GELU", int(QuickGELU)}, {"RELU", int(ReLU)}}

// Activate applies an activation to x, Act. It is for an input that is needed without the
// activation as well, so that no layer before it can apply it.
func Activate(p *Program, x *Tensor, a Activation, label string) *Tensor {
	y := p.NewTensor(label, Act, x.Shape...)
	count := x.Rows() * x.Pitch() / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "activate", Label: label,
		Params: []Param{{"count", count}, {"stride", stride}, {"activation", int(a)}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}
