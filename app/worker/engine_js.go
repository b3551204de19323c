//go:build js && wasm

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/prompt"
)

// drawer answers requests with the engine.
type drawer struct {
	desk   *protocol.Desk
	host   *host
	engine *engine.Engine // nil until the GPU is open
	memo   *memo
	skip   skipping
	leaves map[string]bool // models whose numbers exceed float16's range
	noF16  bool            // the GPU was opened without it, for such a model
}

// skipping is the picture that can be skipped, of the Generate that draws it.
type skipping struct {
	of int
	do func() // nil while there is none
}

func serveEngine() {
	d := &drawer{desk: newDesk(), host: &host{}, memo: newMemo(), leaves: map[string]bool{}}
	d.desk.Aside, d.desk.Explain = d.aside, d.explain
	started()
	d.desk.Serve(context.Background(), d.do)
}

// aside does what does not wait for its turn.
func (d *drawer) aside(m protocol.Message) bool {
	switch b := m.Body.(type) {
	case protocol.Skip:
		if d.skip.do != nil && d.skip.of == b.Of {
			d.skip.do()
		}
	case protocol.Tokens:
		d.desk.Answer(m.ID, protocol.Counted{Prompt: d.count(b.Prompt, b), Negative: d.count(b.Negative, b)})
	case protocol.MakeMap:
		if b.Weights != "" {
			return false
		}
		go d.makeMap(context.Background(), m.ID, b, m.Beside)
	default:
		return false
	}
	return true
}

// count counts tokens, if a model is loaded.
func (d *drawer) count(text string, t protocol.Tokens) protocol.Count {
	if d.engine == nil {
		return protocol.Count{}
	}
	var embeddings []prompt.Embedding
	for _, e := range t.Embeddings {
		embeddings = append(embeddings, prompt.Embedding(e))
	}
	n, limit, overflow, _ := d.engine.Tokens(text, t.Weights, embeddings...)
	return protocol.Count{Tokens: n, Limit: limit, Overflow: overflow}
}

// do does a request whose turn has come.
func (d *drawer) do(ctx context.Context, m protocol.Message) (protocol.Body, error) {
	// WebAssembly's memory never shrinks. Go would let its heap double before it collects, and
	// a model that is opened again would be held together with the remains of the one before.
	defer runtime.GC()
	switch b := m.Body.(type) {
	case protocol.Load:
		return d.load(ctx, m.ID, b)
	case protocol.Generate:
		return d.generate(ctx, m.ID, b.Settings, m.Beside)
	case protocol.Embed:
		return d.embed(ctx, m.ID, b, m.Beside)
	case protocol.Judge:
		return d.judge(ctx, b, m.Beside)
	case protocol.MakeMap:
		return nil, d.makeMap(ctx, m.ID, b, m.Beside)
	case protocol.Forget:
		if d.engine != nil {
			d.engine.Unload()
		}
		return protocol.Forgotten{}, nil
	case protocol.Gauge:
		return d.gauge(ctx)
	case protocol.Measure:
		if d.engine == nil {
			return protocol.Forgotten{}, nil
		}
		d.engine.Unload()
		return protocol.Forgotten{}, d.engine.ForgetKernels(ctx)
	}
	return nil, fmt.Errorf("the engine does not know the request %q", m.Body.Type())
}

// explain says what an error means for the page. What is under way may fail a moment before the browser says that the
// GPU is lost, so it waits for that.
func (d *drawer) explain(err error) protocol.Body {
	var lost *gpu.LostError
	if !errors.As(err, &lost) && d.engine != nil {
		time.Sleep(100 * time.Millisecond)
		errors.As(d.engine.Device.Check(), &lost)
	}
	if lost != nil {
		d.engine = nil
		runtime.GC()
		return protocol.Lost{Message: lost.Reason}
	}
	return failed(err)
}

// open opens the GPU, unless it is open as a model needs it.
func (d *drawer) open(ctx context.Context, model string) error {
	noF16 := d.leaves[model]
	if d.engine != nil && d.engine.Device.Check() == nil {
		if noF16 == d.noF16 {
			return nil
		}
		d.engine.Unload()
		d.engine.Device.Close()
		d.engine = nil
	}
	g, err := gpu.Open(ctx, gpu.Options{NoF16: noF16})
	if err != nil {
		return err
	}
	d.noF16 = noF16
	d.engine = engine.New(g, d.host)
	d.engine.Warn = func(text string) { d.desk.Answer(0, protocol.Warning{Message: text}) }
	d.engine.ToPNG, d.engine.Memo = toPNG, d.memo
	d.engine.GPUKernels = js.Global().Get("name").String() == "engine with a GPU's kernels" // the worker's name
	d.desk.Answer(0, protocol.Ready{
		Adapter: g.Info.String(), Vendor: g.Info.Vendor, Architecture: g.Info.Architecture, F16: g.F16, Software: g.Info.Software,
		MaxBuffer: g.Limits.MaxBufferSize, MaxBinding: g.Limits.MaxStorageBufferBindingSize, Workgroup: int(g.Limits.MaxComputeInvocationsPerWorkgroup),
		MachineMemory: machineMemory(),
	})
	return nil
}

