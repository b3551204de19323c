package gpu

// A 3 × 3 convolution of stride 1 takes fewer products by Winograd's algorithm (Lavin and Gray
// 2015, arXiv 1509.09308): F(2 × 2, 3 × 3) takes 16 for 2 × 2 outputs instead of 36, and
// F(4 × 4, 3 × 3) takes 36 for 4 × 4 outputs instead of 144. Tiles of the input are transformed,
// multiplied by transformed weights, and transformed back. The products are those of conv2d.wgsl,
// with the kernel that is chosen for linear layers.
//
// The transformed weights take the place of the others, so that nothing is held twice. They take
// 16/9 of their bytes, or 4 times as many, and twice that without shader-f16, where they are f32:
// weights that are rounded after the transform have an error of 3e-4 (F(2 × 2)) or 2e-3
// (F(4 × 4)), which is more than that path allows. With shader-f16 F(2 × 2) has an error of
// 5.8e-4, and rounding the result of a direct convolution 2.1e-4. F(4 × 4) has 3.7e-3 there, so
// that it is not used.

// winogradChannels is the largest number of output channels of a convolution that is computed
// this way. Stable Diffusion 1.5 has at most so many where its latents have 64 × 64 or 32 × 32
// pixels, and in its VAE. In the UNet these are 7 % of the weights and 30 % of the operations.
// Those with more channels are half of the weights and a sixth of the operations.
const winogradChannels = 640

// winogradBytes is about how much the transformed tiles and their products take. A convolution of
// a larger picture takes one part of the tiles after another. That costs little, because so many
// tiles keep a large GPU busy, and the cache of many GPUs holds them. Tests change it.
var winogradBytes = 32 << 20

// winogradTile is the size m of F(m × m, 3 × 3) of a variant's name, or 0 for another variant.
func winogradTile(name string) int {
	return map[string]int{"winograd": 2, "winograd4": 4}[name]
}

// Winograd is the size m of F(m × m, 3 × 3) if the chosen kernels compute large convolutions this
// way, and 0 if not.
func (d *Device) Winograd() int {
	if d.onProcessor() {
		return 0
	}
	return winogradTile(d.kernels.variant(ConvClass, "large"))
}

// WinogradTile is the size m of the tiles that the weights of a convolution of 3 × 3, of stride 1
// and with a padding of 1, should be transformed for with the chosen kernels, or 0. weights is the
// type that they have otherwise.
func (d *Device) WinogradTile(in, out int, weights WeightDType) int {
	m := d.Winograd()
	if m == 0 || out > winogradChannels {
		return 0
	}
	w := &ConvWeight{In: in, Out: out, Size: 3, winograd: m, dtype: d.winogradType(weights)}
	if w.bytes() > d.piece() {
		return 0 // it could not be bound
	}
	return m
}

// winogradType is the type of transformed weights.
func (d *Device) winogradType(weights WeightDType) WeightDType {
	if d.F16 {
		return weights
	}
	return WeightF32
}

// Winograd is the size of the tiles that the weights are transformed for, or 0. w may be nil.
func (w *ConvWeight) Winograd() int {
	if w == nil {
		return 0
	}
	return w.winograd
}

// WinogradExtra is how many bytes more a convolution's weights take when they are transformed.
func (d *Device) WinogradExtra(in, out, m int, weights WeightDType) int64 {
	direct := &ConvWeight{In: in, Out: out, Size: 3, dtype: weights}
	w := &ConvWeight{In: in, Out: out, Size: 3, winograd: m, dtype: d.winogradType(weights)}
	return w.bytes() - direct.bytes()
}

// repackWinograd returns the dispatch that writes the staged rows of a 3 × 3 kernel into w.
func (w *ConvWeight) repackWinograd(d *Device, s Staged) Dispatch {
	quads := (s.Rows + 3) / 4
	count := w.inputs() * quads
	groups, stride := grid1D(d, count, 64)
	return Dispatch{
		Kernel: "repack_winograd", Label: w.packed.Label,
		Consts: append([]Const{{"TILE", w.winograd}}, sourceCodes...),
		Params: []Param{{"count", count}, {"stride", stride}, {"row", s.Row}, {"rows", s.Rows}, {"inputs", w.In}, {"inputs_padded", w.inputs()},
			{"quads", quads}, {"w_quads", w.columns() / 4}, {"source", s.source}},
		Bind:   []Binding{Read("staged", s.Buffer), Write("w", w.packed)},
		Groups: groups, Weights: w.dtype,
	}
}

