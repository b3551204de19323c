//go:build js && wasm

package promise

import (
	"encoding/json"
	"syscall/js"
)

// Func is a function of JavaScript's that runs do beside what else Go does, and returns a
// promise of its value, or of an Error with its text.
func Func(do func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		executor := js.FuncOf(func(_ js.Value, settle []js.Value) any {
			go func() {
				if v, err := do(args); err != nil {
					settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
				} else {
					settle[0].Invoke(v)
				}
			}()
			return nil
		})
		defer executor.Release() // a Promise calls it at once
		return js.Global().Get("Promise").New(executor)
	})
}

// JSON is v as JSON.parse has it.
func JSON(v any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return js.Global().Get("JSON").Call("parse", string(b)), nil
}
