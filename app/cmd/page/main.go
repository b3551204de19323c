//go:build js && wasm

// Page is the program that a browser runs. The page and its two workers load the same
// file, so that it is downloaded once. It asks the browser which of the three it is.
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
