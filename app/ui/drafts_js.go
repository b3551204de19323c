//go:build js && wasm

package ui

import (
	"sync"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/draftstore"
)

// drafts keeps what is composed and under way for the next page.
type drafts struct {
	page    *page
	drafter *state.Drafter // nil until the tab's place is known
	soon    *time.Timer    // until the next save
	failed  bool           // the visitor was told that nothing is kept
	saving  sync.Mutex     // files are stored one set after another
}

// open takes up what an earlier page left.
func (d *drafts) open() {
	p := d.page
	on("pagehide", func(js.Value) { d.save() })
	on("visibilitychange", func(js.Value) { d.save() })
	p.loop.beside(func() func() {
		drafter := state.NewDrafter(p.composer, p.jobs, draftstore.Open())
		left := drafter.Open(browser{})
		if left.UnderWay() {
			<-p.keeper.listed // pictures of the same request are in the gallery
		}
		return func() {
			d.drafter = drafter
			d.takeUp(drafter.Take(left, p.gallery))
			p.intake.restored()
		}
	})
}

// takeUp goes on with the request that an earlier page left unfinished.
func (d *drafts) takeUp(u state.Unfinished) {
	p := d.page
	if len(u.Jobs) == 0 || p.jobs.Busy() {
		return
	}
	resume := func() {
		p.gallery.Requested()
		p.jobs.Resume(u)
	}
	if u.Takeable() {
		resume()
		p.note = state.Note{Text: texts.T("The page was left while a picture was being drawn: it was begun again.")}
		return
	}
	p.note = state.Note{Text: texts.T("The page was left twice while a picture was being drawn."), Action: texts.T("Begin it again"), Do: func() {
		p.note = state.Note{}
		resume()
	}}
}

// later saves in a moment, once for all that is drawn until then.
func (d *drafts) later() {
	if d.soon == nil {
		d.soon = time.AfterFunc(400*time.Millisecond, func() {
			d.soon = nil
			d.save()
		})
	}
}

// save saves what has changed.
func (d *drafts) save() {
	if d.drafter == nil {
		return
	}
	files, err := d.drafter.Save()
	if err != nil {
		d.tell(err)
	}
	if files == nil {
		return
	}
	go func() {
		d.saving.Lock()
		defer d.saving.Unlock()
		if err := files(); err != nil {
			d.tell(err)
		}
	}()
}

func (d *drafts) tell(err error) {
	if !d.failed {
		d.failed = true
		d.page.loop.dispatch(func() {
			d.page.note = state.Note{Text: texts.F("The browser cannot keep what is composed for the next visit (%s).", texts.Translate(err.Error()))}
		})
	}
}