// dispatchWinograd records a convolution whose weights are in Winograd's form.
func dispatchWinograd(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions, s convShape, end convEnd, vectors []Binding) {
	if s.stride != 1 || o.Padding != 1 || o.PadEnd != 0 || s.hUp != s.hIn || s.wUp != s.wIn {
		p.Fail("gpu: %s: the weights are transformed for Winograd's algorithm, and the convolution does not have stride 1 and padding 1", o.Label)
		return
	}
	m := w.winograd
	places := (m + 2) * (m + 2)
	images := s.m / (s.hOut * s.wOut)
	down, across := (s.hOut+m-1)/m, (s.wOut+m-1)/m
	all := images * down * across
	scale := 1.0
	if p.Device.F16 {
		scale = 0.25 // of the tiles and the products, which then are no larger than f16 holds
	}

	product := *w
	product.Size, product.winograd, product.bias = 1, 0, nil
	each := w.tilesAtOnce(p.Device, all, x.DType, y)
	for first := 0; first < all; first += each {
		tiles := min(each, all-first)
		v := p.NewTensor(o.Label+".tiles", Act, places, tiles, w.inputs())
		sums := p.NewTensor(o.Label+".products", Act, places, tiles, y.Pitch())
		part := func(t *Tensor) int64 { // what these tiles read or write of a picture
			if t == nil {
				return 0
			}
			return t.Bytes() * int64(tiles) / int64(all)
		}
		c1, c2 := x.Pitch()/4, w.inputs()/4-x.Pitch()/4
		count := tiles * (m + 2) * w.inputs() / 4
		groups, stride := grid1D(p.Device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "winograd_input", Label: o.Label,
			Consts: []Const{{"TILE", m}, {"HAS_X2", o.X2 != nil}},
			Params: []Param{{"count", count}, {"stride", stride}, {"tiles", tiles}, {"first", first}, {"tiles_across", across}, {"tiles_down", down},
				{"c1_quads", c1}, {"c2_quads", c2}, {"h_in", s.hIn}, {"w_in", s.wIn}, {"top", s.top}, {"scale", scale}},
			Bind:   []Binding{In("x", x), In("x2", o.X2).Optional(), Out("v", v)},
			Groups: groups,
			Cost:   float64(16 * (m + 2) * count),
			Moves:  part(x) + part(o.X2) + v.Bytes(),
		})

		// Two places are a row of conv2d.wgsl's input, beside each other, and a phase reads one.
		rows := convShape{m: tiles, hIn: places / 2, wIn: 2 * tiles, hUp: places / 2, wUp: 2 * tiles, hOut: 1, wOut: tiles, stride: 1, phases: places, step: tiles}
		t := o.tile
		t.slices, t.phases = 1, false
		if t.mv == 0 {
			variant := p.Device.productVariant(rows.pixels(), &product)
			t = chooseConvTile(p.Device.enoughGroups(), variant, rows.pixels(), &product)
			t.slices, t.variant = 1, variant
		}
		recordConv(p, v, sums, &product, Conv2dOptions{Label: o.Label}, rows, t, convEnd{0, int(NoActivation), 1}, convVectors(nil, nil, nil, nil))

		count = tiles * m * y.Pitch() / 4
		groups, stride = grid1D(p.Device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "winograd_output", Label: o.Label,
			Consts: append([]Const{{"TILE", m}, {"ACTIVATION", end.activation}}, convFlags...),
			Params: []Param{{"flags", end.flags}, {"scale", end.scale}, {"count", count}, {"stride", stride}, {"tiles", tiles}, {"first", first}, {"tiles_across", across}, {"tiles_down", down},
				{"n_quads", y.Pitch() / 4}, {"h_out", s.hOut}, {"w_out", s.wOut}, {"factor", 1 / scale}},
			Bind:   append([]Binding{In("sums", sums), Out("y", y)}, vectors...),
			Groups: groups,
			Cost:   float64(16 * (m + 2) * count),
			Moves:  sums.Bytes() + part(y) + part(o.Residual),
		})
	}
}

// tilesAtOnce is how many of all tiles are computed at a time: as many as take winogradBytes, or what
// the device binds, in parts of about one size.
func (w *ConvWeight) tilesAtOnce(d *Device, all int, numbers DType, y *Tensor) int {
	tile := (w.winograd + 2) * (w.winograd + 2) * (w.inputs() + y.Pitch()) * numbers.Size()
	most := max(1, min(winogradBytes, int(d.piece()))/tile)
	parts := (all + most - 1) / most
	each := (all + parts - 1) / parts
	if whole := (each + 63) &^ 63; whole <= most {
		return whole // in workgroups without pixels that are computed for nothing
	}
	return each
}