// machineMemory is the browser's navigator.deviceMemory, or 0 where it has none.
func machineMemory() float64 {
	if m := js.Global().Get("navigator").Get("deviceMemory"); m.Type() == js.TypeNumber {
		return m.Float()
	}
	return 0
}

// toPNG has the browser decode a picture that the engine does not read: the page took it because the browser does.
func toPNG(ctx context.Context, file []byte) ([]byte, error) {
	bitmap, err := blobs.Bitmap(ctx, blobs.New(webapi.BytesOf(file), ""))
	if err != nil {
		return nil, err
	}
	defer bitmap.Call("close")
	png, err := blobs.PNG(ctx, bitmap)
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(png), nil
}

func (d *drawer) load(ctx context.Context, id int, l protocol.Load) (protocol.Body, error) {
	if err := d.open(ctx, l.Model); err != nil {
		return nil, err
	}
	err := d.engine.Load(ctx, l.Model, l.VAE, func(ev engine.Event) { d.progress(id, ev) })
	return protocol.Loaded{Memory: d.engine.Device.MemoryBytes(), Kernels: d.kernels()}, err
}

// kernels are those that were chosen, and why.
func (d *drawer) kernels() protocol.Kernels {
	k := protocol.Kernels{Chosen: d.engine.Device.Kernels().String()}
	for _, t := range d.engine.Trials().List {
		k.Trials = append(k.Trials, protocol.Trial{Key: t.Key, Variant: t.Variant, Milliseconds: t.Milliseconds, Refused: t.Refused})
	}
	return k
}

// gauge says how fast the GPU is.
func (d *drawer) gauge(ctx context.Context) (protocol.Body, error) {
	if d.engine == nil {
		if err := d.open(ctx, ""); err != nil {
			return nil, err
		}
	}
	c, err := d.engine.Gauge(ctx)
	return protocol.Gauged{Card: c}, err
}

func (d *drawer) progress(id int, ev engine.Event) {
	d.desk.Answer(id, protocol.Progress{Stage: ev.Stage, Done: ev.Done, Total: ev.Total, Fraction: ev.Fraction, Image: ev.Image, Images: ev.Images,
		Step: ev.Step, Steps: ev.Steps, SecondsPerStep: ev.SecondsPerStep,
		Pass: ev.Pass, Passes: ev.Passes, Before: ev.Before, After: ev.After, LatentsOnly: ev.LatentsOnly})
}

// previews shows pictures in the making. A preview waits for the GPU while the steps go on, so there is at most one at a
// time.
type previews struct {
	last    time.Time // when the last one began
	waiting bool
	at      int // the picture that is being drawn, or -1
}

// previewEvery is the shortest time between two previews.
const previewEvery = 200 * time.Millisecond

// show begins a preview of an event's picture, if it is time for one.
func (p *previews) show(ctx context.Context, id int, ev engine.Event, width, height int) {
	p.at = ev.Image
	if ev.Preview == nil || ev.Step >= ev.Steps || p.waiting || time.Since(p.last) < previewEvery {
		return
	}
	p.last, p.waiting = time.Now(), true
	go func() {
		defer func() { p.waiting = false }()
		small, err := ev.Preview(ctx)
		if err != nil {
			return
		}
		bitmap, err := enlarged(small, width, height)
		switch {
		case err != nil:
		case p.at != ev.Image: // the picture itself is there
			bitmap.Call("close")
		default:
			post(protocol.Message{ID: id, Body: protocol.Preview{}, Beside: map[string]protocol.Value{"bitmap": bitmap}, Transfer: []protocol.Value{bitmap}})
		}
	}()
}

