package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/loader/store"
)

func TestTitleOfTheTab(t *testing.T) {
	a, e, f := &Attention{Name: "Imprompt"}, newFakeEngine(t), newBundled(t)
	check := func(want string) {
		t.Helper()
		if got := a.Title(e.jobs, f.Library); got != want {
			t.Errorf("the title is %q, not %q", got, want)
		}
	}
	check("Imprompt")
	f.Fetch(f.Bundles()[0].Group)
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("sd15", "model", 2e9)}})
	f.answer(f.last().ID, protocol.Moved{Record: "sd15", Progress: store.Progress{Done: 1e9, Total: 2e9}})
	check("22 % · Imprompt")
	e.submit("a")
	e.answer(e.generate(), protocol.Progress{Stage: "denoise", Images: 1, Step: 1, Steps: 4})
	check("20 % · Imprompt") // a decode counts as a step
	e.draw()
	f.StopFetch()
	f.answer(f.last().ID, protocol.Stopped{})
	if a.Done("Ready") {
		t.Error("a visitor who sees the page is not told elsewhere")
	}
	a.Seen(false)
	if !a.Done("Ready") {
		t.Error("a visitor who looks elsewhere is told")
	}
	f.tasks = map[string]*task{}
	check("Ready · Imprompt")
	a.Seen(true)
	check("Imprompt")
}
