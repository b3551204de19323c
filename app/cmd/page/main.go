//go:build js && wasm

// Page is the program of the page. What takes long runs in the workers' program, cmd/worker.
package main

import "github.com/imprompt/imprompt/app/ui"

func main() { ui.Run() }
