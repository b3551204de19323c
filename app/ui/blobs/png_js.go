//go:build js && wasm

package blobs

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Bitmap has the browser decode a picture, turned as its file says.
func Bitmap(ctx context.Context, blob js.Value) (js.Value, error) {
	return webapi.Await(ctx, js.Global().Call("createImageBitmap", blob))
}

// PNG writes an ImageBitmap as a PNG.
func PNG(ctx context.Context, bitmap js.Value) (webapi.Bytes, error) {
	canvas := js.Global().Get("OffscreenCanvas").New(bitmap.Get("width"), bitmap.Get("height"))
	canvas.Call("getContext", "2d").Call("drawImage", bitmap, 0, 0)
	b, err := webapi.Await(ctx, canvas.Call("convertToBlob", map[string]any{"type": "image/png"}))
	if err != nil {
		return js.Undefined(), err
	}
	return Bytes(b)
}
