//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
)

// engine connects the jobs with the worker that draws, and brings what it says to the page.
type engine struct {
	page   *page
	worker js.Value
}

// startWorker starts a worker, whose name the worker reads, too. hear is called with its messages, and
// died when its program is over or could not be loaded.
func startWorker(ctx app.Context, name string, hear func(protocol.Message), died func(why string)) (worker js.Value) {
	worker = js.Global().Call("impromptWorker", name)
	protocol.Listen(worker, func(m protocol.Message) {
		ctx.Dispatch(func(app.Context) {
			if e, ok := m.Body.(protocol.Ended); ok {
				died(e.Message)
				return
			}
			hear(m)
		})
	})
	worker.Set("onerror", js.FuncOf(func(_ js.Value, args []js.Value) any {
		why := texts.T("its program could not be loaded")
		if m := args[0].Get("message"); m.Truthy() {
			why = m.String()
		}
		ctx.Dispatch(func(app.Context) { died(why) })
		return nil
	}))
	return worker
}

// start starts the engine's worker, if the browser can draw, and has it load the chosen model, so that it is ready
// when the visitor is.
func (e *engine) start() {
	p := e.page
	navigator := js.Global().Get("navigator")
	if !navigator.Get("gpu").Truthy() {
		p.jobs.Engine.Refusal = state.WithoutWebGPU(navigator.Get("userAgent").String(), js.Global().Get("isSecureContext").Bool())
		return
	}
	if e.worker.Truthy() {
		e.worker.Call("terminate")
	}
	var w js.Value
	current := func() bool { return e.worker.Equal(w) } // it was not given up
	name := "engine"
	if address := js.Global().Get("URL").New(js.Global().Get("location").Get("href")); address.Get("searchParams").Call("get", "kernels").String() == "gpu" {
		name = "engine with a GPU's kernels" // see gpu/README.md
	}
	w = startWorker(p.ctx, name, func(m protocol.Message) {
		if current() {
			e.tell(p.jobs.Receive(m))
		}
	}, func(why string) {
		if current() {
			e.worker = js.Undefined()
			w.Call("terminate")
			e.tell(p.jobs.Died(why, navigator.Get("onLine").Bool()))
		}
	})
	e.worker = w
	p.composer.LoseMap()
	p.jobs.Connect(protocol.NewLine(func(m protocol.Message) { protocol.Post(w, m) }))
	if l, ok := p.library.ToLoad(p.composer.Settings); ok {
		p.jobs.Load(l)
	}
}

// tell brings the engine's news to the rest of the page.
func (e *engine) tell(n state.News) {
	p := e.page
	if n.Restart {
		e.start()
	}
	if n.Note != "" {
		p.note = state.Note{Text: n.Note}
	}
	if n.Problem.Text != "" {
		p.composer.Problems[state.AtGo] = n.Problem
	}
	if n.Embeds != nil {
		download(n.EmbedsName, blobs.New(n.Embeds, ""))
		p.note = state.Note{Text: texts.F("%s is saved. Add it as an image prompt to use it in place of the picture.", n.EmbedsName)}
	}
	if n.Counted != nil {
		p.composer.Tokens = *n.Counted
	}
	if n.Map != nil {
		p.takeMap(*n.Map)
	}
	if n.Loaded {
		p.countTokens()
	}
	if n.Preview != nil {
		p.ctx.Defer(func(app.Context) { showPreview(n.Preview.(js.Value)) })
	}
	if r := n.Result; r != nil {
		b := blobs.New(r.PNG, "image/png")
		r.PNG, r.URL = b, blobs.URL(b)
		p.gallery.Made(r, len(p.jobs.Shots) == 1)
		p.keeper.keep(r)
		if !p.jobs.Waiting() {
			p.done(texts.T("Ready"), r.Title())
		}
	}
}

// showPreview puts a picture in the making, an ImageBitmap, on the stage's canvas.
func showPreview(bitmap js.Value) {
	canvas := byID("preview")
	if !canvas.Truthy() {
		bitmap.Call("close")
		return
	}
	canvas.Call("getContext", "bitmaprenderer").Call("transferFromImageBitmap", bitmap)
}

func (p *page) countTokens() { p.jobs.Count(p.library.Tokens(p.composer.Settings)) }
