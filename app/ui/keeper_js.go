//go:build js && wasm

package ui

import (
	"errors"
	"slices"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/loader/store/database"
)

// keeper keeps the gallery and its store in step.
type keeper struct {
	gallery *state.Gallery
	jobs    *state.Jobs
	store   state.Store
	undo    *state.Undo
	note    *state.Note
	loop    *loop
	tabs    js.Value      // the channel to other tabs
	listed  chan struct{} // closed when the gallery has the pictures of earlier visits
}

// open shows the pictures of earlier visits.
func (k *keeper) open() {
	askStorage(k.loop, "persisted", func(yes bool) {
		if yes {
			k.gallery.Persisted(true)
		}
	})
	k.loop.beside(func() func() {
		list, err := k.store.List()
		return func() {
			if errors.Is(err, database.ErrNewer) {
				k.gallery.Unreadable(err)
			}
			// Where the browser stores nothing at all, the gallery lasts as long as the page.
			k.gallery.Restored(list)
			close(k.listed)
		}
	})
	k.follow()
}

// follow listens to other tabs, which say what they have stored or deleted.
func (k *keeper) follow() {
	k.tabs = js.Global().Get("BroadcastChannel").New("imprompt-gallery")
	k.tabs.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		key := args[0].Get("data").Float()
		k.loop.beside(func() func() {
			<-k.listed
			r, err := k.store.Get(key)
			return func() {
				switch here := k.gallery.Find(key); {
				case err != nil:
				case r != nil && here != nil:
					k.gallery.TakeStar(here, r.Starred)
					here.Score = r.Score
					blobs.Revoke(r.URL)
				case r != nil:
					k.gallery.Elsewhere(r)
				case here != nil:
					k.gallery.Remove(here)
					k.jobs.Remove(here)
					blobs.Revoke(here.URL)
				}
			}
		})
		return nil
	}))
}

// tell says to other tabs that a picture has come or gone.
func (k *keeper) tell(key float64) { k.tabs.Call("postMessage", key) }

// keep puts a new result into the store.
func (k *keeper) keep(r *state.Result) {
	if k.gallery.AskToPersist() {
		askStorage(k.loop, "persist", k.gallery.Persisted)
	}
	k.loop.beside(func() func() {
		key, inputs, err := k.store.Keep(r)
		return func() {
			if text := k.gallery.Kept(r, key, inputs, err); text != "" {
				*k.note = state.Note{Text: text}
			}
			if !k.gallery.Has(r) { // it was removed meanwhile
				k.hide(r, true)
			}
			if r.Score != nil { // which came meanwhile
				k.score(r)
			}
			k.tell(r.Key)
		}
	})
}

// remove takes results out of the gallery and off the stage. They are deleted for good when they cannot be brought back
// any more.
func (k *keeper) remove(list []*state.Result) {
	var back []func()
	for _, r := range list {
		back = append(back, k.gallery.Remove(r), k.jobs.Remove(r))
		k.hide(r, true)
	}
	step := k.undo.Did(func() {
		for _, b := range slices.Backward(back) {
			b()
		}
		for _, r := range list {
			k.hide(r, false)
		}
	}, func() {
		for _, r := range list {
			blobs.Revoke(r.URL)
			k.forget(r)
		}
	})
	*k.note = state.Note{Text: texts.T("The picture was deleted."), Undo: step}
	if n := len(list); n > 1 {
		k.note.Text = texts.N(n, "%d picture was deleted.", "%d pictures were deleted.")
	}
	k.loop.later(state.UndoTime, step.Over)
}

// star stores whether a result has a star.
func (k *keeper) star(r *state.Result) {
	if r.Key == 0 {
		return // Keep stores it
	}
	k.loop.beside(func() func() {
		err := k.store.Star(r.Key, r.Starred)
		return func() {
			if err != nil {
				*k.note = state.Note{Text: texts.F("The star could not be stored: %s", texts.Translate(err.Error()))}
			}
			k.tell(r.Key)
		}
	})
}

// score stores how near a result is to what it was made from.
func (k *keeper) score(r *state.Result) {
	if r.Key == 0 {
		return // it is stored once the result is
	}
	k.loop.beside(func() func() {
		_ = k.store.Score(r.Key, *r.Score) // if it cannot be stored, it is known as long as the page is open
		return func() { k.tell(r.Key) }
	})
}

// hide has the store leave a result out, or not any more.
func (k *keeper) hide(r *state.Result, hidden bool) {
	if r.Key == 0 {
		return // it is not in the store, or not yet
	}
	k.loop.beside(func() func() {
		err := k.store.Hide(r.Key, hidden)
		return func() {
			if err != nil {
				*k.note = state.Note{Text: texts.F("The picture could not be deleted: %s", texts.Translate(err.Error()))}
			}
			k.tell(r.Key)
		}
	})
}

func (k *keeper) forget(r *state.Result) {
	if r.Key == 0 {
		return // it was never stored
	}
	k.loop.beside(func() func() {
		err := k.store.Forget(r.Key)
		return func() {
			if err != nil {
				*k.note = state.Note{Text: texts.F("The picture could not be deleted: %s", texts.Translate(err.Error()))}
			}
		}
	})
}
