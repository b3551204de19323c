package state

import "testing"

// tab is the history of a tab, with a page before ours.
type tab struct {
	t    *testing.T
	back Back
	list []bool // whether an entry is that of what is open, from our page on
	at   int
	open int // how much is open over the page
}

func (b *tab) settle() {
	switch b.back.Settle(b.open > 0) {
	case BackEnter:
		b.list = append(b.list[:b.at+1], true)
		b.at++
	case BackLeave:
		b.goBack()
	}
}

// goBack goes back as the browser does, and reports whether that left the page.
func (b *tab) goBack() (left bool) {
	if b.at == 0 {
		return true
	}
	b.move(-1)
	return false
}

func (b *tab) move(by int) {
	b.at += by
	if b.back.Went(b.list[b.at]) {
		b.open--
	}
	b.settle()
}

// The way back closes what is open, one after another, and then leaves the page at once.
func TestBack(t *testing.T) {
	b := &tab{t: t, list: []bool{false}}
	b.open = 2 // a drawer over the lightbox
	b.settle()
	for want := 1; want >= 0; want-- {
		if b.goBack() || b.open != want {
			t.Fatalf("%d are open, want %d", b.open, want)
		}
	}
	if !b.goBack() {
		t.Error("the page cannot be left")
	}
	// What its own button closes leaves nothing behind.
	b.open = 1
	b.settle()
	b.open = 0
	b.settle()
	if b.at != 0 || !b.goBack() {
		t.Errorf("the history is at %d", b.at)
	}
	// The way forward leads to no empty entry.
	if len(b.list) > 1 {
		b.move(1)
	}
	if b.at != 0 || !b.goBack() {
		t.Errorf("after the way forward, the history is at %d", b.at)
	}
	// A page that is loaded anew at the entry returns from it, as nothing is open.
	b = &tab{t: t, list: []bool{false, true}, at: 1, back: Back{Entered: true}}
	if b.settle(); b.at != 0 || !b.goBack() {
		t.Errorf("after a reload, the history is at %d", b.at)
	}
}
