package gpu

// What moves the pixels of a picture. The result may be in bands (bands.go).

// pieces calls record for y or, if it is in bands, for each of them: rows [from, to) of the picture.
func (y *Tensor) pieces(record func(piece *Tensor, from, to int)) {
	if !y.inBands() {
		record(y, 0, y.Shape[1])
		return
	}
	from := 0
	for _, b := range y.bands {
		record(b, from, from+b.Shape[1])
		from += b.Shape[1]
	}
}

// resample records one of these kernels, from x into rows of a picture that are y.
func resample(p *Program, kernel string, x, y *Tensor, from int, label string, more ...Param) {
	count := y.Rows() * y.Pitch() / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: kernel, Label: label,
		Params: append([]Param{{"count", count}, {"stride", stride}, {"quads", x.Pitch() / 4}, {"h_in", x.Shape[1]}, {"w_in", x.Shape[2]},
			{"rows", y.Shape[1]}, {"y_row", from}}, more...),
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(8 * count),
	})
}

// Bilinear resizes x, Act [N, H, W, C], to height × width pixels, as torch's interpolate does with mode="bilinear" and
// align_corners=True.
func Bilinear(p *Program, x *Tensor, height, width int, label string) *Tensor {
	if len(x.Shape) != 4 || height < 1 || width < 1 {
		p.Fail("gpu: %s: %s cannot be resized to %d × %d pixels", label, x, height, width)
		return x
	}
	apart := func(in, out int) float64 { return float64(in-1) / float64(max(1, out-1)) }
	dy, dx := apart(x.Shape[1], height), apart(x.Shape[2], width)
	x = x.exactly(p, 0, x.Shape[1])
	y := p.newPicture(label, Act, x.Shape[0], height, width, x.Channels())
	y.pieces(func(piece *Tensor, from, _ int) {
		resample(p, "bilinear", x, piece, from, label, Param{"w_out", width}, Param{"dy", dy}, Param{"dx", dx})
	})
	return y
}

// ReflectPad puts a border of so many pixels around x, Act [N, H, W, C], as torch's ReflectionPad2d does. The border is
// smaller than the picture.
func ReflectPad(p *Program, x *Tensor, size int, label string) *Tensor {
	if len(x.Shape) != 4 || x.Shape[1] <= size || x.Shape[2] <= size {
		p.Fail("gpu: %s: %s is too small for a mirrored border of %d pixels", label, x, size)
		return x
	}
	h := x.Shape[1]
	y := p.newPicture(label, Act, x.Shape[0], h+2*size, x.Shape[2]+2*size, x.Channels())
	mirrored := func(row int) int { return min(max(row-size, size-row), 2*(h-1)-max(row-size, size-row)) }
	y.pieces(func(piece *Tensor, from, to int) {
		low, high := h, 0
		for row := from; row < to; row++ {
			low, high = min(low, mirrored(row)), max(high, mirrored(row)+1)
		}
		source, first := x.span(p, low, high)
		resample(p, "reflect_pad", source, piece, from, label, Param{"x_row", first}, Param{"height", h}, Param{"size", size})
	})
	return y
}

// ConvTranspose2dOptions are the options of ConvTranspose2d.
type ConvTranspose2dOptions struct {
	Label         string
	Stride        int
	Padding       int
	OutputPadding int // rows and columns more at the bottom and at the right
}

// ConvTranspose2d is torch's conv_transpose2d of x, Act [N, H, W, In]. The weight's parameter has Columns. It moves the pixels
// apart and convolves what results with the kernel the other way round.
func ConvTranspose2d(p *Program, x *Tensor, w *ConvWeight, o ConvTranspose2dOptions) *Tensor {
	before := w.Size - 1 - o.Padding
	if len(x.Shape) != 4 || before < 0 || o.Stride < 1 {
		p.Fail("gpu: %s: a transposed convolution of stride %d with padding %d does not fit %s", o.Label, o.Stride, o.Padding, x)
		return x
	}
	side := func(n int) int { return (n-1)*o.Stride + 1 + 2*before + o.OutputPadding }
	x = x.exactly(p, 0, x.Shape[1])
	y := p.newPicture(o.Label+".spread", Act, x.Shape[0], side(x.Shape[1]), side(x.Shape[2]), x.Channels())
	y.pieces(func(piece *Tensor, from, _ int) {
		resample(p, "spread", x, piece, from, o.Label, Param{"w_out", y.Shape[2]}, Param{"each", o.Stride}, Param{"before", before})
	})
	return Conv2d(p, y, w, Conv2dOptions{Label: o.Label})
}
