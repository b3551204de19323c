//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/state"
)

// adapter is what the engine said of its GPU.
type adapter struct {
	name, vendor, architecture string
	f16, software, ready       bool
	maxBuffer, maxBinding      int
	workgroup                  int
	memory, peak, pipelines    int
}

type progress struct {
	stage          string
	done, total    float64 // bytes
	fraction       float64 // of the shaders
	step, steps    int
	image, images  int
	secondsPerStep float64
}

// startWorker opens the engine's worker and has it load the model, so that it is ready
// when the visitor is.
func (p *page) startWorker() {
	p.noEngine = missing()
	if p.noEngine.title != "" {
		return
	}
	p.adapter = adapter{}
	url := js.Global().Get("URL").New("web/js/worker.js", js.Global().Get("document").Get("baseURI"))
	w := js.Global().Get("Worker").New(url, map[string]any{"type": "module"})
	p.worker = w
	w.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		p.ctx.Dispatch(func(app.Context) {
			if p.worker.Equal(w) { // not of one that was given up
				p.receive(m)
			}
		})
		return nil
	}))
	w.Set("onerror", js.FuncOf(func(_ js.Value, args []js.Value) any {
		text := "its program could not be loaded"
		if m := args[0].Get("message"); m.Truthy() {
			text = m.String()
		}
		p.ctx.Dispatch(func(app.Context) {
			if p.worker.Equal(w) {
				p.ended(text)
			}
		})
		return nil
	}))
}

func (p *page) post(kind string) { p.worker.Call("postMessage", map[string]any{"type": kind}) }

// load has the chosen model loaded before it is needed.
func (p *page) load() {
	p.worker.Call("postMessage", map[string]any{"type": "load", "model": p.m.chosen.ID})
}

func (p *page) send(j job) {
	p.worker.Call("postMessage", map[string]any{"type": "generate", "id": j.id, "settings": toJSON(j.settings), "pictures": j.inputs})
}

func (p *page) countTokens() {
	if p.worker.Truthy() {
		p.worker.Call("postMessage", map[string]any{"type": "tokens", "prompt": p.composer.Settings.Prompt, "negative": p.composer.Settings.NegativePrompt})
	}
}

// failed ends the request.
func (p *page) failed(text string) {
	p.composer.Problems[state.AtGo] = text
	p.queue = nil
	p.passed()
	p.next()
}

// ended says that the worker is no more. Before it was ready there is no engine;
// afterwards another takes its place.
func (p *page) ended(why string) {
	p.worker.Call("terminate")
	if !p.adapter.ready {
		text := "It could not be loaded: " + why + ". "
		if js.Global().Get("navigator").Get("onLine").Bool() {
			text += "Try again, or reload the page."
		} else {
			text += "There is no network, and this page was not kept for use without one."
		}
		p.noEngine = refusal{"The engine could not start", text}
		p.failed("")
		return
	}
	wasBusy := p.busy
	p.startWorker()
	if wasBusy {
		p.failed("The engine stopped (" + why + "), for want of memory perhaps: try a smaller size. It was started again, and your settings are kept.")
	}
}

// receive takes a message of the worker.
func (p *page) receive(m js.Value) {
	number := func(name string) float64 { return m.Get(name).Float() }
	switch m.Get("type").String() {
	case "started":
		p.load()
	case "ready":
		p.adapter = adapter{name: m.Get("adapter").String(), vendor: m.Get("vendor").String(), architecture: m.Get("architecture").String(),
			f16: m.Get("f16").Bool(), software: m.Get("software").Bool(), ready: true,
			maxBuffer: m.Get("maxBuffer").Int(), maxBinding: m.Get("maxBinding").Int(), workgroup: m.Get("workgroup").Int()}
	case "loaded":
		p.adapter.memory = m.Get("memory").Int()
		if !p.busy {
			p.progress = progress{}
		}
		p.countTokens()
	case "tokens":
		count := func(t js.Value) protocol.Count {
			return protocol.Count{Tokens: t.Get("count").Int(), Limit: t.Get("limit").Int(), Overflow: t.Get("overflow").String()}
		}
		p.composer.Tokens = protocol.Counted{Prompt: count(m.Get("prompt")), Negative: count(m.Get("negative"))}
	case "progress":
		at := p.at()
		p.progress = progress{stage: m.Get("stage").String(), done: number("done"), total: number("total"), fraction: number("fraction"),
			step: m.Get("step").Int(), steps: m.Get("steps").Int(), image: m.Get("image").Int(), images: m.Get("images").Int(), secondsPerStep: number("secondsPerStep")}
		if now := p.at(); at != nil && now != at && at.result == nil {
			at.skipped, p.preview = true, false
		}
	case "preview":
		p.showPreview(m.Get("bitmap"))
	case "result":
		p.finished(m)
	case "done":
		p.adapter.memory, p.adapter.peak, p.adapter.pipelines = m.Get("memory").Int(), m.Get("peak").Int(), m.Get("pipelines").Int()
		p.passed()
		p.next()
	case "stopped":
		p.queue = nil
		p.passed()
		p.next()
	case "permission":
		p.failed("The browser asks again, after a reload, whether this page may read " + p.m.chosen.Name + " on your disk: press Generate and allow it.")
	case "warning":
		p.note = state.Note{Text: m.Get("message").String()}
	case "lost":
		p.lost(m.Get("message").String())
	case "ended":
		p.ended(m.Get("message").String())
	case "error":
		text := m.Get("message").String()
		if kind := m.Get("kind").String(); kind != "" {
			p.noEngine = refused(kind, text)
			text = ""
		}
		p.failed(text)
	}
}

// lost goes on with a new GPU, once for a picture: one that loses the GPU each time
// shall not do so for ever.
func (p *page) lost(why string) {
	p.adapter.ready = false
	if !p.busy {
		p.load()
		return
	}
	if p.current.again {
		p.failed("The graphics card was taken away twice (" + why + "). Your settings are kept: try a smaller size, or close other programs that use it, then Generate again.")
		return
	}
	p.note = state.Note{Text: "The graphics card was taken away (" + why + "). It was opened again, and the picture is begun anew with your settings."}
	p.current.again, p.preview = true, false
	p.sendCurrent()
}

// showPreview puts a picture in the making on the stage's canvas.
func (p *page) showPreview(bitmap js.Value) {
	p.preview = true
	p.ctx.Defer(func(app.Context) {
		canvas := byID("preview")
		if !canvas.Truthy() {
			bitmap.Call("close")
			return
		}
		canvas.Call("getContext", "bitmaprenderer").Call("transferFromImageBitmap", bitmap)
	})
}
