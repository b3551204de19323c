//go:build js && wasm

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/pose"
	"github.com/imprompt/imprompt/model/npy"
	"github.com/imprompt/imprompt/web"
)

// Generate runs the command with its arguments and returns the exit status.
func Generate(args []string) int {
	o, err := parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n\n%s", err, usage)
		return 2
	}
	if o.help {
		fmt.Print(usage)
		return 0
	}
	ctx, stop := interruptible()
	defer stop()
	switch err := o.generate(ctx); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "\nstopped")
		return 130
	case err != nil:
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		return 1
	}
	return 0
}

// interruptible returns a context that ends at Ctrl-C, when node.js calls
// impromptInterrupt.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	f := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	js.Global().Set("impromptInterrupt", f)
	return ctx, func() {
		js.Global().Delete("impromptInterrupt")
		f.Release()
		cancel()
	}
}

// files is an engine.Host that reads from the file system.
type files struct{ shipped string }

func (f files) Folder(ctx context.Context, name string) (loader.Folder, error) {
	switch {
	case name == "":
		name = f.shipped
	case isURL(name):
		link, err := findLink(ctx, name)
		if err != nil {
			return nil, err
		}
		if link.File == "" {
			return loader.Web(link.Base), nil
		}
		s, err := loader.OpenURL(ctx, link.Address(""))
		if err != nil {
			return nil, err
		}
		return loader.OpenSingleFile(ctx, s, f.clip())
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return loader.Directory(name), nil
	}
	s, err := loader.OpenFile(name)
	if err != nil {
		return nil, err
	}
	return loader.OpenSingleFile(ctx, s, f.clip())
}

