package gpu

// Conv2dOptions are the options of Conv2d. The zero value is a convolution of stride 1
// without padding.
type Conv2dOptions struct {
	Label      string
	Stride     int     // 0 means 1
	Padding    int     // rows and columns of zeros on each side
	PadEnd     int     // further zeros at the bottom and at the right (the VAE's downsampler)
	UpsampleTo [2]int  // height and width to enlarge the input to first, by nearest neighbour; zeros mean that it is not
	X2         *Tensor // Act [N, H, W, C2]: concatenated after the input along the channels, or nil
	Table      *Tensor // F32 [steps, Out]: the step's row is added to every pixel; or nil
	Lambda     *Tensor // F32 [steps, Out]: the sum and its bias are multiplied by the step's row; or nil. It excludes Table
	Activation Activation
	Residual   *Tensor  // Act, added after the activation; or nil
	Rectify    bool     // ReLU after the residual
	Scale      float64  // of the whole result; 0 means 1
	Output     DType    // Act, or F32
	tile       convTile // for tests: a GPU's kernel with this tile
}

// Conv2d convolves x, Act [N, H, W, In], as torch's conv2d does, and returns
// [N, H', W', Out].
func Conv2d(p *Program, x *Tensor, w *ConvWeight, o Conv2dOptions) *Tensor {
	if len(x.Shape) != 4 {
		p.Fail("gpu: %s: a convolution takes [N, H, W, C], not %s", o.Label, x)
		return x
	}
	n, h, wd := x.Shape[0], x.Shape[1], x.Shape[2]
	stride := max(1, o.Stride)
	up := o.UpsampleTo
	if up == [2]int{} {
		up = [2]int{h, wd}
	}
	ho := (up[0]+2*o.Padding+o.PadEnd-w.Size)/stride + 1
	wo := (up[1]+2*o.Padding+o.PadEnd-w.Size)/stride + 1
	if ho < 1 || wo < 1 {
		p.Fail("gpu: %s: a kernel of size %d does not fit in %s", o.Label, w.Size, x)
		return x
	}
	y := p.newPicture(o.Label, o.Output, n, ho, wo, w.Out)
	s := convShape{m: n * ho * wo, hIn: h, wIn: wd, hUp: up[0], wUp: up[1], hOut: ho, wOut: wo, stride: stride, top: -o.Padding, phases: 1}
	if y.inBands() || x.inBands() {
		conv2dInBands(p, x, y, w, o, s)
	} else {
		dispatchConv(p, x, y, w, o, s)
	}
	return y
}

// The bits of the parameter flags of conv2d.wgsl, conv2d_cpu.wgsl and conv2d_sum.wgsl.
const (
	convBias     = 1 << iota // there is a bias
	convTable                // a row of a table is added
	convResidual             // a residual is added
	convUpsample             // the input is enlarged first
	convWide                 // the result is f32
	convGEGLU                // columns are values and their gates
	convLambda               // the sums are multiplied by a row of a table
	convRectify              // ReLU after the residual
)

var convFlags = []Const{{"BIAS", convBias}, {"TABLE", convTable}, {"RESIDUAL", convResidual},
	{"UPSAMPLE", convUpsample}, {"WIDE", convWide}, {"GEGLU", convGEGLU}, {"LAMBDA", convLambda}, {"RECTIFY", convRectify}}

// convShape holds the sizes of a convolution: m is the number of output pixels of a phase, and
// top is the row of the enlarged input that the first tap of the first output row reads. There
// is one phase, or there are the four of inPhases, or those of a convolution by Winograd's algorithm.
type convShape struct {
	m, hIn, wIn, hUp, wUp, hOut, wOut, stride, top, phases int
	step                                                   int // columns from an even phase's input to that of the next one; 0 means 1
}

// pixels is the number of output pixels.
func (s convShape) pixels() int { return s.m * s.phases }

