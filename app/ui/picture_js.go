//go:build js && wasm

package ui

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/imageproc"
)

// smallSide is enough for what the composer shows, on a sharp screen too.
const smallSide = 640

// maxFile is the size of the largest picture file that is read, in bytes. No photograph is larger.
const maxFile = 64 << 20

// admit reads a file and makes sure that it is a picture that the engine can read. A kind that only the browser knows,
// such as AVIF, is turned into PNG by the browser.
func admit(name string, file js.Value) (*state.Picture, error) {
	if size := file.Get("size").Float(); size > maxFile {
		return nil, texts.Errorf("%s has %s MB: at most %d MB can be read", name, texts.Number(size/1e6, 0), maxFile>>20)
	}
	data, err := blobs.Bytes(file)
	if err != nil {
		return nil, texts.Errorf("%s could not be read: %s", name, texts.Translate(err.Error()))
	}
	head := imageproc.Check(webapi.GoBytes(data))
	if head != nil && !errors.Is(head, imageproc.ErrFormat) {
		return nil, fmt.Errorf("%s: %w", name, head)
	}
	if head == nil && imageproc.OddOrientation(webapi.GoBytes(data)) {
		// The crop is chosen on what the browser shows, so both have to be turned alike.
		if data, err = ownPNG(webapi.GoBytes(data)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	whole, err := blobs.Bitmap(context.Background(), blobs.New(data, ""))
	if err != nil && head != nil {
		return nil, fmt.Errorf("%s: %w", name, head)
	}
	if err != nil {
		// The engine may read what the browser does not, such as TIFF. The page shows it as PNG.
		if data, err = ownPNG(webapi.GoBytes(data)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if whole, err = blobs.Bitmap(context.Background(), blobs.New(data, "")); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	pic := &state.Picture{Name: name, Bytes: data, Width: whole.Get("width").Int(), Height: whole.Get("height").Int()}
	defer whole.Call("close")
	if pic.Width > imageproc.MaxPixels/pic.Height {
		return nil, texts.Errorf("%s has %d × %d pixels, more than the %d million that fit: make it smaller in a picture editor", name, pic.Width, pic.Height, imageproc.MaxPixels>>20)
	}
	if head != nil {
		if pic.Bytes, err = blobs.PNG(context.Background(), whole); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	scale := min(1, float64(smallSide)/float64(max(pic.Width, pic.Height)))
	pic.Small, err = webapi.Await(context.Background(), js.Global().Call("createImageBitmap", whole, map[string]any{
		"resizeWidth": max(1, int(float64(pic.Width)*scale)), "resizeHeight": max(1, int(float64(pic.Height)*scale)), "resizeQuality": "high"}))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	pic.URL = blobs.URL(blobs.New(pic.Bytes, ""))
	pic.Free = func() { free(pic) }
	return pic, nil
}

// free gives back what the browser holds for a picture. Go's references to JavaScript values go with Go's garbage,
// which is collected seldom because little of a picture is in Go's memory.
func free(pic *state.Picture) {
	blobs.Revoke(pic.URL)
	pic.Small.(js.Value).Call("close")
	pic.URL, pic.Small, pic.Bytes = "", nil, nil
	go runtime.GC()
}

// ownPNG turns a picture into PNG with the engine's decoders.
func ownPNG(file []byte) (webapi.Bytes, error) {
	m, alpha, err := imageproc.DecodeAlpha(file)
	if err != nil {
		return js.Undefined(), err
	}
	png, err := m.PNG(alpha)
	if err != nil {
		return js.Undefined(), err
	}
	return webapi.BytesOf(png), nil
}

// here returns the full address of a file of the site, which may be served under any path. go-app would take a relative
// address as relative to the server.
func here(path string) string { return folder() + path }

// folder is the address of the site's folder.
var folder = sync.OnceValue(func() string {
	return js.Global().Get("URL").New(".", js.Global().Get("document").Get("baseURI")).Get("href").String()
})

// fetchBlob fetches a file of the site.
func fetchBlob(path string) (js.Value, error) {
	response, err := webapi.Await(context.Background(), js.Global().Call("fetch", here(path)))
	if err != nil {
		return js.Undefined(), err
	}
	if !response.Get("ok").Bool() {
		return js.Undefined(), texts.Errorf("%s: the server answered %d", path, response.Get("status").Int())
	}
	return webapi.Await(context.Background(), response.Call("blob"))
}

// browser decodes pictures for the states.
type browser struct{}

var _ state.Browser = browser{}

// Admit implements state.Browser.
func (browser) Admit(name string, bytes any) (*state.Picture, error) {
	return admit(name, blobs.New(bytes, ""))
}

// Bitmap implements state.Browser.
func (browser) Bitmap(png any) (any, error) {
	return webapi.Await(context.Background(), js.Global().Call("createImageBitmap", blobs.New(png, "image/png")))
}
