//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// askStorage calls a function of the browser's storage that answers yes or no: persist asks that what is stored is not
// cleared when the disk runs full, and persisted whether that was promised.
func askStorage(l *loop, function string, take func(yes bool)) {
	storage := js.Global().Get("navigator").Get("storage")
	if !storage.Truthy() || storage.Get(function).Type() != js.TypeFunction {
		return
	}
	l.beside(func() func() {
		yes, err := webapi.Await(context.Background(), storage.Call(function))
		return func() { take(err == nil && yes.Bool()) }
	})
}
