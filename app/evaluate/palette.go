package evaluate

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// colour is a colour of a picture as three numbers, and how many pixels have it.
type colour struct {
	at    [3]float64
	count float64
}

// paletted reduces a picture to at most n colours, so that its PNG takes a fifth of the
// bytes. The palette is Heckbert's median cut ("Color image quantization for frame buffer
// display", 1982), refined by k-means. Nothing is dithered: dithering costs more bytes
// than the colours save.
func paletted(m *image.RGBA, n int) *image.Paletted {
	colours := histogram(m)
	centres := kMeans(colours, medianCut(colours, n))
	out := image.NewPaletted(m.Bounds(), nil)
	for _, c := range centres {
		out.Palette = append(out.Palette, color.RGBA{round(c[0]), round(c[1]), round(c[2]), 255})
	}
	index := map[color.RGBA]uint8{}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			c := m.RGBAAt(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(nearest(centres, [3]float64{float64(c.R), float64(c.G), float64(c.B)}))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

func round(v float64) uint8 { return uint8(v + 0.5) }

// histogram groups the colours of a picture by five bits per channel. A group's colour is
// the mean of its pixels.
func histogram(m *image.RGBA) []colour {
	groups := map[[3]uint8]*colour{}
	for i := 0; i < len(m.Pix); i += 4 {
		p := m.Pix[i : i+3 : i+3]
		key := [3]uint8{p[0] >> 3, p[1] >> 3, p[2] >> 3}
		g := groups[key]
		if g == nil {
			g = &colour{}
			groups[key] = g
		}
		g.count++
		for c := range g.at {
			g.at[c] += float64(p[c])
		}
	}
	var list []colour
	for _, g := range groups {
		for c := range g.at {
			g.at[c] /= g.count
		}
		list = append(list, *g)
	}
	// A map has no order, but the same picture has to give the same file.
	slices.SortFunc(list, func(a, b colour) int { return slices.Compare(a.at[:], b.at[:]) })
	return list
}

// medianCut cuts the box of colours with the largest error in two, along its longest
// axis, until there are n boxes, and returns their means.
func medianCut(colours []colour, n int) [][3]float64 {
	boxes := [][]colour{slices.Clone(colours)}
	for len(boxes) < n {
		worst := slices.MaxFunc(boxes, func(a, b []colour) int { return cmp.Compare(boxError(a), boxError(b)) })
		if len(worst) < 2 {
			break
		}
		i := slices.IndexFunc(boxes, func(b []colour) bool { return &b[0] == &worst[0] })
		_, spread := meanOf(worst)
		axis := slices.Index(spread[:], slices.Max(spread[:]))
		slices.SortStableFunc(worst, func(a, b colour) int { return cmp.Compare(a.at[axis], b.at[axis]) })
		half := 0.0
		for _, c := range worst {
			half += c.count / 2
		}
		cut := 0
		for seen := 0.0; cut < len(worst)-1 && (cut == 0 || seen+worst[cut].count <= half); cut++ {
			seen += worst[cut].count
		}
		boxes[i] = worst[:cut]
		boxes = append(boxes, worst[cut:])
	}
	var means [][3]float64
	for _, b := range boxes {
		mean, _ := meanOf(b)
		means = append(means, mean)
	}
	return means
}

func boxError(box []colour) float64 {
	if len(box) < 2 {
		return 0
	}
	_, spread := meanOf(box)
	return spread[0] + spread[1] + spread[2]
}

// meanOf returns the mean of colours, and the sum of the squared distances from it along
// each axis.
func meanOf(box []colour) (mean, spread [3]float64) {
	var count float64
	for _, c := range box {
		count += c.count
		for i, v := range c.at {
			mean[i] += c.count * v
		}
	}
	for i := range mean {
		mean[i] /= count
	}
	for _, c := range box {
		for i, v := range c.at {
			spread[i] += c.count * (v - mean[i]) * (v - mean[i])
		}
	}
	return mean, spread
}

// kMeans moves each centre to the mean of the colours that are nearest to it.
func kMeans(colours []colour, centres [][3]float64) [][3]float64 {
	for range 8 {
		near := make([][]colour, len(centres))
		for _, c := range colours {
			i := nearest(centres, c.at)
			near[i] = append(near[i], c)
		}
		for i, box := range near {
			if len(box) > 0 {
				centres[i], _ = meanOf(box)
			}
		}
	}
	return centres
}

func nearest(centres [][3]float64, at [3]float64) int {
	best, least := 0, -1.0
	for i, c := range centres {
		d := 0.0
		for k, v := range c {
			d += (v - at[k]) * (v - at[k])
		}
		if least < 0 || d < least {
			best, least = i, d
		}
	}
	return best
}
