//go:build js && wasm && !cli

// Imprompt in a browser: the page, or, in a worker, the engine.
package main

import (
	"syscall/js"

	"github.com/imprompt/imprompt/app/ui"
	"github.com/imprompt/imprompt/app/worker"
)

func main() {
	if !js.Global().Get("WorkerGlobalScope").IsUndefined() {
		worker.Serve()
		return
	}
	ui.Run()
}
