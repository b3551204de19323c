//go:build js && wasm

package webapi

import "syscall/js"

// Calls is how many calls Go has made into JavaScript since the program began, this one
// included. Only web/js/node.js counts them; elsewhere it is 0.
func Calls() int {
	if v := js.Global().Get("impromptCalls"); v.Type() == js.TypeNumber {
		return v.Int()
	}
	return 0
}
