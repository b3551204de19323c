//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// thumbs makes small pictures for the gallery, of what is on the screen, so that no more than those are decoded at their
// full size.
type thumbs struct {
	loop    *loop
	changed func() // has the gallery drawn again
	made    map[*state.Result]string
	order   []*state.Result // of made, the oldest first
	wanted  []*state.Result
	working bool
}

const (
	thumbSide = 320 // pixels: enough for a sharp screen
	maxThumbs = 300 // some 10 kB each
)

// url returns where a result's small picture is shown from; "" where there is none yet. A small result is its own.
func (t *thumbs) url(r *state.Result) string {
	if w, h := r.Settings.OutputSize(); max(w, h) <= thumbSide {
		return r.URL
	}
	return t.made[r]
}

// want makes the small pictures of results, in this order. What was wanted before and is not begun is not made.
func (t *thumbs) want(list []*state.Result) {
	t.wanted = list
	if !t.working {
		t.working = true
		t.loop.beside(t.work)
	}
}

// work makes what is wanted for a moment, and then has it shown.
func (t *thumbs) work() (then func()) {
	made := map[*state.Result]string{}
	for begun := time.Now(); time.Since(begun) < 80*time.Millisecond; {
		r := t.next(made)
		if r == nil {
			break
		}
		url, err := thumb(r.PNG.(js.Value))
		if err != nil {
			url = r.URL
		}
		made[r] = url
	}
	return func() {
		t.working = false
		if len(made) == 0 {
			return
		}
		for r, url := range made {
			t.made[r] = url
			t.order = append(t.order, r)
		}
		t.changed()
		t.loop.drawn(t.forget)
		t.want(t.wanted)
	}
}

// next returns the first result that is wanted and has no small picture, or nil.
func (t *thumbs) next(made map[*state.Result]string) *state.Result {
	for _, r := range t.wanted {
		if made[r] == "" && t.url(r) == "" {
			return r
		}
	}
	return nil
}

// forget lets the oldest small pictures go that are not wanted.
func (t *thumbs) forget() {
	if len(t.order) <= maxThumbs {
		return
	}
	wanted := map[*state.Result]bool{}
	for _, r := range t.wanted {
		wanted[r] = true
	}
	most, kept := len(t.order)-maxThumbs, t.order[:0:0]
	for _, r := range t.order {
		if most > 0 && !wanted[r] {
			most--
			if url := t.made[r]; url != r.URL {
				blobs.Revoke(url)
			}
			delete(t.made, r)
			continue
		}
		kept = append(kept, r)
	}
	t.order = kept
}

// thumb makes a small picture of a PNG.
func thumb(png js.Value) (url string, err error) {
	ctx := context.Background()
	whole, err := blobs.Bitmap(ctx, png)
	if err != nil {
		return "", err
	}
	defer whole.Call("close")
	width, height := whole.Get("width").Float(), whole.Get("height").Float()
	scale := min(1, thumbSide/max(width, height))
	w, h := max(1, int(scale*width)), max(1, int(scale*height))
	canvas := js.Global().Get("OffscreenCanvas").New(w, h)
	g := canvas.Call("getContext", "2d")
	g.Set("imageSmoothingQuality", "high")
	g.Call("drawImage", whole, 0, 0, w, h)
	small, err := webapi.Await(ctx, canvas.Call("convertToBlob", map[string]any{"type": "image/webp", "quality": 0.8}))
	if err != nil {
		return "", err
	}
	return blobs.URL(small), nil
}
