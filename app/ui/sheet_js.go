//go:build js && wasm

package ui

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/scheduler"
)

// cellPixels is the least width of a picture on a sheet.
const cellPixels = 320

// sheet draws a strip on one sheet, as the paper's figures are: the image prompts at the left, the pictures in a row, what
// differs under each, what they share below. The file has settings in it, so that it can be dropped back for them.
func sheet(shots state.Shots, prompts []*state.ImagePrompt) (png js.Value, seed uint64, err error) {
	type cell struct {
		image js.Value
		label string
		crop  *state.Crop
	}
	var cells []cell
	var r *state.Result
	var kept settings.Settings // in the file: the first seed's, or the greatest weight's, where λ = 0 would say little
	for _, s := range shots {
		if s.Result == nil {
			continue
		}
		if r == nil {
			r, kept = s.Result, s.Result.Settings
		}
		bitmap, err := webapi.Await(context.Background(), js.Global().Call("createImageBitmap", s.Result.PNG.(js.Value)))
		if err != nil {
			return png, 0, err
		}
		defer bitmap.Call("close")
		cells = append(cells, cell{image: bitmap, label: s.Label})
		if strings.HasPrefix(s.Label, "λ") {
			kept = s.Result.Settings
		}
	}
	if r == nil {
		return png, 0, fmt.Errorf("no picture is there yet")
	}
	if len(r.Settings.IPAdapters) > 0 {
		var left []cell
		for _, im := range prompts {
			left = append(left, cell{image: im.Small.(js.Value), label: "Image prompt", crop: &im.Crop})
		}
		cells = append(left, cells...)
	}

	const gap, line = 24, 30
	width, height := r.Settings.Width, r.Settings.Height
	if width < cellPixels {
		width, height = cellPixels, cellPixels*height/width
	}
	total, tall := gap+len(cells)*(width+gap), gap+height+3*line+gap
	canvas := js.Global().Get("OffscreenCanvas").New(total, tall)
	g := canvas.Call("getContext", "2d")
	g.Set("fillStyle", "#fff")
	g.Call("fillRect", 0, 0, total, tall)
	g.Set("imageSmoothingQuality", "high")
	g.Set("textBaseline", "middle")
	for i, c := range cells {
		x := gap + i*(width+gap)
		if c.crop != nil {
			// As the encoder saw it: the square.
			s, k := c.crop.Square(), c.image.Get("width").Float()/float64(c.crop.Width)
			side := min(width, height)
			g.Call("drawImage", c.image, float64(s.X)*k, float64(s.Y)*k, float64(s.Size)*k, float64(s.Size)*k,
				x+(width-side)/2, gap+(height-side)/2, side, side)
		} else {
			g.Call("drawImage", c.image, x, gap, width, height)
		}
		g.Set("fillStyle", "#23221f")
		g.Set("font", "500 18px Inter, sans-serif")
		g.Set("textAlign", "center")
		g.Call("fillText", c.label, x+width/2, gap+height+line)
	}
	s := r.Settings
	text := []string{}
	if s.Prompt != "" {
		text = append(text, "“"+s.Prompt+"”")
	}
	if !strings.HasPrefix(shots[0].Label, "seed") {
		text = append(text, fmt.Sprintf("seed %d", s.Seed))
	}
	chosen, _ := scheduler.Find(s.Scheduler)
	text = append(text, fmt.Sprintf("%d steps, %s, guidance %s", s.NumInferenceSteps, chosen.Label, trim(s.GuidanceScale)))
	g.Set("fillStyle", "#66635c")
	g.Set("font", "400 16px Inter, sans-serif")
	g.Set("textAlign", "left")
	g.Call("fillText", strings.Join(text, "  ·  "), gap, gap+height+2*line+8, total-2*gap)
	png, err = webapi.Await(context.Background(), canvas.Call("convertToBlob", map[string]any{"type": "image/png"}))
	if err != nil {
		return png, 0, err
	}
	texts, err := settings.Chunks(kept)
	if err != nil {
		return png, 0, err
	}
	parts := []any{png.Call("slice", 0, settings.AfterHeader), webapi.BytesOf(texts), png.Call("slice", settings.AfterHeader)}
	return js.Global().Get("Blob").New(parts, map[string]any{"type": "image/png"}), s.Seed, nil
}
