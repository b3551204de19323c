package state

import "slices"

// Selection is which results of the gallery the visitor has picked, to do something with all of them.
type Selection struct {
	picked map[*Result]bool
	active *Result // the one that keys act on
	anchor *Result // where a range begins
	// Picking has a press pick a result instead of showing it, for touch screens, which have no Ctrl.
	Picking bool
}

// Active returns the result that keys act on, or nil.
func (g *Gallery) Active() *Result { return g.active }

// Picked reports whether a result is picked.
func (g *Gallery) Picked(r *Result) bool { return g.picked[r] }

// PickedCount returns how many results are picked.
func (g *Gallery) PickedCount() int { return len(g.picked) }

// Selected returns the picked results in the order of the gallery, the latest first.
func (g *Gallery) Selected() (list []*Result) {
	for _, r := range g.Results {
		if g.picked[r] {
			list = append(list, r)
		}
	}
	return list
}

// Targets returns what a key acts on: what is picked or, if that is nothing, the active result.
func (g *Gallery) Targets() []*Result {
	if list := g.Selected(); list != nil || g.active == nil {
		return list
	}
	return []*Result{g.active}
}

// Unpick picks nothing any more.
func (g *Gallery) Unpick() {
	g.picked, g.Picking, g.anchor = nil, false, nil
	g.Changes++
}

// PickAll picks everything that is listed.
func (g *Gallery) PickAll() { g.pickOnly(g.Listed()) }

// Toggle picks a result, or not any more.
func (g *Gallery) Toggle(r *Result) {
	if g.picked == nil {
		g.picked = map[*Result]bool{}
	}
	if g.picked[r] {
		delete(g.picked, r)
	} else {
		g.picked[r] = true
	}
	g.active, g.anchor = r, r
	g.Changes++
}

// Press does what a press of the pointer on a result does: it shows the result, toggles it with Ctrl, or picks a range
// with Shift. wide is whether the stage is beside the gallery; a picture is shown in the lightbox otherwise.
func (g *Gallery) Press(r *Result, ctrl, shift, wide bool) {
	switch {
	case shift && g.from() != nil:
		g.reach(r)
	case ctrl || g.Picking:
		g.Toggle(r)
	default:
		g.Unpick()
		g.active, g.anchor = r, r
		g.Show(r)
		g.Lightbox = g.Opened || !wide
	}
}

// from is where a range begins: at the anchor, or else at what is shown.
func (g *Gallery) from() *Result {
	if g.anchor == nil {
		return g.Shown
	}
	return g.anchor
}

// reach picks the range from the anchor to a result, and nothing else.
func (g *Gallery) reach(r *Result) {
	list, from := g.Listed(), g.from()
	i, j := slices.Index(list, from), slices.Index(list, r)
	if i < 0 || j < 0 {
		g.Toggle(r)
		return
	}
	g.pickOnly(list[min(i, j) : max(i, j)+1])
	g.active, g.anchor = r, from
}

func (g *Gallery) pickOnly(list []*Result) {
	g.picked = map[*Result]bool{}
	for _, r := range list {
		g.picked[r] = true
	}
	g.Changes++
}

// leave forgets a result that is being removed. The one after it takes its place for the keys.
func (g *Gallery) leave(r *Result) {
	delete(g.picked, r)
	if g.anchor == r {
		g.anchor = nil
	}
	if g.active == r {
		g.active = g.beside(r, 1)
		if g.active == nil {
			g.active = g.beside(r, -1)
		}
	}
}

// beside returns the listed result that is so many places after another, or nil.
func (g *Gallery) beside(r *Result, by int) *Result {
	list := g.Listed()
	i := slices.Index(list, r)
	if i < 0 || i+by < 0 || i+by >= len(list) {
		return nil
	}
	return list[i+by]
}

// GalleryKey is what a key that is pressed in the gallery asks for.
type GalleryKey int

// What keys ask for.
const (
	KeyUnknown GalleryKey = iota // the key is for others
	KeyDone                      // it has been done
	KeyStar                      // give the Targets a star, or take it away
	KeyDelete                    // delete the Targets
)

// Key takes a key that is pressed in the gallery. columns is how many results a line of it has, and lines how many lines
// are seen at once.
func (g *Gallery) Key(name string, ctrl, shift bool, columns, lines int) GalleryKey {
	list := g.Listed()
	if len(list) == 0 {
		return KeyUnknown
	}
	at := slices.Index(list, g.active)
	to := -1
	switch name {
	case "ArrowRight":
		to = at + 1
	case "ArrowLeft":
		to = max(0, at-1)
	case "ArrowDown", "ArrowUp":
		if columns == 1 { // a film has no line below
			return KeyUnknown
		}
		to = at + columns
		if name == "ArrowUp" {
			to = at - columns
		}
		if to < 0 || to >= len(list) {
			return KeyDone
		}
	case "PageDown":
		to = at + max(1, columns*lines)
	case "PageUp":
		to = max(0, at-max(1, columns*lines))
	case "Home":
		to = 0
	case "End":
		to = len(list) - 1
	case "a":
		if !ctrl {
			return KeyUnknown
		}
		g.PickAll()
		return KeyDone
	case "Escape":
		if len(g.picked) == 0 && !g.Picking {
			return KeyUnknown
		}
		g.Unpick()
		return KeyDone
	case " ", "Enter":
		if g.active == nil {
			return KeyUnknown
		}
		if name == " " {
			g.Toggle(g.active)
		} else {
			g.Press(g.active, false, false, true)
		}
		return KeyDone
	case "s", "Delete":
		if ctrl || len(g.Targets()) == 0 {
			return KeyUnknown
		}
		if name == "s" {
			return KeyStar
		}
		return KeyDelete
	default:
		return KeyUnknown
	}
	to = min(max(to, 0), len(list)-1)
	if shift {
		if g.anchor == nil {
			g.anchor = g.active
		}
		g.reach(list[to])
		return KeyDone
	}
	g.active, g.anchor = list[to], list[to]
	if !g.Opened && len(g.picked) == 0 {
		g.Show(g.active)
	}
	g.Changes++
	return KeyDone
}

// Step shows the result that is so many places after the one in the lightbox, and reports whether there is one.
func (g *Gallery) Step(by int) bool {
	r := g.beside(g.Shown, by)
	if r == nil {
		return false
	}
	g.Show(r)
	g.active, g.anchor = r, r
	g.Changes++
	return true
}
