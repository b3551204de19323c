//go:build js && wasm && !cli

// Package ui is the page: a go-app component that composes settings, sends them to the
// engine's worker and shows what comes back.
package ui

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
)

// Run shows the page; it does not return.
func Run() {
	app.Route("/", func() app.Composer { return &page{} })
	app.RouteWithRegexp(".*", func() app.Composer { return &page{} })
	app.RunWhenOnBrowser()
}

// maxPrompts is how many image prompts the composer takes.
const maxPrompts = 4

// page is the whole of it: what was composed, what the engine is doing, what was made.
type page struct {
	app.Compo
	ctx    app.Context
	worker js.Value

	// The composer.
	prompts    []*imagePrompt
	prompt     string
	negative   string
	tokens     [2]tokenCount
	s          settings.Settings // everything that has no control of its own above
	seedLocked bool
	start      *picture
	startMask  mask   // what of the start picture is repainted; nothing painted: all of it
	problem    string // what went wrong, said where it happened

	// The engine.
	adapter  adapter
	noGPU    string // why there is no engine, for the visitor
	busy     bool
	progress progress
	preview  bool
	queue    []job
	current  job
	nextID   int

	// What was made.
	results []*result // of the last request, several for a strip
	shown   *result
	gallery []*result
	update  bool // a new version of the site is ready
	theme   string

	m models
}

type tokenCount struct {
	count, limit int
	overflow     string
}

type adapter struct {
	name, vendor, architecture string
	f16, software, ready       bool
	maxBuffer, maxBinding      int
	memory, peak, pipelines    int
}

type progress struct {
	stage                string
	done, total          float64
	step, steps          int
	image, images        int
	secondsPerStep, left float64
}

// picture is a file that the visitor gave, with an address to show it.
type picture struct {
	name  string
	bytes []byte
	url   string
}

type imagePrompt struct {
	*picture
	scale      float64
	layers     string
	start, end float64
	crop       crop
	mask       mask     // where it applies; nothing painted: everywhere
	image      js.Value // decoded, for the crop's picture
	adapter    string   // which one, where there are several
}

// job is one request to the engine.
type job struct {
	id       int
	settings settings.Settings
	pictures map[string][]byte
	label    string
}

// result is a picture that was made.
type result struct {
	key      int // in the gallery's store; 0 until it is stored
	settings settings.Settings
	png      []byte
	url      string
	label    string
}

func (p *page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.s = settings.Default()
	p.s.Width, p.s.Height = 128, 128
	p.s.NumInferenceSteps, p.s.GuidanceScale, p.s.Scheduler = 20, 5, "dpmpp_2m"
	p.s.Seed = uint64(rand.IntN(1 << 31))
	ctx.LocalStorage().Get("theme", &p.theme)
	p.applyTheme()
	p.listen()
	p.update = js.Global().Get("impromptUpdate").Truthy()
	p.openModels(ctx)
	p.startWorker()
	ctx.Async(p.openGallery)
}

// listen takes keys and files wherever on the page they arrive.
func (p *page) listen() {
	window := js.Global()
	on := func(name string, f func(e js.Value)) {
		window.Call("addEventListener", name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			f(args[0])
			return nil
		}))
	}
	on("keydown", func(e js.Value) {
		switch {
		case e.Get("key").String() == "Enter" && (e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()):
			e.Call("preventDefault")
			p.ctx.Dispatch(func(app.Context) { p.generate() })
		case e.Get("key").String() == "Escape":
			p.ctx.Dispatch(func(app.Context) { p.stop() })
		}
	})
	on("paste", func(e js.Value) { p.takeFiles(e.Get("clipboardData").Get("files")) })
	on("dragover", func(e js.Value) { e.Call("preventDefault") })
	on("drop", func(e js.Value) {
		e.Call("preventDefault")
		if !p.takeWeights(e.Get("dataTransfer")) {
			p.takeFiles(e.Get("dataTransfer").Get("files"))
		}
	})
	on("imprompt-update", func(js.Value) { p.ctx.Dispatch(func(app.Context) { p.update = true }) })
}

func (p *page) applyTheme() {
	root := app.Window().Get("document").Get("documentElement")
	if p.theme == "" {
		root.Call("removeAttribute", "data-theme")
		return
	}
	root.Call("setAttribute", "data-theme", p.theme)
}

// switchTheme goes from the system's choice to light, dark and back.
func (p *page) switchTheme(ctx app.Context, _ app.Event) {
	p.theme = map[string]string{"": "light", "light": "dark", "dark": ""}[p.theme]
	ctx.LocalStorage().Set("theme", p.theme)
	p.applyTheme()
}

// compose puts what the controls say into settings, with the pictures beside them.
func (p *page) compose() (settings.Settings, map[string][]byte) {
	s := p.s
	s.Prompt, s.NegativePrompt = p.prompt, p.negative
	s.IPAdapters, s.InitImage, s.Mask, s.Model = nil, "", "", p.m.chosen.ID
	pictures := map[string][]byte{}
	for i, im := range p.prompts {
		// Two pictures may have one name: what is pasted is always image.png.
		name := fmt.Sprintf("%d-%s", i+1, im.name)
		pictures[name] = im.bytes
		a := settings.IPAdapter{Images: []settings.ImagePrompt{{Picture: name, Crop: im.crop.square()}},
			Scale: im.scale, Layers: im.layers, Start: im.start, End: im.end}
		if o, ok := p.adapterOf(im); ok {
			a.Weights, a.ImageEncoder = o.id, o.encoder
		}
		if !im.mask.empty() {
			a.Mask = fmt.Sprintf("mask-%d.png", i)
			pictures[a.Mask] = im.mask.png(s.Width, s.Height)
		}
		s.IPAdapters = append(s.IPAdapters, a)
	}
	if p.start != nil {
		pictures[p.start.name] = p.start.bytes
		s.InitImage = p.start.name
		if !p.startMask.empty() {
			s.Mask = "mask-start.png"
			pictures[s.Mask] = p.startMask.png(s.Width, s.Height)
		}
	}
	return s, pictures
}

