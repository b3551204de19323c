//go:build js && wasm

// Worker is the program of the page's two workers: the engine and the library of models. It asks
// the browser which of the two it is.
package main

import "github.com/imprompt/imprompt/app/worker"

func main() { worker.Serve() }
