package maps

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// Canny returns the edges of a picture in white on black, as OpenCV's Canny does with an aperture of 3 (canny.cpp). An
// edge is where the gradient is a maximum across itself and greater than low, and where it is connected to such a place
// whose gradient is greater than high. The thresholds may come in either order. The gradient's length is |dx| + |dy|, or,
// with l2, the root of dx² + dy². In a colour picture, each pixel has the gradient of the channel in which it is longest.
func Canny(m *imageproc.Image, low, high float64, l2 bool) *imageproc.Image {
	low, high = min(low, high), max(low, high)
	if l2 {
		low, high = squared(low), squared(high)
	}
	c := canny{gradient: sobel(m, l2), low: clampedFloor(low), high: clampedFloor(high)}
	return c.edges()
}

// squared is what a threshold is compared with where lengths stay squares.
func squared(threshold float64) float64 {
	threshold = min(threshold, 32767)
	if threshold > 0 {
		threshold *= threshold
	}
	return threshold
}

func clampedFloor(v float64) int32 {
	return int32(math.Floor(min(max(v, math.MinInt32), math.MaxInt32)))
}

// gradient has a frame of one pixel around the picture, in which the lengths are 0.
type gradient struct {
	width, height int     // of the picture
	length        []int32 // [height + 2, width + 2], squared with l2
	x, y          []int16 // the same
}

// sobel computes the gradient with Sobel's kernels. The outermost pixels are continued beyond the border.
func sobel(m *imageproc.Image, l2 bool) gradient {
	width, height, channels := m.Width, m.Height, m.Channels
	stride := width + 2
	n := stride * (height + 2)
	g := gradient{width, height, make([]int32, n), make([]int16, n), make([]int16, n)}
	for y := range height {
		above, here, below := m.Pix[max(y-1, 0)*width*channels:], m.Pix[y*width*channels:], m.Pix[min(y+1, height-1)*width*channels:]
		for x := range width {
			left, right := max(x-1, 0)*channels, min(x+1, width-1)*channels
			at := (y+1)*stride + x + 1
			for c := range channels {
				l, r, mid := left+c, right+c, x*channels+c
				dx := int32(above[r]) - int32(above[l]) + 2*(int32(here[r])-int32(here[l])) + int32(below[r]) - int32(below[l])
				dy := int32(below[l]) - int32(above[l]) + 2*(int32(below[mid])-int32(above[mid])) + int32(below[r]) - int32(above[r])
				length := max(dx, -dx) + max(dy, -dy)
				if l2 {
					length = dx*dx + dy*dy
				}
				if c == 0 || length > g.length[at] {
					g.length[at], g.x[at], g.y[at] = length, int16(dx), int16(dy)
				}
			}
		}
	}
	return g
}

type canny struct {
	gradient
	low, high int32
	candidate []bool // what may become an edge; [height + 2, width + 2]
	found     []int  // edges whose neighbours have not been looked at
	out       *imageproc.Image
}

func (c *canny) edges() *imageproc.Image {
	stride := c.width + 2
	c.candidate = make([]bool, len(c.length))
	c.out = imageOf(c.width, c.height, 1)
	for y := 1; y <= c.height; y++ {
		for at := y*stride + 1; at <= y*stride+c.width; at++ {
			c.candidate[at] = c.length[at] > c.low && c.isMaximum(at)
		}
	}
	for at, is := range c.candidate {
		if is && c.length[at] > c.high {
			c.add(at)
		}
	}
	for len(c.found) > 0 {
		at := c.found[len(c.found)-1]
		c.found = c.found[:len(c.found)-1]
		for _, row := range [3]int{at - stride, at, at + stride} {
			for next := row - 1; next <= row+1; next++ {
				if c.candidate[next] {
					c.add(next)
				}
			}
		}
	}
	return c.out
}

func (c *canny) add(at int) {
	c.candidate[at] = false
	c.found = append(c.found, at)
	stride := c.width + 2
	c.out.Pix[(at/stride-1)*c.width+at%stride-1] = 255
}

// isMaximum reports whether the gradient is longer than that of its neighbours on both sides of the edge. Of two that are
// equal the upper or the left one wins, but on a diagonal neither does.
func (c *canny) isMaximum(at int) bool {
	// The tangent of 22.5°, in fixed point; that of 67.5° is 2 more.
	const shift = 15
	const tan22 = 13573
	stride := c.width + 2
	dx, dy := int64(c.x[at]), int64(c.y[at])
	x, y := max(dx, -dx), max(dy, -dy)<<shift
	length := c.length[at]
	switch {
	case y < x*tan22:
		return length > c.length[at-1] && length >= c.length[at+1]
	case y > x*tan22+x<<(shift+1):
		return length > c.length[at-stride] && length >= c.length[at+stride]
	}
	side := 1
	if dx^dy < 0 {
		side = -1
	}
	return length > c.length[at-stride-side] && length > c.length[at+stride+side]
}
