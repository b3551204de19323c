//go:build js && wasm

package worker

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// makeMap makes a map of a picture. It needs no GPU.
func (d *drawer) makeMap(id int, r protocol.MakeMap, beside map[string]protocol.Value) {
	png, err := mapOf(r, webapi.GoBytes(beside["picture"].(js.Value)))
	if err != nil {
		d.desk.Answer(id, protocol.MapMade{Problem: err.Error()})
		return
	}
	data := webapi.BytesOf(png)
	post(protocol.Message{ID: id, Body: protocol.MapMade{}, Beside: map[string]protocol.Value{"png": data}, Transfer: []protocol.Value{data.Get("buffer")}})
}

func mapOf(r protocol.MakeMap, file []byte) ([]byte, error) {
	p, err := maps.Parse(r.Preprocessor)
	if err != nil {
		return nil, err
	}
	background, err := settings.Settings{Background: r.Background}.BackgroundColour()
	if err != nil {
		return nil, err
	}
	m, alpha, err := engine.Decode(context.Background(), file, toPNG)
	if err != nil {
		return nil, err
	}
	return p.Map(m.Flatten(alpha, background), r.Width, r.Height).PNG(nil)
}
