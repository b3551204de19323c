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
