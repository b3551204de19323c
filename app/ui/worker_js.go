//go:build js && wasm && !cli

package ui

import (
	"bytes"
	"errors"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// startWorker opens the engine's worker and has it load the model that ships, so that
// it is ready when the visitor is.
func (p *page) startWorker() {
	if !js.Global().Get("navigator").Get("gpu").Truthy() {
		p.noGPU = "This browser has no WebGPU, with which Imprompt draws on your own graphics card. A current Chrome or Edge has it; in Firefox and Safari it may have to be switched on."
		return
	}
	url := js.Global().Get("URL").New("web/js/worker.js", js.Global().Get("document").Get("baseURI"))
	p.worker = js.Global().Get("Worker").New(url, map[string]any{"type": "module"})
	p.worker.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		p.ctx.Dispatch(func(app.Context) { p.receive(m) })
		return nil
	}))
	p.worker.Set("onerror", js.FuncOf(func(_ js.Value, args []js.Value) any {
		p.ctx.Dispatch(func(app.Context) {
			p.failed("The engine could not start: " + args[0].Get("message").String() + ". Reload the page to try again.")
		})
		return nil
	}))
}

func (p *page) send(j job) {
	s := j.settings
	pictures := map[string]any{}
	for name, b := range j.pictures {
		pictures[name] = gpu.BytesOf(b)
	}
	p.worker.Call("postMessage", map[string]any{"type": "generate", "id": j.id, "settings": toJSON(s), "pictures": pictures})
}

func (p *page) countTokens() {
	if p.worker.Truthy() {
		p.worker.Call("postMessage", map[string]any{"type": "tokens", "prompt": p.prompt, "negative": p.negative})
	}
}

func (p *page) failed(text string) {
	p.problem = text
	p.queue = nil
	p.next()
}

// receive takes a message of the worker.
func (p *page) receive(m js.Value) {
	number := func(name string) float64 { return m.Get(name).Float() }
	switch m.Get("type").String() {
	case "started":
		p.worker.Call("postMessage", map[string]any{"type": "load", "model": p.m.chosen.ID})
	case "ready":
		p.adapter.name, p.adapter.vendor, p.adapter.architecture = m.Get("adapter").String(), m.Get("vendor").String(), m.Get("architecture").String()
		p.adapter.f16, p.adapter.software, p.adapter.ready = m.Get("f16").Bool(), m.Get("software").Bool(), true
		p.adapter.maxBuffer, p.adapter.maxBinding = m.Get("maxBuffer").Int(), m.Get("maxBinding").Int()
	case "loaded":
		p.adapter.memory = m.Get("memory").Int()
		if !p.busy {
			p.progress = progress{}
		}
		p.countTokens()
	case "tokens":
		for i, name := range []string{"prompt", "negative"} {
			t := m.Get(name)
			p.tokens[i] = tokenCount{t.Get("count").Int(), t.Get("limit").Int(), t.Get("overflow").String()}
		}
	case "progress":
		p.progress = progress{stage: m.Get("stage").String(), done: number("done"), total: number("total"), step: m.Get("step").Int(), steps: m.Get("steps").Int(),
			image: m.Get("image").Int(), images: m.Get("images").Int(), secondsPerStep: number("secondsPerStep")}
		left := p.progress.steps - p.progress.step + p.progress.steps*max(0, p.progress.images-1-p.progress.image)
		p.progress.left = float64(left) * p.progress.secondsPerStep
	case "preview":
		p.showPreview(m.Get("bitmap"))
	case "result":
		p.finished(m)
	case "done":
		p.adapter.memory, p.adapter.peak, p.adapter.pipelines = m.Get("memory").Int(), m.Get("peak").Int(), m.Get("pipelines").Int()
		p.next()
	case "stopped":
		p.queue = nil
		p.next()
	case "permission":
		p.failed("The browser asks again, after a reload, whether this page may read " + p.m.chosen.Name + " on your disk: press Generate and allow it.")
	case "lost":
		p.failed("The GPU was taken away (" + m.Get("message").String() + "). Your settings are kept: Generate opens it again.")
	case "error":
		text := m.Get("message").String()
		if !p.adapter.ready {
			p.noGPU = "Imprompt could not open your graphics card: " + text + ". Close other pages that use it, update its driver or the browser, and reload."
		}
		p.failed(text)
	}
}

// showPreview puts a picture in the making on the stage's canvas.
func (p *page) showPreview(bitmap js.Value) {
	p.preview = true
	p.ctx.Defer(func(app.Context) {
		canvas := js.Global().Get("document").Call("getElementById", "preview")
		if !canvas.Truthy() {
			bitmap.Call("close")
			return
		}
		canvas.Set("width", bitmap.Get("width"))
		canvas.Set("height", bitmap.Get("height"))
		canvas.Call("getContext", "bitmaprenderer").Call("transferFromImageBitmap", bitmap)
	})
}

func (p *page) finished(m js.Value) {
	r := &result{png: gpu.GoBytes(m.Get("png")), label: p.current.label}
	var err error
	// The picture says itself what it was made from.
	if r.settings, err = settings.ReadPNG(bytes.NewReader(r.png)); err != nil {
		var partial *settings.Partial
		if !errors.As(err, &partial) {
			p.failed(err.Error())
			return
		}
	}
	r.url = objectURL(r.png, "image/png")
	p.results = append(p.results, r)
	p.shown = r
	p.preview = false
	p.gallery = append([]*result{r}, p.gallery...)
	p.ctx.Async(func() { store(r) })
}

// objectURL is an address for bytes, which the browser keeps until it is revoked.
func objectURL(b []byte, kind string) string {
	blob := js.Global().Get("Blob").New([]any{gpu.BytesOf(b)}, map[string]any{"type": kind})
	return js.Global().Get("URL").Call("createObjectURL", blob).String()
}

// takeFiles makes dropped or pasted files image prompts; a PNG of ours, or of
// A1111's, restores its settings instead.
func (p *page) takeFiles(files js.Value) {
	for i := range files.Length() {
		file := files.Index(i)
		p.ctx.Async(func() {
			b, err := readFile(file)
			p.ctx.Dispatch(func(app.Context) {
				if err != nil {
					p.problem = err.Error()
					return
				}
				s, err := settings.ReadPNG(bytes.NewReader(b))
				var partial *settings.Partial
				switch {
				case err == nil:
					p.restore(s, nil)
				case errors.As(err, &partial):
					p.restore(s, partial.LeftOut)
				default:
					p.addPrompt(&picture{name: file.Get("name").String(), bytes: b, url: objectURL(b, file.Get("type").String())})
				}
			})
		})
	}
}
