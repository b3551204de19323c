//go:build js && wasm && !cli

package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// maxFile is the largest picture file that is read: nobody's photograph is larger.
const maxFile = 64 << 20

func readFile(file js.Value) ([]byte, error) {
	if size := file.Get("size").Float(); size > maxFile {
		return nil, fmt.Errorf("%s has %.0f MB; pictures of up to %d MB are taken", file.Get("name").String(), size/1e6, maxFile>>20)
	}
	buffer, err := gpu.Await(context.Background(), file.Call("arrayBuffer"))
	if err != nil {
		return nil, fmt.Errorf("%s could not be read: %w", file.Get("name").String(), err)
	}
	return gpu.GoBytes(js.Global().Get("Uint8Array").New(buffer)), nil
}

// here is the whole address of a file of the site, which may lie under any path.
// go-app would take a relative one as relative to the server.
func here(path string) string {
	return js.Global().Get("URL").New(path, js.Global().Get("document").Get("baseURI")).Get("href").String()
}

// fetchBytes gets a file of the site's own.
func fetchBytes(path string) ([]byte, error) {
	response, err := gpu.Await(context.Background(), js.Global().Call("fetch", path))
	if err != nil {
		return nil, err
	}
	if !response.Get("ok").Bool() {
		return nil, fmt.Errorf("%s: the server answered %d", path, response.Get("status").Int())
	}
	buffer, err := gpu.Await(context.Background(), response.Call("arrayBuffer"))
	if err != nil {
		return nil, err
	}
	return gpu.GoBytes(js.Global().Get("Uint8Array").New(buffer)), nil
}

func toJSON(s settings.Settings) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(b)
}

// download saves bytes under a name.
func download(name string, b []byte, kind string) {
	document := js.Global().Get("document")
	a := document.Call("createElement", "a")
	url := objectURL(b, kind)
	a.Set("href", url)
	a.Set("download", name)
	a.Call("click")
	js.Global().Get("URL").Call("revokeObjectURL", url)
}

// copyPicture puts a PNG on the clipboard.
func copyPicture(b []byte) error {
	clipboard := js.Global().Get("navigator").Get("clipboard")
	if !clipboard.Truthy() || js.Global().Get("ClipboardItem").IsUndefined() {
		return fmt.Errorf("this browser does not let a page copy pictures: use Download")
	}
	blob := js.Global().Get("Blob").New([]any{gpu.BytesOf(b)}, map[string]any{"type": "image/png"})
	item := js.Global().Get("ClipboardItem").New(map[string]any{"image/png": blob})
	_, err := gpu.Await(context.Background(), clipboard.Call("write", []any{item}))
	return err
}