func (p *page) generate() {
	if p.busy {
		return
	}
	p.roll()
	s, pictures := p.compose()
	p.enqueue(job{settings: s, pictures: pictures})
}

// roll chooses a new seed, unless the visitor keeps one.
func (p *page) roll() {
	if !p.seedLocked {
		p.s.Seed = uint64(rand.IntN(1 << 31))
	}
}

// strip draws one seed at five weights in a row, as the paper's figures do.
func (p *page) strip() {
	if p.busy || len(p.prompts) == 0 {
		return
	}
	p.roll()
	var jobs []job
	for _, scale := range []float64{0, 0.25, 0.5, 0.75, 1} {
		s, pictures := p.compose()
		s.IPAdapters = append([]settings.IPAdapter(nil), s.IPAdapters...)
		for i := range s.IPAdapters {
			s.IPAdapters[i].Scale = scale
		}
		s.NumImages = 1
		jobs = append(jobs, job{settings: s, pictures: pictures, label: "λ " + strconv.FormatFloat(scale, 'f', -1, 64)})
	}
	p.enqueue(jobs...)
}

// seeds draws the same settings with five seeds, one after the other.
func (p *page) seeds() {
	if p.busy {
		return
	}
	p.roll()
	var jobs []job
	for i := range 5 {
		s, pictures := p.compose()
		s.Seed += uint64(i)
		s.NumImages = 1
		jobs = append(jobs, job{settings: s, pictures: pictures, label: fmt.Sprintf("seed %d", s.Seed)})
	}
	p.enqueue(jobs...)
}

func (p *page) enqueue(jobs ...job) {
	p.problem = ""
	if err := jobs[0].settings.Validate(); err != nil {
		p.problem = err.Error()
		return
	}
	if p.problem = p.modelProblem(jobs[0].settings); p.problem != "" {
		return
	}
	p.permit(func() {
		if p.busy {
			return
		}
		p.results = nil
		p.queue = jobs
		p.next()
	})
}

// next sends the first job of the queue to the worker.
func (p *page) next() {
	if len(p.queue) == 0 {
		p.busy, p.preview = false, false
		p.progress = progress{}
		return
	}
	p.nextID++
	p.current, p.queue = p.queue[0], p.queue[1:]
	p.current.id = p.nextID
	p.busy = true
	p.progress = progress{stage: "start"}
	p.send(p.current)
}

func (p *page) stop() {
	if p.busy {
		p.queue = nil
		p.worker.Call("postMessage", map[string]any{"type": "cancel"})
	}
}

// addPrompt makes a picture an image prompt.
func (p *page) addPrompt(pic *picture) {
	if len(p.prompts) >= maxPrompts {
		p.problem = fmt.Sprintf("There is room for %d image prompts: remove one first.", maxPrompts)
		return
	}
	im := &imagePrompt{picture: pic, scale: 0.7, layers: settings.LayersAll, end: 1, crop: newCrop()}
	p.prompts = append(p.prompts, im)
	p.problem = ""
	p.measure(im)
}

func (p *page) removePrompt(im *imagePrompt) {
	for i, o := range p.prompts {
		if o == im {
			p.prompts = append(p.prompts[:i:i], p.prompts[i+1:]...)
			p.ctx.Defer(func(app.Context) { p.showCrops() })
			return
		}
	}
}

// restore takes over the settings that a PNG carried.
func (p *page) restore(s settings.Settings, leftOut []string) {
	p.prompt, p.negative = s.Prompt, s.NegativePrompt
	if text := p.takeModel(s.Model); text != "" {
		leftOut = append(leftOut, text)
	}
	keep := p.s
	p.s = s
	p.s.IPAdapters, p.s.InitImage, p.s.Mask, p.s.Model = nil, "", "", ""
	if p.s.NumInferenceSteps == 0 {
		p.s.NumInferenceSteps = keep.NumInferenceSteps
	}
	if p.s.Width == 0 || p.s.Height == 0 {
		p.s.Width, p.s.Height = keep.Width, keep.Height
	}
	p.seedLocked = true
	for i, a := range s.IPAdapters {
		// A PNG carries the names of its image prompts, not the pictures.
		if i < len(p.prompts) {
			im := p.prompts[i]
			im.scale, im.layers, im.start, im.end, im.adapter = a.Scale, a.Layers, a.Start, a.End, a.Weights
		}
	}
	p.problem = ""
	if len(leftOut) > 0 {
		p.problem = "Taken over, but for: " + strings.Join(leftOut, "; ")
	} else if len(s.IPAdapters) > len(p.prompts) {
		p.problem = "The settings are restored. Add the image prompts again: a picture carries their names only."
	}
	p.countTokens()
}