// inPhases is the shape of the phases of a 3 × 3 convolution that follows an upsampling by two
// (phase_conv2d.wgsl), if it is one.
func (s convShape) inPhases(w *ConvWeight, o Conv2dOptions) (convShape, bool) {
	if w.Size != 3 || s.stride != 1 || o.Padding != 1 || o.PadEnd != 0 || o.X2 != nil ||
		s.hUp != 2*s.hIn || s.wUp != 2*s.wIn || s.hOut%2 != 0 || s.wOut != s.wUp || s.top%2 == 0 {
		return s, false
	}
	s.phases, s.m, s.hOut, s.wOut, s.hUp, s.wUp, s.top = 4, s.m/4, s.hOut/2, s.wOut/2, s.hIn, s.wIn, (s.top-1)/2
	return s, true
}

// flags returns the kernels' parameter flags for a convolution with the result y.
func (s convShape) flags(w *ConvWeight, o Conv2dOptions, y *Tensor) (flags int) {
	for _, f := range []struct {
		bit int
		set bool
	}{
		{convBias, w.bias != nil}, {convTable, o.Table != nil}, {convResidual, o.Residual != nil},
		{convUpsample, s.hUp != s.hIn || s.wUp != s.wIn}, {convWide, y.DType == F32}, {convGEGLU, w.geglu}, {convLambda, o.Lambda != nil}, {convRectify, o.Rectify},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// checkConv records an error if the tensors of a convolution do not fit its weight.
func checkConv(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions) bool {
	c2 := 0
	if o.X2 != nil {
		c2 = o.X2.Pitch()
	}
	switch {
	case o.X2 != nil && x.Channels()%4 != 0:
		p.Fail("gpu: %s: the channels of %s, which come before those of another tensor, are not a multiple of 4", o.Label, x)
	case x.Channels()+c2 != w.In && x.Pitch()+c2 != w.inputs():
		p.Fail("gpu: %s takes %d channels, not those of %s and %d more", o.Label, w.In, x, c2)
	case o.Residual != nil && (o.Residual.Rows() != y.Rows() || o.Residual.Channels() != y.Channels()):
		p.Fail("gpu: %s: the residual %s does not fit %s", o.Label, o.Residual, y)
	case w.packed == nil:
		p.Fail("gpu: %s has no weights loaded", o.Label)
	case o.Lambda != nil && (o.Table != nil || w.geglu || o.Lambda.Channels() != y.Channels()):
		p.Fail("gpu: %s: λ %s does not fit %s", o.Label, o.Lambda, y)
	default:
		return true
	}
	return false
}

// convEnd is what is done with the sums, in either of the two kernels that can do it.
type convEnd struct {
	flags, activation int
	scale             float64
}

func (e convEnd) params() []Param {
	return []Param{{"flags", e.flags}, {"activation", e.activation}, {"scale", e.scale}}
}

// convVectors binds what is added to the sums. Each may be nil.
func convVectors(bias *Buffer, table, step, residual *Tensor) []Binding {
	return []Binding{Read("bias", bias).Optional(), In("table", table).Optional(), In("step", step).Optional(), In("residual", residual).Optional()}
}

// dispatchConv records a convolution: one dispatch, or, with slices, a second one that sums
// them up.
func dispatchConv(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions, s convShape) {
	if !checkConv(p, x, y, w, o) {
		return
	}
	end := convEnd{s.flags(w, o, y), int(o.Activation), 1}
	if o.Activation == GEGLU {
		end.activation = int(NoActivation)
	}
	if o.Scale != 0 {
		end.scale = o.Scale
	}
	table := o.Table
	if o.Lambda != nil {
		table = o.Lambda
	}
	var step *Tensor
	if table != nil {
		step = p.Step()
	}
	vectors := convVectors(w.bias, table, step, o.Residual)

	if w.winograd > 0 {
		dispatchWinograd(p, x, y, w, o, s, end, vectors)
		return
	}
	t := o.tile
	onCPU := t.mv == 0 && p.Device.onProcessor()
	if t.phases || t.mv == 0 && !onCPU && p.Device.kernels.variant(UpsampleClass, "") == "phases" {
		if small, ok := s.inPhases(w, o); ok {
			s, w = small, w.inPhases(p)
			end.flags = s.flags(w, o, y)
		}
	}
	variant := p.Device.productVariant(s.pixels(), w)
	switch {
	case onCPU:
		t = convTile{slices: 1}
	case t.mv == 0:
		t = chooseConvTile(p.Device.enoughGroups(), variant, s.pixels(), w)
	}
	if !onCPU && t.variant == "" {
		t.variant = variant
	}
	if t.slices <= 1 {
		recordConv(p, x, y, w, o, s, t, end, vectors)
		return
	}
	sums := p.NewTensor(o.Label+".slices", F32, t.slices, y.Rows(), y.Channels())
	recordConv(p, x, sums, w, o, s, t, convEnd{end.flags&convUpsample | convWide, int(NoActivation), 1}, vectors)
	count := y.Rows() * y.Pitch() / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "conv2d_sum", Label: o.Label,
		Consts: convFlags,
		Params: append(end.params(), Param{"count", count}, Param{"stride", stride}, Param{"n_quads", y.Pitch() / 4}, Param{"slices", t.slices}),
		Bind:   append([]Binding{In("partial", sums), Out("y", y)}, vectors...),
		Groups: groups,
		Cost:   float64(4 * count * (t.slices + 4)),
	})
}

