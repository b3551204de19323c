//go:build js && wasm

package ui

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/store/database"
)

// keeper keeps the gallery and its store in step.
type keeper struct {
	gallery *state.Gallery
	jobs    *state.Jobs
	store   state.Store
	note    *state.Note
	loop    *loop
}

// open shows the pictures of earlier visits.
func (k *keeper) open() {
	k.loop.beside(func() func() {
		list, err := k.store.List()
		return func() {
			if errors.Is(err, database.ErrNewer) {
				k.gallery.Unreadable(err)
			}
			// Where the browser stores nothing at all, the gallery lasts as long as the page.
			k.gallery.Opened(list)
		}
	})
}

// keep puts a new result into the store.
func (k *keeper) keep(r *state.Result) {
	if k.gallery.AskToPersist() {
		k.persist()
	}
	k.loop.beside(func() func() {
		key, inputs, err := k.store.Keep(r)
		return func() {
			if text := k.gallery.Kept(r, key, inputs, err); text != "" {
				*k.note = state.Note{Text: text}
			}
			if !k.gallery.Has(r) { // it was removed meanwhile
				k.forget(r)
			}
		}
	})
}

// persist asks the browser not to clear the pictures when the disk runs full.
func (k *keeper) persist() {
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || storage.Get("persist").Type() != js.TypeFunction {
		return
	}
	k.loop.beside(func() func() {
		granted, err := webapi.Await(context.Background(), storage.Call("persist"))
		return func() { k.gallery.Persisted(err == nil && granted.Bool()) }
	})
}

// remove deletes a result from the gallery, the stage and the store.
func (k *keeper) remove(r *state.Result) {
	k.gallery.Remove(r)
	k.jobs.Remove(r)
	blobs.Revoke(r.URL)
	k.forget(r)
}

func (k *keeper) forget(r *state.Result) {
	if r.Key == 0 {
		return // it is not in the store, or not yet
	}
	k.loop.beside(func() func() {
		err := k.store.Forget(r.Key)
		return func() {
			if err != nil {
				*k.note = state.Note{Text: "The picture could not be deleted: " + err.Error()}
			}
		}
	})
}
