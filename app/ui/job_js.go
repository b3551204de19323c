//go:build js && wasm

package ui

import (
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
)

// job is one request to the engine.
type job struct {
	id       int
	settings settings.Settings
	pictures map[string]js.Value // Uint8Arrays
	first    int                 // the place of its first picture among the shots
	again    bool                // it was sent before, and the GPU was lost
}

// shot is a place for a picture that was asked for.
type shot struct {
	label   string
	result  *result // nil until it is there
	skipped bool
}

// compose puts what the controls say into settings, with the pictures beside them.
func (p *page) compose() (settings.Settings, map[string]js.Value) {
	s := p.s
	s.Prompt, s.NegativePrompt = p.prompt, p.negative
	s.IPAdapters, s.InitImage, s.Mask, s.Model = nil, "", "", p.m.chosen.ID
	pictures := map[string]js.Value{}
	for i, im := range p.prompts {
		// Two pictures may have one name: what is pasted is always image.png.
		name := fmt.Sprintf("%d-%s", i+1, im.name)
		pictures[name] = im.data
		a := settings.IPAdapter{Images: []settings.ImagePrompt{{Picture: name, Crop: im.crop.square()}},
			Scale: im.scale, Layers: im.layers, Start: im.start, End: im.end}
		if o, ok := p.adapterOf(im); ok {
			a.Weights, a.ImageEncoder = o.id, o.encoder
		}
		if !im.mask.empty() {
			a.Mask = fmt.Sprintf("mask-%d.png", i+1)
			pictures[a.Mask] = im.mask.png(s.Width, s.Height)
		}
		s.IPAdapters = append(s.IPAdapters, a)
	}
	if p.start != nil {
		s.InitImage = "start-" + p.start.name
		pictures[s.InitImage] = p.start.data
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
	var labels []string
	for i := range s.NumImages {
		labels = append(labels, fmt.Sprintf("%d of %d", i+1, s.NumImages))
	}
	p.enqueue(labels, job{settings: s, pictures: pictures})
}

// roll chooses a new seed, unless the visitor keeps one.
func (p *page) roll() {
	if !p.seedLocked {
		p.s.Seed = newSeed()
	}
}

// strip draws one seed at five weights in a row, as the paper's figures do.
func (p *page) strip() {
	if p.busy || len(p.prompts) == 0 {
		return
	}
	p.roll()
	s, pictures := p.compose()
	s.NumImages = 1
	adapters := s.IPAdapters
	var jobs []job
	var labels []string
	for i, scale := range []float64{0, 0.25, 0.5, 0.75, 1} {
		s.IPAdapters = append([]settings.IPAdapter(nil), adapters...)
		for k := range s.IPAdapters {
			s.IPAdapters[k].Scale = scale
		}
		jobs = append(jobs, job{settings: s, pictures: pictures, first: i})
		labels = append(labels, "λ = "+trim(scale))
	}
	p.enqueue(labels, jobs...)
}

// seeds draws the same settings with five seeds, one after the other.
func (p *page) seeds() {
	if p.busy {
		return
	}
	p.roll()
	s, pictures := p.compose()
	s.NumImages = 1
	var jobs []job
	var labels []string
	for i := range 5 {
		jobs = append(jobs, job{settings: s, pictures: pictures, first: i})
		labels = append(labels, "seed "+strconv.FormatUint(s.Seed, 10))
		s.Seed++
	}
	p.enqueue(labels, jobs...)
}

func (p *page) enqueue(labels []string, jobs ...job) {
	p.problems = map[string]string{}
	p.note = note{}
	if p.noEngine.title != "" {
		return
	}
	if err := jobs[0].settings.Validate(); err != nil {
		p.problems[atGo] = err.Error()
		return
	}
	if text := p.modelProblem(jobs[0].settings); text != "" {
		p.problems[atGo] = text
		return
	}
	p.permit(func() {
		if p.busy {
			return
		}
		p.shots = nil
		for _, l := range labels {
			p.shots = append(p.shots, &shot{label: l})
		}
		p.shown, p.follow, p.actualSize = nil, true, false
		p.queue = jobs
		p.next()
		// On a phone the stage may be far above.
		if stage := byID("stage"); stage.Call("getBoundingClientRect").Get("top").Float() < 0 {
			stage.Call("scrollIntoView")
		}
	})
}

// next sends the first job of the queue to the worker.
func (p *page) next() {
	p.preview = false
	if len(p.queue) == 0 {
		p.busy = false
		p.progress = progress{}
		return
	}
	p.current, p.queue = p.queue[0], p.queue[1:]
	p.sendCurrent()
}

func (p *page) sendCurrent() {
	p.nextID++
	p.current.id = p.nextID
	p.busy = true
	p.progress = progress{stage: "start"}
	p.send(p.current)
}

func (p *page) stop() {
	if p.busy {
		p.queue = nil
		p.post("cancel")
	}
}

// skip drops the picture under way and goes on with the next.
func (p *page) skip() {
	if p.busy {
		p.post("skip")
	}
}

// at is the shot that is being made; nil between them.
func (p *page) at() *shot {
	if i := p.current.first + p.progress.image; p.busy && i < len(p.shots) {
		return p.shots[i]
	}
	return nil
}

// left is how many pictures are still to come, this one included.
func (p *page) left() int {
	n := 0
	for _, s := range p.shots {
		if s.result == nil && !s.skipped {
			n++
		}
	}
	return n
}

// passed marks the shots of the current job that never came.
func (p *page) passed() {
	for i := p.current.first; i < min(p.current.first+p.current.settings.NumImages, len(p.shots)); i++ {
		if s := p.shots[i]; s.result == nil {
			s.skipped = true
		}
	}
}