// recordConv records the kernel of a convolution: a GPU's, or, without a tile, a processor's.
func recordConv(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions, s convShape, t convTile, end convEnd, vectors []Binding) {
	c2 := 0
	if o.X2 != nil {
		c2 = o.X2.Pitch()
	}
	lanes := p.Device.lanes()
	conv := Dispatch{
		Label: o.Label, Weights: w.dtype,
		Params: append(end.params(), []Param{{"m", s.m}, {"n_quads", y.Pitch() / 4}, {"w_quads", w.columns() / 4},
			{"c1_quads", x.Pitch() / 4}, {"c2_quads", c2 / 4}, {"h_in", s.hIn}, {"w_in", s.wIn}, {"h_up", s.hUp}, {"w_up", s.wUp},
			{"h_out", s.hOut}, {"w_out", s.wOut}, {"top", s.top}, {"left", -o.Padding}, {"ksize", w.Size}, {"stride", s.stride},
			{"slices", t.slices}, {"slice_passes", (w.passes() + t.slices - 1) / t.slices}, {"phases", s.phases}, {"phase_step", max(1, s.step)}, {"pairs", (w.used() + 2*lanes - 1) / (2 * lanes) * lanes}, {"pixels", 16}}...),
		Bind: append([]Binding{In("x", x), Read("w", w.packed), Out("y", y), In("x2", o.X2).Optional()}, vectors...),
		Cost: w.cost(s.pixels()),
	}
	if t.mv == 0 {
		// A workgroup takes 16 pixels and 64 columns. pairs is padded so that threads that share
		// what they read are busy or idle together.
		conv.Kernel = "conv2d_cpu"
		conv.Consts = append([]Const{{"LANES", lanes}, {"HAS_X2", o.X2 != nil}, {"HAS_TABLE", o.Table != nil}, {"HAS_LAMBDA", o.Lambda != nil}, {"HAS_RESIDUAL", o.Residual != nil},
			{"UPSAMPLES", end.flags&convUpsample != 0}, {"GATED", w.geglu}, {"ACTIVATION", end.activation}}, convFlags...)
		conv.Groups = [3]int{(s.m + 15) / 16, (w.used() + 63) / 64, 1}
	} else {
		conv.Kernel = "conv2d"
		if t.variant == "short" {
			conv.Kernel = "conv2d_short"
		}
		conv.Consts = append([]Const{{"MV", t.mv}, {"NV", t.nv}, {"BK", convPass}, {"HAS_X2", o.X2 != nil},
			{"EARLY", t.variant == "early" || t.variant == "short"}, {"ROLLED", t.variant == "rolled"}}, convFlags...)
		conv.Groups = [3]int{t.rows(s.m), t.columns(w.used()), t.slices * s.phases}
	}
	p.Dispatch(conv)
}

// lanes is how many threads share what they read in conv2d_cpu.wgsl.
func (d *Device) lanes() int {
	if d.SubgroupMin >= 8 {
		return 8
	}
	return 4
}
