package gpu

// NormWeight is the scale and the shift of a norm, f32. A norm without them has neither buffer.
type NormWeight struct {
	Channels     int
	scale, shift *Buffer
}

// NewNormWeight makes a weight of two vectors from UploadVector.
func NewNormWeight(channels int, scale, shift *Buffer) *NormWeight {
	return &NormWeight{Channels: channels, scale: scale, shift: shift}
}

// Release frees the weight.
func (w *NormWeight) Release() {
	if w != nil {
		w.scale.Release()
		w.shift.Release()
	}
}

// LayerNorm normalises every row of x, Act [.., C], over its channels, as torch's layer_norm
// does.
func LayerNorm(p *Program, x *Tensor, w *NormWeight, eps float64, label string) *Tensor {
	y := p.NewTensor(label, Act, x.Shape...)
	if w == nil || x.Channels() != w.Channels || w.Channels%4 != 0 {
		p.Fail("gpu: %s: the layer norm's weights do not fit %s", label, x)
		return y
	}
	rows := x.Rows()
	// A workgroup of 64 threads takes four rows.
	const lanes, rowsEach = 16, 4
	groups, stride := grid1D(p.Device, (rows+rowsEach-1)/rowsEach, 1)
	p.Dispatch(Dispatch{
		Kernel: "layer_norm", Label: label,
		Consts: []Const{{"LANES", lanes}, {"ROWS", rowsEach}},
		Params: []Param{{"rows", rows}, {"quads", x.Pitch() / 4}, {"stride", stride}, {"eps", eps}, {"lanes", lanes}},
		Bind:   []Binding{In("x", x), Read("scale", w.scale), Read("shift", w.shift), Out("y", y)},
		Groups: groups,
		Cost:   float64(8 * rows * x.Pitch()),
	})
	return y
}

// GroupNormOptions are the options of GroupNorm.
type GroupNormOptions struct {
	Label      string
	Groups     int
	Eps        float64
	X2         *Tensor // concatenated after x along the channels, or nil
	Activation Activation
}

// GroupNorm normalises x, Act [N, H, W, C], over groups of channels, as torch's group_norm
// does, and applies an activation. The result is [N, H, W, C + C2].
func GroupNorm(p *Program, x *Tensor, w *NormWeight, o GroupNormOptions) *Tensor {
	if x.inBands() && o.X2 == nil && x.norm == nil && w != nil && x.Channels() == w.Channels && w.Channels%o.Groups == 0 {
		return groupNormInBands(p, x, w, o)
	}
	shape := append([]int(nil), x.Shape...)
	c2 := 0
	if o.X2 != nil {
		c2 = o.X2.Channels()
	}
	channels := x.Channels() + c2
	shape[len(shape)-1] = channels
	y := p.NewTensor(o.Label, Act, shape...)
	if w == nil || channels != w.Channels || channels%o.Groups != 0 || x.Channels()%4 != 0 || c2%4 != 0 {
		p.Fail("gpu: %s: the group norm's weights do not fit %s and %d more channels in %d groups", o.Label, x, c2, o.Groups)
		return y
	}
	s := normStatistics(p, x, channels, o)
	normCombine(p, s, w, o)
	dispatchApply(p, x, y, s.affine, [3]int{x.Rows(), 0, 0}, s.pixels, o)
	return y
}

// chunkedNorm is what the kernels of a norm hand on: the first one sums up chunks of an image's
// pixels, and the second one makes a factor and an offset for each channel.
type chunkedNorm struct {
	partial *Tensor // F32 [N, chunks, 2C], see group_norm_partial.wgsl
	affine  *Tensor // F32 [N, 2C], see group_norm_combine.wgsl
	pixels  int     // of an image
	chunk   int     // the pixels of a chunk
	chunks  int     // of an image
}

