//go:build js && wasm

// Package worker is the engine's side of the page: a dedicated worker that takes
// requests and answers with progress, previews and pictures, so that the page's own
// thread never waits for the engine.
//
// Messages are objects with a type. To the worker: load {model}; forget (what was
// deleted may be loaded); tokens {prompt, negative}; generate {id, settings (JSON),
// pictures {name: Uint8Array}}; cancel; skip (drops the picture under way and goes on
// with the next). From it: ready {adapter, f16, software, …}; loaded; tokens {prompt,
// negative: {count, limit, overflow}}; progress {stage, …}; preview {bitmap}; result
// {id, png, index, cost}; done {id}; stopped {id}; error {message, kind: that of a
// gpu.OpenError or ""}; permission {message} (the visitor must let the page read a file
// of the disk again); warning {message}; lost {message}; and from worker.js itself ended {message}.
package worker

import (
	"bytes"
	"context"
	"errors"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/store"
)

// Serve answers messages for as long as the worker lives.
func Serve() {
	if js.Global().Get("name").String() == "library" {
		serveLibrary()
		return
	}
	w := &worker{arrived: make(chan struct{}, 1), host: &host{}}
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		switch m.Get("type").String() {
		// These do not wait for their turn.
		case "cancel":
			if w.cancel != nil {
				w.cancel()
			}
		case "skip":
			if w.skip != nil {
				w.skip()
			}
		case "tokens":
			w.tokens(m)
		default:
			// A callback must not block, or JavaScript stands still: a channel of any
			// length may be full.
			w.requests = append(w.requests, m)
			select {
			case w.arrived <- struct{}{}:
			default:
			}
		}
		return nil
	}))
	post("started", nil)
	for range w.arrived {
		for len(w.requests) > 0 {
			m := w.requests[0]
			w.requests = w.requests[1:]
			w.handle(m)
		}
	}
}

type worker struct {
	requests []js.Value
	arrived  chan struct{}
	host     *host
	engine   *engine.Engine
	cancel   context.CancelFunc
	skip     func()        // drops the picture under way; nil while there is none
	preview  time.Duration // what the last preview took
}

func post(kind string, fields map[string]any, transfer ...any) {
	m := map[string]any{"type": kind}
	for k, v := range fields {
		m[k] = v
	}
	js.Global().Call("postMessage", m, transfer)
}

func (w *worker) handle(m js.Value) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	defer cancel()
	var err error
	switch m.Get("type").String() {
	case "load":
		model := ""
		if v := m.Get("model"); v.Type() == js.TypeString {
			model = v.String()
		}
		err = w.load(ctx, model)
	case "forget":
		if w.engine != nil {
			w.engine.Unload()
		}
	case "generate":
		err = w.generate(ctx, m)
	}
	var lost *gpu.LostError
	if err != nil {
		err = w.cause(err)
	}
	switch {
	case errors.As(err, &lost):
		w.engine = nil
		post("lost", map[string]any{"message": lost.Reason})
	case errors.Is(err, context.Canceled):
		post("stopped", nil)
	case errors.Is(err, store.ErrPermission):
		post("permission", map[string]any{"message": err.Error()})
	case err != nil:
		kind := ""
		var open *gpu.OpenError
		if errors.As(err, &open) {
			kind = open.Kind
		}
		post("error", map[string]any{"message": err.Error(), "kind": kind})
	}
}

// cause is the loss of the GPU if that is what was behind an error: what was under way
// may fail a moment before the browser says why.
func (w *worker) cause(err error) error {
	if w.engine == nil || errors.Is(err, context.Canceled) {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	var lost *gpu.LostError
	if check := w.engine.Device.Check(); errors.As(check, &lost) {
		return check
	}
	return err
}

func (w *worker) open(ctx context.Context) error {
	if w.engine != nil && w.engine.Device.Check() == nil {
		return nil
	}
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		return err
	}
	w.engine = engine.New(d, w.host)
	w.engine.Warn = func(text string) { post("warning", map[string]any{"message": text}) }
	post("ready", map[string]any{
		"adapter": d.Info.String(), "vendor": d.Info.Vendor, "architecture": d.Info.Architecture, "f16": d.F16, "software": d.Info.Software,
		"maxBuffer": d.Limits.MaxBufferSize, "maxBinding": d.Limits.MaxStorageBufferBindingSize, "workgroup": d.Limits.MaxComputeInvocationsPerWorkgroup,
	})
	return nil
}

