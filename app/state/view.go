package state

import (
	"math"

	"github.com/imprompt/imprompt/app/texts"
)

// View is how a picture on the stage is looked at: how large, and which part of it. Until the visitor zooms, the whole
// picture fits. Places on the stage are in the screen's (CSS) pixels, from its left and top.
type View struct {
	Large  bool // a picture that fits fills the stage however small it is, as one does that is painted on
	Around bool // there is space around a picture that fits, so that its edges can be dragged outwards

	room    [2]float64 // the stage's width and height
	picture [2]float64 // the picture's, in its own pixels
	zoom    float64    // pixels of the screen for one of the picture; 0 fits
	middle  [2]float64 // the place of the picture that is in the middle of the stage, in its own pixels, while it does not fit
	held    *held      // nil while no edge is dragged
}

// held is how a picture is seen whose edges are dragged.
type held struct {
	x, y, scale float64 // of the picture without what was added to its left and above it
	added       [2]float64
}

const (
	maxFit  = 2  // how much a picture is enlarged to fit, unless the view is Large
	maxZoom = 16 // how much the visitor may enlarge it
)

// Resize takes the size of the stage.
func (v *View) Resize(width, height float64) { v.room = [2]float64{width, height} }

// Show takes the size of the picture. One of another size than the picture before fits; one of the same size is seen as
// that was, so that details can be compared.
func (v *View) Show(width, height float64) {
	if size := [2]float64{width, height}; v.picture != size {
		v.picture, v.zoom = size, 0
	}
}

// Hold keeps what is seen where it is, while the picture's edges are dragged. added is how much was added to its left and above
// it.
func (v *View) Hold(added [2]float64) {
	x, y, scale := v.Placed()
	v.held = &held{x + added[0]*scale, y + added[1]*scale, scale, added}
}

// Added says how much is added to the left and above while the edges are dragged.
func (v *View) Added(added [2]float64) {
	if v.held != nil {
		v.held.added = added
	}
}

// Release ends what Hold began: all of the picture is seen again.
func (v *View) Release() { v.held = nil }

// fit is the scale at which the whole picture is seen.
func (v *View) fit() float64 {
	if v.room[0] <= 0 || v.room[1] <= 0 || v.picture[0] <= 0 || v.picture[1] <= 0 {
		return 1
	}
	scale := min(v.room[0]/v.picture[0], v.room[1]/v.picture[1])
	const around = 0.7 // of the stage
	switch {
	case v.Around:
		return around * scale
	case v.Large:
		return scale
	}
	return min(scale, maxFit)
}

// Scale returns how many of the screen's pixels one of the picture takes.
func (v *View) Scale() float64 {
	if v.held != nil {
		return v.held.scale
	}
	if v.zoom == 0 {
		return v.fit()
	}
	return v.zoom
}

// Placed returns where on the stage the picture's left and top edges are, and its scale.
func (v *View) Placed() (x, y, scale float64) {
	scale = v.Scale()
	if h := v.held; h != nil {
		return math.Round(h.x - h.added[0]*scale), math.Round(h.y - h.added[1]*scale), scale
	}
	at := [2]float64{}
	for i, middle := range v.bounded() {
		at[i] = math.Round(v.room[i]/2 - middle*scale)
	}
	return at[0], at[1], scale
}

// bounded returns the place in the middle of the stage, such that no more is seen beside the picture than has to be.
func (v *View) bounded() [2]float64 {
	scale, middle := v.Scale(), v.middle
	for i := range middle {
		half := v.room[i] / 2 / scale
		if v.zoom == 0 || 2*half >= v.picture[i] {
			middle[i] = v.picture[i] / 2
		} else {
			middle[i] = clamp(middle[i], half, v.picture[i]-half)
		}
	}
	return middle
}

// Fits reports whether the picture has the size at which all of it is seen, and keeps it when the stage changes.
func (v *View) Fits() bool { return v.zoom == 0 }

// Beyond reports whether a part of the picture is beyond the stage's edges, so that it can be moved.
func (v *View) Beyond() bool {
	const slack = 0.5 // of rounding
	scale := v.Scale()
	return v.picture[0]*scale > v.room[0]+slack || v.picture[1]*scale > v.room[1]+slack
}

// Fit shows the whole picture.
func (v *View) Fit() { v.zoom = 0 }

// Actual shows each of the picture's pixels as one of the screen's.
func (v *View) Actual() { v.zoomTo(1, v.room[0]/2, v.room[1]/2) }

