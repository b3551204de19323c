//go:build js && wasm

package ui

import (
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
)

// job is one request to the engine.
type job struct {
	id       int
	settings settings.Settings
	inputs   map[string]any // Uint8Arrays
	first    int            // the place of its first picture among the shots
	again    bool           // it was sent before, and the GPU was lost
}

// shot is a place for a picture that was asked for.
type shot struct {
	label   string
	result  *state.Result // nil until it is there
	skipped bool
}

// generate makes the picture that the composer describes, or several from one seed.
func (p *page) generate() { p.request(p.composer.ForPicture) }

// strip makes a row of pictures at five image weights.
func (p *page) strip() {
	if len(p.composer.Prompts) > 0 {
		p.request(p.composer.ForWeightStrip)
	}
}

// seeds makes a row of pictures from five seeds.
func (p *page) seeds() { p.request(p.composer.ForSeedStrip) }

func (p *page) request(compose func(model string, fit []state.Adapter) state.Request) {
	if p.busy {
		return
	}
	r := compose(p.m.chosen.ID, p.adapters())
	inputs := inputsOf(r)
	var jobs []job
	for i, s := range r.Jobs {
		jobs = append(jobs, job{settings: s, inputs: inputs, first: i})
	}
	p.enqueue(r.Labels, jobs...)
}

// inputsOf returns the pictures of a request as Uint8Arrays.
func inputsOf(r state.Request) map[string]any {
	inputs := map[string]any{}
	for name, in := range r.Inputs {
		if in.Mask != nil {
			inputs[name] = maskPNG(in.Mask, r.Jobs[0].Width, r.Jobs[0].Height)
			continue
		}
		inputs[name] = in.Bytes
	}
	return inputs
}

func (p *page) enqueue(labels []string, jobs ...job) {
	p.composer.Problems = state.Problems{}
	p.note = state.Note{}
	if p.noEngine.title != "" {
		return
	}
	if err := jobs[0].settings.Validate(); err != nil {
		p.composer.Problems[state.AtGo] = err.Error()
		return
	}
	if text := p.modelProblem(jobs[0].settings); text != "" {
		p.composer.Problems[state.AtGo] = text
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
		p.gallery.Requested()
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
