//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// galleryPanel shows what was made. It is drawn only when that has changed, because a step's progress need not look
// through hundreds of pictures.
type galleryPanel struct {
	app.Compo
	Changes int    // of the gallery
	Shown   string // the URL of the picture on the stage
	gallery *state.Gallery
	remove  func(*state.Result)
	note    *state.Note
	loop    *loop
}

func (g *galleryPanel) Render() app.UI {
	list := make([]app.UI, len(g.gallery.Results))
	for i, r := range g.gallery.Results {
		list[i] = app.Figure().Body(
			app.Button().Class("thumb").Aria("label", "Show: "+r.Title()).Title(r.Title()).Aria("current", fmt.Sprint(r.URL == g.Shown)).
				Body(app.Img().Src(r.URL).Role("presentation").Loading("lazy")).
				OnClick(func(app.Context, app.Event) { g.gallery.Show(r) }, key(r)),
			app.Button().Class("remove").Aria("label", "Delete: "+r.Title()).Title("Delete").Body(icon("close")).
				OnClick(func(app.Context, app.Event) { g.remove(r) }, key(r)),
		)
	}
	count := ""
	if len(list) > 0 {
		count = fmt.Sprint(len(list))
	}
	return app.Section().Class("gallery").Aria("label", "Gallery").Body(
		app.Div().Class("gallery-head").Body(
			app.H2().Body(app.Text("Gallery"), app.Span().Class("numbers quiet count").Text(count)),
			app.Button().Class("plain small").Text("Export as zip").Hidden(len(list) == 0).OnClick(func(app.Context, app.Event) { g.export() }),
		),
		app.P().Class("quiet").Hidden(g.gallery.About() == "").Text(g.gallery.About()),
		app.Div().Class("film").Hidden(len(list) == 0).Body(list...),
	)
}

// parts collects what is written as the parts of a Blob, outside of Go's memory.
type parts struct{ list js.Value }

func (w parts) Write(b []byte) (int, error) {
	w.list.Call("push", webapi.BytesOf(b))
	return len(b), nil
}

// export saves the whole gallery as a zip of PNGs.
func (g *galleryPanel) export() {
	list := g.gallery.Results // which is never changed in place
	g.loop.beside(func() func() {
		w := parts{js.Global().Get("Array").New()}
		err := state.Pack(w, list, readPNG)
		return func() {
			if err != nil {
				*g.note = state.Note{Text: "The gallery could not be packed: " + err.Error()}
				return
			}
			download("imprompt-gallery.zip", blobs.Join(w.list, "application/zip"))
		}
	})
}

func readPNG(r *state.Result) ([]byte, error) {
	b, err := blobs.Bytes(r.PNG.(js.Value))
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(b), nil
}
