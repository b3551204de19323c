package state

// Back has the browser's way back, such as a phone's gesture, close what is open over the page in place of leaving the
// page. As long as something is open, the page has an entry of its own in the history of the tab: the way back leads
// from that entry to the page itself.
type Back struct {
	Entered bool // the history is at the entry
	leaving bool // the page goes back itself, because nothing is open any more
}

// BackMove is what is to be done with the history.
type BackMove int

const (
	BackStay  BackMove = iota
	BackEnter          // add the entry
	BackLeave          // go back by one
)

// Settle says what is to be done, now that something is open over the page, or nothing.
func (b *Back) Settle(open bool) BackMove {
	switch {
	case b.leaving: // until Went is called
	case open && !b.Entered:
		b.Entered = true
		return BackEnter
	case !open && b.Entered:
		b.leaving = true
		return BackLeave
	}
	return BackStay
}

// Went says that the history moved, and whether it is at the entry now. It reports whether the visitor went back, so that
// what is open has to be closed.
func (b *Back) Went(atEntry bool) (closes bool) {
	closes = !atEntry && !b.leaving
	b.Entered, b.leaving = atEntry, false
	return closes
}
