//go:build js && wasm

package ui

import (
	"context"
	"encoding/json"
	"sort"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// drawSheet draws a sheet as a PNG that carries its settings.
func drawSheet(sheet state.Sheet) (js.Value, error) {
	canvas := js.Global().Get("OffscreenCanvas").New(sheet.Width, sheet.Height)
	g := canvas.Call("getContext", "2d")
	g.Set("fillStyle", "#fff")
	g.Call("fillRect", 0, 0, sheet.Width, sheet.Height)
	g.Set("imageSmoothingQuality", "high")
	g.Set("textBaseline", "middle")
	for _, c := range sheet.Cells {
		if err := drawCell(g, c); err != nil {
			return js.Undefined(), err
		}
	}
	g.Set("fillStyle", "#23221f")
	g.Set("font", "500 18px Inter, sans-serif")
	g.Set("textAlign", "center")
	for _, h := range sheet.Heads {
		g.Call("fillText", fitted(g, h.Text, h.Width), h.X, h.Y)
	}
	g.Set("fillStyle", "#66635c")
	g.Set("font", "400 16px Inter, sans-serif")
	g.Set("textAlign", "left")
	g.Call("fillText", fitted(g, sheet.Foot, sheet.Width-2*sheet.FootX), sheet.FootX, sheet.FootY)
	png, err := webapi.Await(context.Background(), canvas.Call("convertToBlob", map[string]any{"type": "image/png"}))
	if err != nil {
		return js.Undefined(), err
	}
	texts, err := settings.Chunks(sheet.Settings)
	if err != nil {
		return js.Undefined(), err
	}
	if sheet.Scores != nil {
		scores, err := json.Marshal(sheet.Scores)
		if err != nil {
			return js.Undefined(), err
		}
		texts = append(texts, settings.Chunk("imprompt-scores", string(scores))...)
	}
	return blobs.Join([]any{png.Call("slice", 0, settings.AfterHeader), webapi.BytesOf(texts), png.Call("slice", settings.AfterHeader)}, "image/png"), nil
}

// drawCell draws one picture of a sheet, with its label.
func drawCell(g js.Value, c state.Cell) error {
	if c.Picture != nil {
		small, ok := c.Picture.Small.(js.Value)
		if !ok {
			return texts.Errorf("the image prompt %s was removed meanwhile", c.Picture.Name)
		}
		scale := small.Get("width").Float() / float64(c.Picture.Width)
		side := float64(c.Square.Size) * scale
		g.Call("drawImage", small, float64(c.Square.X)*scale, float64(c.Square.Y)*scale, side, side, c.X, c.Y, c.Width, c.Height)
	} else {
		bitmap, err := webapi.Await(context.Background(), js.Global().Call("createImageBitmap", c.Result.PNG))
		if err != nil {
			return err
		}
		g.Call("drawImage", bitmap, c.X, c.Y, c.Width, c.Height)
		bitmap.Call("close")
	}
	g.Set("fillStyle", "#23221f")
	g.Set("font", "500 18px Inter, sans-serif")
	g.Set("textAlign", "center")
	g.Call("fillText", fitted(g, c.Label, c.Width), c.LabelX, c.LabelY)
	return nil
}

// fitted returns as much of a text as fits into a width.
func fitted(g js.Value, text string, width int) string {
	runes := []rune(text)
	fits := func(n int) bool {
		return g.Call("measureText", string(runes[:n])+"…").Get("width").Float() <= float64(width)
	}
	if g.Call("measureText", text).Get("width").Float() <= float64(width) {
		return text
	}
	return string(runes[:max(0, sort.Search(len(runes), func(n int) bool { return !fits(n) })-1)]) + "…"
}
