//go:build js && wasm

package gpu

import "syscall/js"

// Bytes is a run of checkpoint bytes on its way to the GPU. In a browser and in
// Node it is a JavaScript Uint8Array, so that weights never pass through Go's heap.
type Bytes = js.Value

// NumBytes is the length of b in bytes.
func NumBytes(b Bytes) int { return b.Get("byteLength").Int() }

// BytesOf copies p into a new Bytes. It is meant for small things: headers, tables, tests.
func BytesOf(p []byte) Bytes {
	b := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(b, p)
	return b
}

// GoBytes copies b into Go's heap. It is meant for small things: headers, tables, tests.
func GoBytes(b Bytes) []byte {
	p := make([]byte, NumBytes(b))
	js.CopyBytesToGo(p, b)
	return p
}
