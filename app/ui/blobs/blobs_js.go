//go:build js && wasm

package blobs

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// New returns a Blob of a MIME type; "" is none. data is a Uint8Array, a Blob or a string.
func New(data any, kind string) js.Value { return Join([]any{data}, kind) }

// Join returns a Blob of parts that follow one another: a []any, or a JavaScript array.
func Join(parts any, kind string) js.Value {
	return js.Global().Get("Blob").New(parts, map[string]any{"type": kind})
}

// Bytes returns a Blob's content.
func Bytes(blob js.Value) (webapi.Bytes, error) {
	buffer, err := webapi.Await(context.Background(), blob.Call("arrayBuffer"))
	if err != nil {
		return js.Undefined(), err
	}
	return js.Global().Get("Uint8Array").New(buffer), nil
}

// URL returns an address for a Blob. The browser keeps the Blob until Revoke is called.
func URL(blob js.Value) string {
	return js.Global().Get("URL").Call("createObjectURL", blob).String()
}

// Revoke lets the Blob of an address go.
func Revoke(url string) { js.Global().Get("URL").Call("revokeObjectURL", url) }
