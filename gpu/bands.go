package gpu

// A large picture is stored in bands of rows, each a tensor of its own. A binding is at most
// 128 MiB with WebGPU's default limits, and at 512 × 512 the VAE decoder's largest tensors
// take 256 MiB without shader-f16.
//
// Convolutions and group norms accept such pictures and compute the same numbers as for
// whole ones: a convolution also reads the rows above and below its band, and a group
// norm's statistics are those of all bands together. The norm itself is applied only when
// a convolution copies the rows that it reads, so that the normalised picture is never in
// memory as a whole.

// maxPiece is the largest size in bytes of one piece of a picture, even if the GPU could
// bind more.
const maxPiece = 128 << 20

// piece is the largest size in bytes of one piece of a picture on this device.
func (d *Device) piece() int64 {
	return min(maxPiece, d.Limits.MaxStorageBufferBindingSize, d.Limits.MaxBufferSize)
}

// whole is the size in bytes up to which a picture stays in one piece. It is less than
// piece, because bands save memory: once rows have been read, their memory is free for
// rows that are written, and the VAE decoder takes 60 % of what it takes otherwise.
func (d *Device) whole() int64 { return d.piece() / 8 * 3 }

// bandRows is the number of rows in a band of a picture of that width. It depends on
// nothing else, so that all pictures of one size are cut alike. A band of 256 channels in
// f32 takes a quarter of a piece, so that the rows that a convolution of stride 2 reads for
// one band also fit in a piece.
func (d *Device) bandRows(width int) int {
	return max(1, int(d.piece()/(4*256*4))/width)
}

// pendingNorm is a group norm that is applied when rows are copied.
type pendingNorm struct {
	affine     *Tensor
	activation Activation
}

// newPicture makes a transient tensor [N, H, W, C], in bands if it is large.
func (p *Program) newPicture(name string, dt DType, n, h, w, c int) *Tensor {
	t := newTensor(p.Device, name, dt, []int{n, h, w, c})
	if n != 1 || t.Bytes() <= p.Device.whole() {
		p.transient = append(p.transient, t)
		return t
	}
	rows := p.Device.bandRows(w)
	for from := 0; from < h; from += rows {
		t.bands = append(t.bands, p.NewTensor(name, dt, 1, min(rows, h-from), w, c))
	}
	return t
}

// inBands says whether a tensor is stored in bands, so that no kernel can bind it.
func (t *Tensor) inBands() bool { return t.root().bands != nil }

// span returns a tensor that holds at least rows [from, to) of a picture, and the row that
// it begins at.
func (t *Tensor) span(p *Program, from, to int) (rows *Tensor, first int) {
	if t.bands == nil && t.norm == nil {
		return t, 0
	}
	for _, b := range t.bands {
		if t.norm == nil && first <= from && to <= first+b.Shape[1] {
			return b, first
		}
		first += b.Shape[1]
	}
	return t.gather(p, from, to), from
}

// exactly returns a tensor of rows [from, to) of a picture.
func (t *Tensor) exactly(p *Program, from, to int) *Tensor {
	if rows, first := t.span(p, from, to); first == from && rows.Shape[1] == to-from {
		return rows
	}
	return t.gather(p, from, to)
}

// gather copies rows [from, to) of a picture out of its bands, and applies the norm if one
// is pending.
func (t *Tensor) gather(p *Program, from, to int) *Tensor {
	w, c := t.Shape[2], t.Shape[3]
	y := p.NewTensor(t.Name+".rows", t.DType, 1, to-from, w, c)
	bands := t.bands
	if bands == nil {
		bands = []*Tensor{t}
	}
	first := 0
	for _, b := range bands {
		low, high := max(from, first), min(to, first+b.Shape[1])
		if low < high {
			if t.norm != nil {
				applyNorm(p, b, y, t.norm, (low-first)*w, (low-from)*w, (high-low)*w, t.Name)
			} else {
				CopyRows(p, b, y, (low-first)*w, (low-from)*w, (high-low)*w)
			}
		}
		first += b.Shape[1]
	}
	return y
}

// conv2dInBands records a convolution whose input or result is in bands, one band of the
// result at a time.
func conv2dInBands(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions, s convShape) {
	if x.Shape[0] != 1 || o.X2 != nil || s.hUp%s.hIn != 0 || s.wUp%s.wIn != 0 {
		p.Fail("gpu: %s: %s to %s has to be cut into bands, and a batch or a second input is not: choose a smaller picture", o.Label, x, y)
		return
	}
	up := s.hUp / s.hIn
	residual := o.Residual
	out := y.bands
	rows := p.Device.bandRows(s.wOut)
	for from := 0; from < s.hOut; from += rows {
		to := min(from+rows, s.hOut)
		// top and bottom are rows of the enlarged input; source holds those of the input.
		top, bottom := max(0, from*s.stride-o.Padding), min(s.hUp, (to-1)*s.stride-o.Padding+w.Size)
		source, first := x.span(p, top/up, (bottom+up-1)/up)
		var target *Tensor
		if out != nil {
			target, out = out[0], out[1:]
		} else {
			target = p.NewTensor(o.Label, y.DType, 1, to-from, s.wOut, w.Out)
		}
		if residual != nil {
			o.Residual = residual.exactly(p, from, to)
		}
		part := s
		part.m, part.hOut = (to-from)*s.wOut, to-from
		part.hIn, part.hUp = source.Shape[1], source.Shape[1]*up
		part.top = from*s.stride - o.Padding - first*up
		dispatchConv(p, source, target, w, o, part)
		if y.bands == nil {
			CopyRows(p, target, y, 0, from*s.wOut, (to-from)*s.wOut)
		}
	}
}

// groupNormInBands records the statistics of all bands. The norm is applied later, when rows
// of the result are copied.
func groupNormInBands(p *Program, x *Tensor, w *NormWeight, o GroupNormOptions) *Tensor {
	y := newTensor(p.Device, o.Label, x.DType, x.Shape)
	h, width, channels := x.Shape[1], x.Shape[2], x.Channels()
	partial := p.NewTensor(o.Label+".partial", F32, 1, h, channels*2)
	affine := p.NewTensor(o.Label+".affine", F32, 1, channels*2)
	at := 0
	for _, b := range x.bands {
		normPartial(p, b, partial, b.Shape[1]*width, width, at, h, o)
		at += b.Shape[1]
	}
	normCombine(p, chunkedNorm{partial, affine, h * width, width, h}, w, o)
	y.bands, y.norm = x.bands, &pendingNorm{affine, o.Activation}
	return y
}