func (w *worker) load(ctx context.Context, model string) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	err := w.engine.Load(ctx, model, func(ev engine.Event) { progress(ev) })
	if err == nil {
		post("loaded", map[string]any{"memory": w.engine.Device.MemoryBytes()})
	}
	return err
}

func (w *worker) tokens(m js.Value) {
	fields := map[string]any{}
	for _, name := range []string{"prompt", "negative"} {
		if w.engine == nil {
			return
		}
		count, limit, overflow, err := w.engine.Tokens(m.Get(name).String())
		if err != nil {
			return
		}
		fields[name] = map[string]any{"count": count, "limit": limit, "overflow": overflow}
	}
	post("tokens", fields)
}

func progress(ev engine.Event) {
	post("progress", map[string]any{"stage": ev.Stage, "done": ev.Done, "total": ev.Total, "image": ev.Image, "images": ev.Images,
		"step": ev.Step, "steps": ev.Steps, "secondsPerStep": ev.SecondsPerStep, "fraction": ev.Fraction})
}

// A preview costs a decoding, which on a slow GPU takes longer than a step: they come no
// oftener than previewEvery, and take no more than a fifth of the time.
const (
	previewEvery = 1500 * time.Millisecond
	previewShare = 5
)

func (w *worker) generate(ctx context.Context, m js.Value) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	s, err := settings.FromJSON([]byte(m.Get("settings").String()))
	var partial *settings.Partial
	if err != nil && !errors.As(err, &partial) {
		return err
	}
	pictures := engine.Pictures{}
	files := m.Get("pictures")
	names := js.Global().Get("Object").Call("keys", files)
	for i := range names.Length() {
		name := names.Index(i).String()
		pictures[name] = webapi.GoBytes(files.Get(name))
	}
	id := m.Get("id")
	last := time.Now()
	var cost clock
	defer func() { w.skip = nil }()
	err = w.engine.Generate(ctx, s, pictures, func(ev engine.Event) {
		w.skip = ev.Skip
		cost.tell(ev)
		progress(ev)
		if ev.Preview == nil || ev.Step >= ev.Steps || time.Since(last) < max(previewEvery, previewShare*w.preview) {
			return
		}
		began := time.Now()
		if rgba, err := ev.Preview(ctx); err == nil {
			preview(rgba, s.Width, s.Height)
		}
		last = time.Now()
		w.preview = last.Sub(began)
	}, func(r engine.Result) error {
		var b bytes.Buffer
		if err := settings.EncodePNG(&b, r.RGBA, r.Width, r.Height, r.Settings); err != nil {
			return err
		}
		png := webapi.BytesOf(b.Bytes())
		post("result", map[string]any{"id": id, "index": r.Index, "png": png, "cost": cost.take(w.engine.Device)}, png.Get("buffer"))
		return nil
	})
	if err == nil {
		post("done", map[string]any{"id": id, "memory": w.engine.Device.MemoryBytes(), "peak": w.engine.Device.PeakMemoryBytes(),
			"pipelines": w.engine.Device.Pipelines()})
	}
	return err
}

// preview sends a picture as an ImageBitmap, which the page shows without decoding.
func preview(rgba []uint8, width, height int) {
	pixels := js.Global().Get("Uint8ClampedArray").New(len(rgba))
	js.CopyBytesToJS(pixels, rgba)
	data := js.Global().Get("ImageData").New(pixels, width, height)
	bitmap, err := webapi.Await(context.Background(), js.Global().Call("createImageBitmap", data))
	if err == nil {
		post("preview", map[string]any{"bitmap": bitmap}, bitmap)
	}
}
