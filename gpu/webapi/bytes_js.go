//go:build js && wasm

package webapi

import "syscall/js"

// Bytes is a run of bytes outside of Go's heap, a JavaScript Uint8Array. Weights travel
// from a file to the GPU in this form, so that no checkpoint passes through Go's heap.
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

// Slice is the bytes [from, to) of b, which it shares.
func Slice(b Bytes, from, to int64) Bytes { return b.Call("subarray", from, to) }

// Free gives back the memory of b, which has to be all of its buffer, without waiting for the garbage
// collections of Go and of JavaScript. b has no bytes afterwards.
func Free(b Bytes) {
	buffer := b.Get("buffer")
	if buffer.Get("transfer").Type() == js.TypeFunction {
		buffer.Call("transfer", 0)
	}
}

// TypedArray copies p, numbers in little-endian order, into a new typed array of a kind
// such as "Float32Array".
func TypedArray(kind string, p []byte) js.Value {
	return js.Global().Get(kind).New(BytesOf(p).Get("buffer"))
}

// Float32s rounds little-endian numbers of 64 bits to 32 bits. b has whole numbers.
func Float32s(b Bytes) Bytes {
	if b.Get("byteOffset").Int()%8 != 0 {
		b = b.Call("slice") // a Float64Array begins at a multiple of 8
	}
	doubles := js.Global().Get("Float64Array").New(b.Get("buffer"), b.Get("byteOffset"), NumBytes(b)/8)
	return js.Global().Get("Uint8Array").New(js.Global().Get("Float32Array").New(doubles).Get("buffer"))
}