// normStatistics records the statistics of all chunks of x and o.X2, which have channels together.
func normStatistics(p *Program, x *Tensor, channels int, o GroupNormOptions) chunkedNorm {
	n := x.Shape[0]
	s := chunkedNorm{pixels: x.Rows() / n}
	s.chunk = normChunk(s.pixels)
	s.chunks = (s.pixels + s.chunk - 1) / s.chunk
	s.partial = p.NewTensor(o.Label+".partial", F32, n, s.chunks, channels*2)
	s.affine = p.NewTensor(o.Label+".affine", F32, n, channels*2)
	normPartial(p, x, s.partial, s.pixels, s.chunk, 0, s.chunks, o)
	return s
}

// normPartial records the statistics of every chunk of x (and o.X2). The first of them is
// the picture's chunk at.
func normPartial(p *Program, x, partial *Tensor, pixels, chunk, at, chunks int, o GroupNormOptions) {
	c1, c2 := x.Channels(), 0
	if o.X2 != nil {
		c2 = o.X2.Channels()
	}
	n := partial.Shape[0]
	mine := (pixels + chunk - 1) / chunk
	p.Dispatch(Dispatch{
		Kernel: "group_norm_partial", Label: o.Label,
		Params: []Param{{"pixels", pixels}, {"chunk", chunk}, {"chunks", chunks}, {"c1_quads", c1 / 4}, {"c2_quads", c2 / 4}, {"chunk_at", at}},
		Bind:   []Binding{In("x", x), In("x2", o.X2).Optional(), Out("partial", partial)},
		Groups: [3]int{((c1+c2)/4 + 63) / 64, mine, n},
		Cost:   float64(4 * n * pixels * (c1 + c2)),
	})
}

// normCombine records how every channel's factor and offset follow from the chunks'
// statistics.
func normCombine(p *Program, s chunkedNorm, w *NormWeight, o GroupNormOptions) {
	n := s.partial.Shape[0]
	p.Dispatch(Dispatch{
		Kernel: "group_norm_combine", Label: o.Label,
		Consts: []Const{{"HAS_WEIGHT", w.scale != nil}},
		Params: []Param{{"pixels", s.pixels}, {"chunk", s.chunk}, {"chunks", s.chunks}, {"quads", w.Channels / 4},
			{"group_channels", w.Channels / o.Groups}, {"eps", o.Eps}},
		Bind:   []Binding{In("partial", s.partial), Read("scale", w.scale).Optional(), Read("shift", w.shift).Optional(), Out("affine", s.affine)},
		Groups: [3]int{o.Groups, n, 1},
		Cost:   float64(8 * n * s.chunks * w.Channels),
	})
}

// applyNorm records a pending norm of the pixels [from, from+count) of x, which become the
// pixels [to, to+count) of y.
func applyNorm(p *Program, x, y *Tensor, norm *pendingNorm, from, to, count int, label string) {
	dispatchApply(p, x, y, norm.affine, [3]int{count, from, to}, count, GroupNormOptions{Label: label, Activation: norm.activation})
}

// dispatchApply records act(x·factor + offset). It reads span[0] pixels from pixel span[1]
// on and writes them from pixel span[2] on. image is the number of pixels of an image.
func dispatchApply(p *Program, x, y, affine *Tensor, span [3]int, image int, o GroupNormOptions) {
	quads := y.Channels() / 4
	c2 := 0
	if o.X2 != nil {
		c2 = o.X2.Channels()
	}
	count := span[0] * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "group_norm_apply", Label: o.Label,
		Params: []Param{{"count", count}, {"stride", stride}, {"image", image * quads}, {"c1_quads", x.Channels() / 4}, {"c2_quads", c2 / 4},
			{"x_at", span[1]}, {"y_at", span[2] * quads}, {"activation", int(o.Activation)}},
		Bind:   []Binding{In("x", x), In("x2", o.X2).Optional(), In("affine", affine), Out("y", y)},
		Groups: groups,
		Cost:   float64(16 * count),
	})
}

// normChunk is how many pixels one workgroup sums up. It gives a large GPU enough
// workgroups, and not more partial sums than can be combined quickly.
func normChunk(pixels int) int { return max(16, (pixels+511)/512) }