// clip returns the folder of CLIP's own vocabulary, which a single-file checkpoint does not
// contain.
func (f files) clip() loader.Folder {
	return loader.Directory(filepath.Join(filepath.Dir(f.shipped), "clip"))
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

func findLink(ctx context.Context, text string) (loader.Link, error) {
	return loader.FindLink(text, loader.Hub, func(address string) ([]byte, error) { return loader.Text(ctx, address) })
}

func (f files) File(ctx context.Context, name string) (loader.Source, error) {
	if isURL(name) {
		link, err := findLink(ctx, name)
		if err != nil {
			return nil, err
		}
		if link.File == "" {
			return nil, fmt.Errorf("%s is a folder, and one file is needed here. Give the address of a file of weights", loader.Public(name))
		}
		return loader.OpenURL(ctx, link.Address(""))
	}
	switch name {
	case "":
		name = filepath.Join(f.shipped, web.Ships.Adapters[0].File)
	case pose.Graph, pose.Weights:
		name = filepath.Join(os.Getenv("IMPROMPT_NODE_MODULES"), "@vladmandic/human/models", name)
	}
	return loader.OpenFile(name)
}

func (o *options) generate(ctx context.Context) error {
	shipped := filepath.Join(os.Getenv("IMPROMPT_ROOT"), "web", "model")
	pictures, err := o.readPictures()
	if err != nil {
		return err
	}
	if err := o.cutLoRAs(); err != nil {
		return err
	}
	host := files{shipped}
	if err := o.size(ctx, pictures, host); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if err := o.prepareOutput(); err != nil {
		return err
	}
	err = engine.InRange(func(float32 bool) (int, error) {
		o.noF16 = o.noF16 || float32
		return o.draw(ctx, host, pictures)
	}, func(text string) { fmt.Fprintln(os.Stderr, text) })
	var leaves *engine.RangeError
	if errors.As(err, &leaves) && leaves.F16 {
		return fmt.Errorf("%w: add --no-f16", err)
	}
	return err
}

// draw draws all pictures on a GPU that it opens, and returns how many were saved.
func (o *options) draw(ctx context.Context, host engine.Host, pictures engine.Pictures) (saved int, err error) {
	began := time.Now()
	d, err := gpu.Open(ctx, gpu.Options{NoF16: o.noF16})
	if err != nil {
		return 0, err
	}
	if err := d.SetKernels(o.kernels); err != nil {
		return 0, err
	}
	e := engine.New(d, host)
	if m, err := newMemo(); err == nil {
		e.Memo = m
	}
	s := &stats{Adapter: d.Info.String(), F16: d.F16, Seconds: map[string]float64{}, stage: "open", since: began}
	e.Warn = func(text string) { fmt.Fprintln(os.Stderr, text) }

	var mapError error
	if o.dumpMap != "" {
		e.MadeMap = func(guide int, part string, m *imageproc.Image) {
			mapError = errors.Join(mapError, o.writeMap(guide, part, m))
		}
	}
	for i, g := range o.Guides {
		a, _ := g.(*settings.IPAdapter)
		name := o.embeds[a]
		if name == "" {
			continue
		}
		file, err := e.ImageEmbeds(ctx, o.Settings, i, pictures, report)
		if err == nil {
			err = os.WriteFile(name, file, 0o644)
		}
		if err != nil {
			return 0, err
		}
	}
	var latents []float32
	var shape [2]int
	var previewed error
	err = e.Generate(ctx, o.Settings, pictures, func(ev engine.Event) {
		s.enter(ev)
		report(ev)
		if ev.Preview != nil && o.preview != "" && previewed == nil {
			previewed = o.savePreview(ctx, ev)
		}
	}, func(r engine.Result) error {
		latents = append(latents, r.Latents...)
		shape = r.LatentShape
		saved++
		if err := o.hash(ctx, host); err != nil {
			return err
		}
		r.Settings.LoRAs, r.Settings.TextualInversionHashes, r.Settings.VAEHash = o.LoRAs, o.TextualInversionHashes, o.VAEHash
		return o.save(r)
	})
	if err = errors.Join(err, mapError, previewed); err != nil {
		e.Unload()
		d.Close()
		return saved, err
	}
	if o.dumpLatents != "" {
		var b bytes.Buffer
		if err := npy.Write(&b, []int{o.NumImages, 4, shape[0], shape[1]}, latents); err != nil {
			return saved, err
		}
		if err := os.WriteFile(o.dumpLatents, b.Bytes(), 0o644); err != nil {
			return saved, err
		}
	}
	if o.stats {
		return saved, s.print(d, e)
	}
	return saved, nil
}

// savePreview writes the picture in the making over the last one.
func (o *options) savePreview(ctx context.Context, ev engine.Event) error {
	m, err := ev.Preview(ctx)
	if err != nil {
		return err
	}
	png, err := m.PNG(nil)
	if err != nil {
		return err
	}
	return os.WriteFile(o.preview, png, 0o644)
}

// report prints the progress on a terminal, always on the same line.
func report(ev engine.Event) {
	if js.Global().Get("process").Get("stderr").Get("isTTY").Truthy() {
		fmt.Fprint(os.Stderr, "\r\x1b[K", line(ev))
		if ev.Stage == "decode" && ev.Image == ev.Images-1 {
			fmt.Fprintln(os.Stderr)
		}
	}
}

func line(ev engine.Event) string {
	switch ev.Stage {
	case "load":
		return fmt.Sprintf("loading the %s %3d %%", ev.Network, 100*ev.Done/max(1, ev.Total))
	case "encode":
		return "reading words and pictures"
	case "compile":
		return "compiling shaders"
	case "denoise":
		left := float64(ev.Steps-ev.Step+ev.Steps*(ev.Images-1-ev.Image)) * ev.SecondsPerStep
		pass := ""
		if ev.Passes > 0 {
			left = (float64(ev.Steps-ev.Step) + ev.After) * ev.SecondsPerStep
			pass = fmt.Sprintf("pass %d of %d, ", ev.Pass+1, ev.Passes)
		}
		return pass + fmt.Sprintf("picture %d of %d, step %d of %d, %.2f s per step, %.0f s left", ev.Image+1, ev.Images, ev.Step, ev.Steps, ev.SecondsPerStep, left)
	}
	return "decoding"
}

// stats are what --stats prints.
type stats struct {
	Adapter        string             `json:"adapter"`
	F16            bool               `json:"shader_f16"`
	Kernels        string             `json:"kernels"`
	Seconds        map[string]float64 `json:"seconds"`
	SecondsPerStep float64            `json:"seconds_per_step"`
	Dispatches     int                `json:"dispatches_per_step"`
	Calls          int                `json:"javascript_calls_per_step"`
	Pipelines      int                `json:"pipelines"`
	CompileSeconds float64            `json:"pipeline_compile_seconds"`
	PeakGPU        int64              `json:"peak_gpu_bytes"`
	Heap           uint64             `json:"go_heap_bytes"`

	stage string
	since time.Time
}

// enter adds the time since the last event to the stage that it was spent in.
func (s *stats) enter(ev engine.Event) {
	s.book()
	s.stage = ev.Stage
	if ev.Stage == "denoise" {
		s.SecondsPerStep = ev.SecondsPerStep
		if ev.Step == ev.Steps {
			s.stage = "decode"
		}
	}
}

func (s *stats) book() {
	s.Seconds[s.stage] += time.Since(s.since).Seconds()
	s.since = time.Now()
}

func (s *stats) print(d *gpu.Device, e *engine.Engine) error {
	s.book()
	s.Pipelines, s.Kernels = d.Pipelines(), d.Kernels().String()
	s.CompileSeconds = d.CompileMilliseconds() / 1e3
	s.PeakGPU = d.PeakMemoryBytes()
	s.Dispatches, s.Calls = e.StepStats()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap = m.HeapSys
	b, err := json.MarshalIndent(s, "", "  ")
	fmt.Println(string(b))
	return err
}
