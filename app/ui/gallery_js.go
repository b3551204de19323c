//go:build js && wasm

package ui

import (
	"archive/zip"
	"fmt"
	"io"
	"slices"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// gallery is a component of its own, drawn anew only when it changed: a step's progress
// need not look through hundreds of pictures.
type gallery struct {
	app.Compo
	Drawn int      // page.drawn
	Shown string   // the address of the picture on the stage
	page  *page    // the same all the time
	_     struct{} // fields by name only
}

func (g *gallery) Render() app.UI {
	p := g.page
	list := make([]app.UI, len(p.gallery))
	for i, r := range p.gallery {
		list[i] = app.Figure().Body(
			app.Button().Class("thumb").Aria("label", "Show: "+title(r)).Title(title(r)).Aria("current", fmt.Sprint(r.url == g.Shown)).
				Body(app.Img().Src(r.url).Role("presentation").Loading("lazy")).
				OnClick(func(app.Context, app.Event) { p.show(r) }, key(r)),
			app.Button().Class("remove").Aria("label", "Delete: "+title(r)).Title("Delete").Body(icon("close")).
				OnClick(func(app.Context, app.Event) { p.remove(r) }, key(r)),
		)
	}
	count := ""
	if len(list) > 0 {
		count = fmt.Sprint(len(list))
	}
	return app.Section().Class("gallery").Aria("label", "Gallery").Body(
		app.Div().Class("gallery-head").Body(
			app.H2().Body(app.Text("Gallery"), app.Span().Class("numbers quiet count").Text(count)),
			app.Button().Class("plain small").Text("Export as zip").Hidden(len(list) == 0).OnClick(func(app.Context, app.Event) { p.export() }),
		),
		app.P().Class("quiet").Hidden(len(list) > 0).Text("What you make is kept here, on this machine."),
		app.Div().Class("film").Hidden(len(list) == 0).Body(list...),
	)
}

func title(r *result) string {
	name := r.settings.Prompt
	if name == "" {
		name = fmt.Sprintf("picture of seed %d", r.settings.Seed)
	}
	if r.label != "" {
		name += ", " + r.label
	}
	return name
}

// show puts an earlier picture on the stage.
func (p *page) show(r *result) {
	p.shown, p.follow, p.actualSize = r, false, false
}

// remove deletes a result from the gallery and its store.
func (p *page) remove(r *result) {
	if i := slices.Index(p.gallery, r); i >= 0 {
		p.gallery = slices.Delete(slices.Clone(p.gallery), i, i+1)
		p.drawn++
	}
	if p.shown == r {
		p.shown = nil
	}
	for _, s := range p.shots {
		if s.result == r {
			s.result, s.skipped = nil, true
		}
	}
	if !p.busy && !slices.ContainsFunc(p.shots, func(s *shot) bool { return s.result != nil }) {
		p.shots = nil
	}
	revoke(r.url)
	p.ctx.Async(func() {
		if r.key == 0 {
			return
		}
		if err := p.forget(r); err != nil {
			p.ctx.Dispatch(func(app.Context) { p.note = state.Note{Text: "The picture could not be deleted: " + err.Error()} })
		}
	})
}

// parts collects what is written as parts of a Blob, outside of Go's memory.
type parts struct{ list js.Value }

func (w parts) Write(b []byte) (int, error) {
	w.list.Call("push", webapi.BytesOf(b))
	return len(b), nil
}

// export saves the whole gallery as a zip of PNGs.
func (p *page) export() {
	list := slices.Clone(p.gallery)
	p.ctx.Async(func() {
		w := parts{js.Global().Get("Array").New()}
		if err := pack(w, list); err != nil {
			p.ctx.Dispatch(func(app.Context) { p.note = state.Note{Text: "The gallery could not be packed: " + err.Error()} })
			return
		}
		download("imprompt-gallery.zip", js.Global().Get("Blob").New(w.list, map[string]any{"type": "application/zip"}))
	})
}

func pack(w io.Writer, list []*result) error {
	z := zip.NewWriter(w)
	for i, r := range list {
		data, err := bytesOf(r.blob)
		if err != nil {
			return err
		}
		// Stored: a PNG does not shrink.
		f, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("imprompt-%04d-seed-%d.png", len(list)-i, r.settings.Seed), Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := f.Write(webapi.GoBytes(data)); err != nil {
			return err
		}
	}
	return z.Close()
}
