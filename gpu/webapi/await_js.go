//go:build js && wasm

package webapi

import (
	"context"
	"errors"
	"syscall/js"
)

// Await blocks the goroutine until the promise settles and returns its value, or an
// error with the message of what it was rejected with. If ctx ends first, Await returns
// ctx's error and the outcome of the promise is dropped.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	var onValue, onError js.Func
	onValue = js.FuncOf(func(_ js.Value, args []js.Value) any {
		onValue.Release()
		onError.Release()
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		settled <- outcome{value: v}
		return nil
	})
	onError = js.FuncOf(func(_ js.Value, args []js.Value) any {
		onValue.Release()
		onError.Release()
		settled <- outcome{err: rejection(args)}
		return nil
	})
	promise.Call("then", onValue, onError)
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// rejection turns what a promise was rejected with into an error.
func rejection(args []js.Value) error {
	if len(args) == 0 {
		return errors.New("a promise was rejected without a reason")
	}
	if args[0].Type() == js.TypeObject {
		if m := args[0].Get("message"); m.Type() == js.TypeString {
			return errors.New(m.String())
		}
	}
	return errors.New(js.Global().Get("String").Invoke(args[0]).String())
}
