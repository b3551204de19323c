package pose

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// OpenPose has a neck, which is taken as the middle between the shoulders, and its own order. body has its joints as those of COCO.
const neck = -1

var body = [18]int{0, neck, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3}

// limbs are pairs of OpenPose's joints. colours are those of the joints, of which the limbs have the first ones, darker.
var (
	limbs = [17][2]int{{1, 2}, {1, 5}, {2, 3}, {3, 4}, {5, 6}, {6, 7}, {1, 8}, {8, 9}, {9, 10}, {1, 11}, {11, 12}, {12, 13}, {1, 0}, {0, 14}, {14, 16}, {0, 15}, {15, 17}}

	colours = [18][3]uint8{{255, 0, 0}, {255, 85, 0}, {255, 170, 0}, {255, 255, 0}, {170, 255, 0}, {85, 255, 0}, {0, 255, 0}, {0, 255, 85}, {0, 255, 170}, {0, 255, 255},
		{0, 170, 255}, {0, 85, 255}, {0, 0, 255}, {85, 0, 255}, {170, 0, 255}, {255, 0, 255}, {255, 0, 170}, {255, 0, 85}}
)

// Draw draws a pose as controlnet_aux's draw_bodypose does (open_pose/util.py), on black. Joints whose score is below least are left
// out, with their limbs.
func Draw(joints [Joints]Joint, least float64, width, height int) *imageproc.Image {
	m := &imageproc.Image{Width: width, Height: height, Channels: 3, Pix: make([]uint8, width*height*3)}
	var at [18]struct {
		x, y  float64 // in pixels
		known bool
	}
	for i, k := range body {
		list := []int{k}
		if k == neck {
			list = []int{5, 6}
		}
		at[i].known = true
		for _, k := range list {
			j := joints[k]
			at[i].x += float64(j.X) / float64(len(list)) * float64(width)
			at[i].y += float64(j.Y) / float64(len(list)) * float64(height)
			at[i].known = at[i].known && float64(j.Score) >= least
		}
	}
	for i, l := range limbs {
		a, b := at[l[0]], at[l[1]]
		if !a.known || !b.known {
			continue
		}
		dx, dy := a.x-b.x, a.y-b.y
		limb := ellipse(int((a.x+b.x)/2), int((a.y+b.y)/2), int(math.Sqrt(dy*dy+dx*dx)/2), int(math.Atan2(dy, dx)*180/math.Pi))
		var colour [3]uint8
		for c, v := range colours[i] {
			colour[c] = uint8(float64(v) * 0.6)
		}
		fill(m, limb, colour)
	}
	for i, a := range at {
		if !a.known {
			continue
		}
		// OpenCV's circle with a radius of 4.
		for dy, half := range [9]int{0, 2, 3, 3, 4, 3, 3, 2, 0} {
			row(m, int(a.y)+dy-4, int(a.x)-half, int(a.x)+half, colours[i])
		}
	}
	return m
}

// thickness is half the width of a limb, in pixels (stickwidth).
const thickness = 4

// point is a pixel.
type point struct{ x, y int }

// ellipse is OpenCV's ellipse2Poly: the ellipse that a limb is, whose longer half is half pixels, turned by an angle in degrees.
func ellipse(x, y, half, angle int) (list []point) {
	// OpenCV has a table of the sine of whole degrees, with seven decimals.
	sine := func(degrees int) float64 {
		return float64(float32(math.RoundToEven(math.Sin(float64(degrees)*math.Pi/180)*1e7) / 1e7))
	}
	angle = (angle + 360) % 360
	alpha, beta := sine(90+angle), sine(angle)
	for i := range 361 {
		along, across := float64(half)*sine(90+i), thickness*sine(i)
		p := point{int(math.RoundToEven(float64(x) + along*alpha - across*beta)), int(math.RoundToEven(float64(y) + along*beta + across*alpha))}
		if len(list) == 0 || p != list[len(list)-1] {
			list = append(list, p)
		}
	}
	return list
}

// fill is OpenCV's fillConvexPoly (FillConvexPoly in drawing.cpp), with coordinates of 16 binary places. It draws the outline and
// then the rows between its left and right edges.
func fill(m *imageproc.Image, v []point, colour [3]uint8) {
	n, first, bottom := len(v), 0, v[0].y
	for i, p := range v {
		line(m, v[(i+n-1)%n], p, colour)
		if p.y < v[first].y {
			first = i
		}
		bottom = max(bottom, p.y)
	}
	if n < 3 {
		return
	}
	type edge struct{ index, step, end, x, dx int }
	const one = 1 << 16
	y := v[first].y
	edges := [2]edge{{first, 1, y, -one, 0}, {first, n - 1, y, -one, 0}}
	left := n // edges that are still to come
	for ; y <= min(bottom, m.Height-1); y++ {
		for i := range edges {
			e := &edges[i]
			if y < e.end {
				continue
			}
			from, to := e.index, (e.index+e.step)%n
			for left--; left >= 0; left-- {
				if end := v[to].y; end > y {
					rows := end - y
					e.end, e.x, e.index = end, v[from].x*one, to
					e.dx = ((v[to].x-v[from].x)*one*2 + rows) / (2 * rows)
					break
				}
				from, to = to, (to+e.step)%n
			}
		}
		if left < 0 {
			return
		}
		low, high := min(edges[0].x, edges[1].x), max(edges[0].x, edges[1].x)
		row(m, y, (low+one/2)>>16, (high+one/2)>>16, colour)
		edges[0].x += edges[0].dx
		edges[1].x += edges[1].dx
	}
}

// row paints the pixels from x to end of a row, as far as they are in the picture.
func row(m *imageproc.Image, y, x, end int, colour [3]uint8) {
	if y < 0 || y >= m.Height {
		return
	}
	for x = max(x, 0); x <= min(end, m.Width-1); x++ {
		copy(m.Pix[(y*m.Width+x)*3:], colour[:])
	}
}

// line is OpenCV's LineIterator with 8 neighbours, from the left to the right.
func line(m *imageproc.Image, a, b point, colour [3]uint8) {
	if b.x < a.x {
		a, b = b, a
	}
	along, across := b.x-a.x, b.y-a.y
	down := 1
	if across < 0 {
		across, down = -across, -1
	}
	ahead, aside := point{1, 0}, point{0, down}
	if across > along {
		along, across, ahead, aside = across, along, aside, ahead
	}
	err := along - 2*across
	for range along + 1 {
		row(m, a.y, a.x, a.x, colour)
		if err < 0 {
			err += 2 * along
			a.x, a.y = a.x+aside.x, a.y+aside.y
		}
		err -= 2 * across
		a.x, a.y = a.x+ahead.x, a.y+ahead.y
	}
}
