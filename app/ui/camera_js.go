//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// camera shows what the visitor's camera sees, and takes a still from it.
type camera struct {
	state.Camera
	loop    *loop
	problem func(state.Problem) // shows what went wrong, if anything did
	stream  js.Value
}

// cameraID is the id of the video.
const cameraID = "camera"

// start asks the browser for the camera.
func (c *camera) start() {
	c.problem(state.Problem{})
	devices := js.Global().Get("navigator").Get("mediaDevices")
	if !devices.Truthy() {
		c.problem(state.CameraProblem(""))
		return
	}
	c.Asked = true
	name := js.FuncOf(func(_ js.Value, args []js.Value) any { return args[0].Get("name") }) // of the error
	c.loop.beside(func() func() {
		defer name.Release()
		stream, err := webapi.Await(context.Background(), devices.Call("getUserMedia", map[string]any{"video": true, "audio": false}).Call("catch", name))
		return func() {
			wanted := c.Asked
			c.Asked = false
			switch {
			case err != nil:
				c.problem(state.CameraProblem(""))
			case stream.Type() == js.TypeString:
				c.problem(state.CameraProblem(stream.String()))
			case !wanted: // it was closed meanwhile
				endStream(stream)
			default:
				c.stream, c.On = stream, true
			}
		}
	})
}

// show shows the stream, when the video has been drawn.
func (c *camera) show() {
	if video := byID(cameraID); c.On && video.Truthy() && !video.Get("srcObject").Truthy() {
		video.Set("muted", true)
		video.Set("srcObject", c.stream)
	}
}

// still takes the picture that is shown as a file, and closes the camera.
func (c *camera) still(take func(file js.Value)) {
	video := byID(cameraID)
	if !video.Truthy() || video.Get("videoWidth").Int() == 0 {
		return // it shows nothing yet
	}
	c.loop.beside(func() func() {
		bitmap, err := webapi.Await(context.Background(), js.Global().Call("createImageBitmap", video))
		var png webapi.Bytes
		if err == nil {
			png, err = blobs.PNG(context.Background(), bitmap)
			bitmap.Call("close")
		}
		return func() {
			c.stop()
			if err != nil {
				c.problem(state.Unreadable(state.AtStructure, texts.F("The camera's picture could not be read: %s", texts.Translate(err.Error()))))
				return
			}
			take(js.Global().Get("File").New([]any{png}, "camera.png", map[string]any{"type": "image/png"}))
		}
	})
}

// stop closes the camera.
func (c *camera) stop() {
	c.Asked = false
	if c.On {
		c.On = false
		endStream(c.stream)
	}
}

func endStream(stream js.Value) {
	tracks := stream.Call("getTracks")
	for i := range tracks.Length() {
		tracks.Index(i).Call("stop")
	}
}