// embed encodes a guide's pictures, and sends the file before the answer that ends the request.
func (d *drawer) embed(ctx context.Context, id int, b protocol.Embed, beside map[string]protocol.Value) (protocol.Body, error) {
	if err := d.open(ctx, b.Settings.Model); err != nil {
		return nil, err
	}
	file, err := d.engine.ImageEmbeds(ctx, b.Settings, b.Guide, filesOf(beside), func(ev engine.Event) { d.progress(id, ev) })
	if err != nil {
		return nil, err
	}
	post(protocol.Message{ID: id, Body: protocol.Embeds{}, Beside: map[string]protocol.Value{"embeds": webapi.BytesOf(file)}})
	return protocol.Embedded{}, nil
}

// judge scores pictures, with what is open.
func (d *drawer) judge(ctx context.Context, b protocol.Judge, beside map[string]protocol.Value) (protocol.Body, error) {
	answer := protocol.Judged{Scores: make([]protocol.Score, len(b.Settings))}
	if d.engine == nil {
		return answer, nil
	}
	var list []engine.Made
	for i, s := range b.Settings {
		name := protocol.JudgedName(i)
		file, err := blobs.Bytes(beside[name].(js.Value))
		if err != nil {
			return nil, err
		}
		list = append(list, engine.Made{Settings: s, File: webapi.GoBytes(file)})
		delete(beside, name)
	}
	scores, err := d.engine.Judge(ctx, list, filesOf(beside))
	for i, s := range scores {
		answer.Scores[i] = protocol.Score(s)
	}
	return answer, err
}

// filesOf are the files beside a request.
func filesOf(beside map[string]protocol.Value) engine.Pictures {
	pictures := engine.Pictures{}
	for name, v := range beside {
		pictures[name] = webapi.GoBytes(v.(js.Value))
	}
	return pictures
}

func (d *drawer) generate(ctx context.Context, id int, s settings.Settings, beside map[string]protocol.Value) (protocol.Body, error) {
	pictures := filesOf(beside)
	err := engine.InRange(func(float32 bool) (int, error) {
		d.leaves[s.Model] = d.leaves[s.Model] || float32 // from now on
		return d.draw(ctx, id, s, pictures)
	}, func(text string) { d.desk.Answer(0, protocol.Warning{Message: text}) })
	var e *engine.RangeError
	if errors.As(err, &e) && e.F16 {
		d.leaves[s.Model] = true // from the next request on
	}
	if err != nil {
		return nil, err
	}
	g := d.engine.Device
	return protocol.Drawn{Memory: g.MemoryBytes(), Peak: g.PeakMemoryBytes(), Pipelines: g.Pipelines(),
		Kernels: d.kernels(), Card: d.engine.Card()}, nil
}

// draw draws the pictures of a request, and returns how many were sent.
func (d *drawer) draw(ctx context.Context, id int, s settings.Settings, pictures engine.Pictures) (drawn int, err error) {
	if err := d.open(ctx, s.Model); err != nil {
		return 0, err
	}
	shown := previews{at: -1}
	var cost clock
	defer func() { d.skip, shown.at = skipping{}, -1 }()
	err = d.engine.Generate(ctx, s, pictures, func(ev engine.Event) {
		d.skip = skipping{id, ev.Skip}
		cost.tell(ev)
		d.progress(id, ev)
		width, height := s.OutputSize()
		shown.show(ctx, id, ev, width, height)
	}, func(r engine.Result) error {
		shown.at = -1
		r.Settings = r.Settings.Renamed(d.host.called(ctx))
		var b bytes.Buffer
		if err := settings.EncodePNG(&b, r.RGBA, r.Width, r.Height, r.Settings); err != nil {
			return err
		}
		png := webapi.BytesOf(b.Bytes())
		took := cost.take(d.engine.Device)
		d.engine.Learn(ctx, r.Settings, took.SecondsPerStep, took.Stages["decode"])
		post(protocol.Message{ID: id, Body: protocol.Picture{Index: r.Index, Settings: r.Settings, Cost: took},
			Beside: map[string]protocol.Value{"png": png}, Transfer: []protocol.Value{png.Get("buffer")}})
		drawn++
		return nil
	})
	return drawn, err
}

// enlarged is a picture as an ImageBitmap of another size, which the page shows without decoding it.
func enlarged(m *imageproc.Image, width, height int) (js.Value, error) {
	rgba := m.RGBA()
	pixels := js.Global().Get("Uint8ClampedArray").New(len(rgba))
	js.CopyBytesToJS(pixels, rgba)
	data := js.Global().Get("ImageData").New(pixels, m.Width, m.Height)
	return webapi.Await(context.Background(), js.Global().Call("createImageBitmap", data,
		map[string]any{"resizeWidth": width, "resizeHeight": height, "resizeQuality": "medium"}))
}
