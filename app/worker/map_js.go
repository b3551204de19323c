//go:build js && wasm

package worker

import (
	"context"
	"errors"
	"syscall/js"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// makeMap makes a map of a picture. It uses the GPU only if a network makes the map.
func (d *drawer) makeMap(ctx context.Context, id int, r protocol.MakeMap, beside map[string]protocol.Value) error {
	file := webapi.GoBytes(beside["picture"].(js.Value))
	var png []byte
	err := engine.InRange(func(float32 bool) (int, error) {
		d.leaves[r.Model] = d.leaves[r.Model] || float32
		var err error
		png, err = d.mapOf(ctx, r, file)
		return 0, err
	}, func(text string) { d.desk.Answer(0, protocol.Warning{Message: text}) })
	var lost *gpu.LostError
	switch {
	case errors.As(err, &lost) || ctx.Err() != nil:
		return err
	case err != nil:
		f := failed(err)
		d.desk.Answer(id, protocol.MapMade{Problem: f.Message, Reason: f.Reason, Record: f.Record})
		return nil
	}
	data := webapi.BytesOf(png)
	post(protocol.Message{ID: id, Body: protocol.MapMade{}, Beside: map[string]protocol.Value{"png": data}, Transfer: []protocol.Value{data.Get("buffer")}})
	return nil
}

func (d *drawer) mapOf(ctx context.Context, r protocol.MakeMap, file []byte) ([]byte, error) {
	p, err := maps.Parse(r.Preprocessor)
	if err != nil {
		return nil, err
	}
	background, err := settings.Settings{Background: r.Background}.BackgroundColour()
	if err != nil {
		return nil, err
	}
	m, alpha, err := engine.Decode(ctx, file, toPNG)
	if err != nil {
		return nil, err
	}
	m = m.Flatten(alpha, background)
	if r.Weights == "" {
		if m, err = engine.PlainMap(ctx, d.host, p, m, r.Width, r.Height); err != nil {
			return nil, err
		}
		return m.PNG(nil)
	}
	if err := d.open(ctx, r.Model); err != nil {
		return nil, err
	}
	if m, err = d.engine.Map(ctx, p, r.Weights, m, r.Width, r.Height); err != nil {
		return nil, err
	}
	return m.PNG(nil)
}
