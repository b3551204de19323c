//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// download saves a blob under a name.
func download(name string, b js.Value) {
	a := js.Global().Get("document").Call("createElement", "a")
	url := blobs.URL(b)
	a.Set("href", url)
	a.Set("download", name)
	a.Call("click")
	// The browser reads it after the click.
	js.Global().Call("setTimeout", js.FuncOf(func(js.Value, []js.Value) any { blobs.Revoke(url); return nil }), 60_000)
}

// copyPicture puts a PNG on the clipboard.
func copyPicture(b js.Value) error {
	clipboard := js.Global().Get("navigator").Get("clipboard")
	if !clipboard.Truthy() || js.Global().Get("ClipboardItem").IsUndefined() {
		return texts.Errorf("this browser does not let a page copy pictures: use Download")
	}
	item := js.Global().Get("ClipboardItem").New(map[string]any{"image/png": b})
	if _, err := webapi.Await(context.Background(), clipboard.Call("write", []any{item})); err != nil {
		return texts.Errorf("the browser did not let the page copy the picture (%s): use Download", texts.Translate(err.Error()))
	}
	return nil
}

func shareOf(b js.Value, name string) map[string]any {
	return map[string]any{"files": []any{js.Global().Get("File").New([]any{b}, name, map[string]any{"type": "image/png"})}}
}

// canShare reports whether the browser hands pictures to other programs.
func canShare() bool {
	navigator := js.Global().Get("navigator")
	return navigator.Get("canShare").Truthy() && navigator.Get("share").Truthy() &&
		navigator.Call("canShare", shareOf(blobs.New("", "image/png"), "imprompt.png")).Bool()
}

// share hands a picture to another program, chosen in the browser's own dialogue.
func share(b js.Value, name string) error {
	_, err := webapi.Await(context.Background(), js.Global().Get("navigator").Call("share", shareOf(b, name)))
	if err != nil && err.Error() != "Share canceled" {
		return texts.Errorf("the picture could not be shared (%s): use Download", texts.Translate(err.Error()))
	}
	return nil
}