// ZoomAt enlarges the picture by a factor. What is at a place of the stage stays there, where the edges allow it.
func (v *View) ZoomAt(factor, x, y float64) {
	before := v.Scale()
	v.zoomTo(before*factor, x, y)
	// A picture that has almost the size that fits has that size.
	fit := v.fit()
	if near := math.Abs(v.zoom/fit-1) < 0.02; v.zoom == fit || near && (before < fit && factor > 1 || before > fit && factor < 1) {
		v.Fit()
	}
}

func (v *View) zoomTo(zoom, x, y float64) {
	left, top, scale := v.Placed()
	at := [2]float64{(x - left) / scale, (y - top) / scale} // in the picture
	fit := v.fit()
	v.zoom = clamp(zoom, min(fit, 1), max(fit, maxZoom))
	v.put(at, x, y)
}

// put moves the picture so that a place in it is at a place of the stage.
func (v *View) put(at [2]float64, x, y float64) {
	v.middle = [2]float64{at[0] + (v.room[0]/2-x)/v.zoom, at[1] + (v.room[1]/2-y)/v.zoom}
	v.middle = v.bounded()
}

// Pan moves the picture, up to its edges.
func (v *View) Pan(dx, dy float64) {
	if v.zoom == 0 {
		return
	}
	v.middle = v.bounded()
	v.middle = [2]float64{v.middle[0] - dx/v.zoom, v.middle[1] - dy/v.zoom}
	v.middle = v.bounded()
}

// Pinch follows two fingers from their places before to those now: what was under them stays under them.
func (v *View) Pinch(before, now [2][2]float64) {
	apart := func(p [2][2]float64) float64 { return max(1, math.Hypot(p[0][0]-p[1][0], p[0][1]-p[1][1])) }
	between := func(p [2][2]float64) (x, y float64) { return (p[0][0] + p[1][0]) / 2, (p[0][1] + p[1][1]) / 2 }
	x, y := between(before)
	v.zoomTo(v.Scale()*apart(now)/apart(before), x, y)
	toX, toY := between(now)
	v.Pan(toX-x, toY-y)
}

// Wheel zooms as the wheel turns over a place of the stage: 400 pixels of scrolling change the scale by a factor of e.
// What a browser sends for a pinch on a touchpad counts four times as much.
func (v *View) Wheel(pixels float64, pinch bool, x, y float64) {
	if pinch {
		pixels *= 4
	}
	v.ZoomAt(math.Exp(-pixels/400), x, y)
}

// Toggle shows a place of the stage larger, or again all of the picture.
func (v *View) Toggle(x, y float64) {
	if !v.Fits() {
		v.Fit()
		return
	}
	v.ZoomAt(max(2, 1/v.Scale()), x, y)
}

// Key zooms by a key or, while a part of the picture is beyond the edges, moves it by the arrow keys. It reports whether
// the key does anything.
func (v *View) Key(name string) bool {
	x, y := v.room[0]/2, v.room[1]/2
	switch name {
	case "+", "=":
		v.ZoomAt(1.25, x, y)
	case "-":
		v.ZoomAt(1/1.25, x, y)
	case "0":
		v.Fit()
	case "1":
		v.Actual()
	case "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown":
		if !v.Beyond() {
			return false
		}
		to := map[string][2]float64{"ArrowLeft": {1, 0}, "ArrowRight": {-1, 0}, "ArrowUp": {0, 1}, "ArrowDown": {0, -1}}[name]
		v.Pan(to[0]*v.room[0]/8, to[1]*v.room[1]/8)
	default:
		return false
	}
	return true
}

// Reveal moves the picture as little as it takes to see a place, given as fractions of the picture's width and height,
// with some space around it.
func (v *View) Reveal(at [2]float64) {
	const space = 24
	x, y, scale := v.Placed()
	by := [2]float64{}
	for i, edge := range [2]float64{x, y} {
		p := edge + at[i]*v.picture[i]*scale
		by[i] = clamp(p, space, max(space, v.room[i]-space)) - p
	}
	v.Pan(by[0], by[1])
}

// Seen returns where on the stage the part of the picture that is seen begins and ends, from left to right.
func (v *View) Seen() (left, right float64) {
	x, _, scale := v.Placed()
	return max(0, x), min(v.room[0], x+v.picture[0]*scale)
}

// Percent says how much the picture is enlarged.
func (v *View) Percent() string { return texts.Percent(v.Scale()) }

// Swipe returns which way a finger goes through the pictures that moved so far over the stage: 1 for the next one, which
// comes from the right, -1 for the one before, and 0 if it was no swipe.
func Swipe(x, y float64) int {
	switch {
	case math.Abs(x) < 48 || math.Abs(x) < 2*math.Abs(y):
		return 0
	case x < 0:
		return 1
	}
	return -1
}
