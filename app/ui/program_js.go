//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// program is what makes a program of the page: it can be installed, opened with files, and the device stays awake while
// it works.
type program struct {
	page    *page
	install js.Value // the browser's offer; not truthy where there is none
	awake   js.Value // a WakeLockSentinel; not truthy while the device may sleep
	asking  bool     // for it
}

func (g *program) listen() {
	g.install = js.Global().Get("impromptInstall") // set by web/js/boot.js
	on("imprompt-install", func(js.Value) {
		g.page.loop.dispatch(func() { g.install = js.Global().Get("impromptInstall") })
	})
	on("visibilitychange", func(js.Value) { g.keepAwake() }) // the browser takes the lock away from a page that is not seen
	if queue := js.Global().Get("launchQueue"); queue.Truthy() {
		queue.Call("setConsumer", js.FuncOf(func(_ js.Value, args []js.Value) any {
			if handles := args[0].Get("files"); handles.Truthy() {
				g.open(handles)
			}
			return nil
		}))
	}
	g.shared()
}

// canInstall reports whether the browser offers to install the page.
func (g *program) canInstall() bool { return g.install.Truthy() }

// ask shows the browser's own question.
func (g *program) ask() {
	g.install.Call("prompt")
	g.install = js.Undefined()
	js.Global().Set("impromptInstall", js.Undefined())
}

// open takes files that the page was opened with, from the system's files.
func (g *program) open(handles js.Value) {
	g.page.loop.beside(func() func() {
		files := js.Global().Get("Array").New()
		for i := range handles.Length() {
			if file, err := webapi.Await(context.Background(), handles.Index(i).Call("getFile")); err == nil {
				file.Set("handle", handles.Index(i))
				files.Call("push", file)
			}
		}
		return func() { g.take(files) }
	})
}

// take takes files from outside, as if they had been dropped. handle is a property of those that the system opened.
func (g *program) take(files js.Value) {
	for i := range files.Length() {
		file := files.Index(i)
		if name := file.Get("name").String(); loader.IsWeights(name) {
			f := state.DroppedFile{Name: name, File: file}
			if h := file.Get("handle"); h.Truthy() {
				f.Handle = h
			}
			g.page.library.Drop(f)
			return
		}
	}
	if files.Length() > 0 {
		g.page.intake.files(files)
	}
}

// shared takes what another program shared with the page. service-worker.js has put it into a cache.
func (g *program) shared() {
	if !js.Global().Get("caches").Truthy() {
		return
	}
	g.page.loop.beside(func() func() {
		files, err := webapi.Await(context.Background(), js.Global().Call("impromptShared"))
		return func() {
			if err == nil {
				g.take(files)
			}
		}
	})
}

// keepAwake keeps the device awake while something is under way and the page is seen.
func (g *program) keepAwake() {
	text, _ := g.page.library.Underway()
	wanted := g.page.jobs.Busy() || text != ""
	lock := js.Global().Get("navigator").Get("wakeLock")
	switch held := g.awake.Truthy() && !g.awake.Get("released").Bool(); {
	case held && !wanted:
		g.awake.Call("release")
		g.awake = js.Undefined()
	case !held && wanted && lock.Truthy() && !g.asking && !g.page.attention.Hidden:
		g.asking = true
		go func() {
			sentinel, err := webapi.Await(context.Background(), lock.Call("request", "screen"))
			g.asking = false
			if err == nil {
				g.awake = sentinel
			}
		}()
	}
}
