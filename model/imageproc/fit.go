package imageproc

// ResizeMode says how a picture is brought to a size of other proportions. The values are those of resize_mode in
// VaeImageProcessor.
type ResizeMode string

const (
	ResizeDefault ResizeMode = "default" // stretches it
	ResizeCrop    ResizeMode = "crop"    // covers the whole size, and cuts off what sticks out at two sides
	ResizeFill    ResizeMode = "fill"    // shows all of it, and fills the borders with its outermost rows or columns
)

// Fit resizes a picture to width × height with Lanczos' filter, as VaeImageProcessor.resize does in a mode. "" is
// ResizeDefault. An unknown mode panics.
func (m *Image) Fit(width, height int, mode ResizeMode) *Image {
	switch mode {
	case "", ResizeDefault:
		return m.Resize(width, height, Lanczos)
	case ResizeCrop:
		scaled := m.scaled(width, height, true)
		return m.resizePart(scaled.width, scaled.height, Lanczos, box{-scaled.x, -scaled.y, width, height})
	case ResizeFill:
		return m.fill(width, height)
	}
	panic("imageproc: unknown resize mode " + string(mode))
}

// FillBorders returns what ResizeFill has to invent, [height, width]: 1 in the borders and 0 where the picture is.
func (m *Image) FillBorders(width, height int) []float32 {
	inside := m.scaled(width, height, false)
	mask := make([]float32, width*height)
	for i := range mask {
		x, y := i%width-inside.x, i/width-inside.y
		if x < 0 || y < 0 || x >= inside.width || y >= inside.height {
			mask[i] = 1
		}
	}
	return mask
}

// scaled returns where the whole picture lies, with its proportions kept, if it covers width × height or fits into it.
func (m *Image) scaled(width, height int, cover bool) box {
	b := box{width: width, height: height}
	// The comparison of the two ratios, without division.
	if wider := m.Width*height > width*m.Height; wider == cover {
		b.width = max(1, m.Width*height/m.Height)
	} else {
		b.height = max(1, m.Height*width/m.Width)
	}
	b.x, b.y = width/2-b.width/2, height/2-b.height/2
	return b
}

// fill is VaeImageProcessor._resize_and_fill.
func (m *Image) fill(width, height int) *Image {
	at := m.scaled(width, height, false)
	return m.Resize(at.width, at.height, Lanczos).Extend(Borders{at.x, at.y, width - at.x - at.width, height - at.y - at.height})
}

// Borders are what is added around a picture, in pixels.
type Borders struct{ Left, Top, Right, Bottom int }

// Extend adds borders around a picture, and fills them as ResizeFill does: with its outermost rows, and then those and the rest
// with the outermost columns.
func (m *Image) Extend(b Borders) *Image {
	out := m.cut(-b.Left, -b.Top, b.Left+m.Width+b.Right, b.Top+m.Height+b.Bottom)
	out.paste(m.resizeVertical(edges(m.Height, b.Top, false)), b.Left, 0)
	out.paste(m.resizeVertical(edges(m.Height, b.Bottom, true)), b.Left, b.Top+m.Height)
	if b.Left > 0 || b.Right > 0 {
		tall := out.cut(b.Left, 0, m.Width, out.Height)
		out.paste(tall.resizeHorizontal(edges(m.Width, b.Left, false)), 0, 0)
		out.paste(tall.resizeHorizontal(edges(m.Width, b.Right, true)), b.Left+m.Width, 0)
	}
	return out
}

// ExtendMask adds borders of 1 around a mask [height, width].
func ExtendMask(mask []float32, height, width int, b Borders) []float32 {
	wide := b.Left + width + b.Right
	out := make([]float32, wide*(b.Top+height+b.Bottom))
	for i := range out {
		out[i] = 1
		if x, y := i%wide-b.Left, i/wide-b.Top; x >= 0 && x < width && y >= 0 && y < height {
			out[i] = mask[y*width+x]
		}
	}
	return out
}

// edges returns the windows with which PIL resizes an empty box at the start or the end of n samples to count samples:
// a bicubic filter about the very edge, which sharpens the outermost sample a little.
func edges(n, count int, end bool) []window {
	w := window{0, []int32{1 << precisionBits}}
	if n > 1 {
		const outer, inner = 9 << (precisionBits - 3), -(1 << (precisionBits - 3)) // 9/8 and -1/8
		w.weights = []int32{outer, inner}
		if end {
			w = window{n - 2, []int32{inner, outer}}
		}
	}
	list := make([]window, count)
	for i := range list {
		list[i] = w
	}
	return list
}

// paste copies a picture over this one, with its upper left corner at (x, y). What does not fit is left out.
func (m *Image) paste(part *Image, x, y int) {
	width := min(part.Width, m.Width-x) * m.Channels
	for row := range min(part.Height, m.Height-y) {
		from, to := row*part.Width*m.Channels, ((y+row)*m.Width+x)*m.Channels
		copy(m.Pix[to:to+width], part.Pix[from:])
	}
}
