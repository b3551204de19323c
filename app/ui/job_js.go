//go:build js && wasm

package ui

import (
	"cmp"
	"context"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// generate makes the picture that the composer describes, or several of seeds in a row.
func (p *page) generate() { p.request(p.composer.ForPicture) }

// grid makes the strip or the grid that the composer describes.
func (p *page) grid() {
	r, err := p.composer.ForGrid(p.library.Chosen.ID, p.library.Adapters(), p.library.GridModels())
	if err != nil {
		p.composer.Problems[state.AtGrid] = p.composer.GridProblem(err)
		return
	}
	p.request(func(string, []state.Adapter) state.Request { return r })
}

// vary draws variations of a result.
func (p *page) vary(r *state.Result) {
	p.again(r, func(inputs map[string]any, _ any) state.Request { return p.composer.ForVariations(r, inputs) })
}

// moreLike draws pictures that have a result as their image prompt.
func (p *page) moreLike(r *state.Result) {
	p.again(r, func(inputs map[string]any, png any) state.Request {
		return p.composer.ForMoreLike(r, inputs, png, p.library.AdaptersOf(r.Settings))
	})
}

// upscale draws a result again, larger.
func (p *page) upscale(r *state.Result, scale float64) {
	p.again(r, func(inputs map[string]any, png any) state.Request {
		return p.composer.ForUpscale(r, inputs, png, scale, p.library.TrainedFor(r.Settings.Model))
	})
}

// again draws pictures like a result, from its file and the pictures that it was made from.
func (p *page) again(r *state.Result, compose func(inputs map[string]any, png any) state.Request) {
	p.loop.beside(func() func() {
		inputs, err := r.ReadInputs(p.intake.store)
		png, other := blobs.Bytes(r.PNG.(js.Value))
		return func() {
			if err := cmp.Or(err, other); err != nil {
				p.composer.Problems[state.AtGo] = state.Unreadable(state.AtGo, texts.F("What this picture was made from could not be read: %s", texts.Translate(err.Error())))
				return
			}
			p.request(func(string, []state.Adapter) state.Request { return compose(inputs, png) })
		}
	})
}

// request submits what the composer asks for, unless something is wrong with it, which is then said. While others are
// drawn, it waits for its turn.
func (p *page) request(compose func(model string, fit []state.Adapter) state.Request) {
	if p.jobs.Engine.Refusal.Title != "" {
		return
	}
	r := compose(p.library.Chosen.ID, p.library.Adapters())
	p.library.Resolve(&r)
	p.composer.Problems, p.composer.Lacking = state.Problems{}, nil
	if !p.note.Undo.Can() {
		p.note = state.Note{}
	}
	problem := r.Problem(p.library)
	if early := p.composer.PaintedEarly(); r.Of == nil && early.Text != "" {
		problem = early
	}
	if problem.Text != "" {
		p.composer.Problems[state.AtGo] = problem
		if g, ok := r.Lacks(p.library); ok {
			p.composer.Lacking = &g
		}
		return
	}
	inputs := inputsOf(r)
	p.permit(r.Jobs, func() {
		p.history.Asked(r.Jobs[0].Prompt)
		p.ctx.LocalStorage().Set("history", p.history.Prompts)
		if p.jobs.Busy() {
			p.jobs.Submit(r, inputs)
			p.note = state.Note{Text: texts.T("Added to the queue.")}
			return
		}
		p.stage.Done()
		p.gallery.Requested()
		p.jobs.Submit(r, inputs)
		if r.LeftOut != "" {
			p.note = state.Note{Text: r.LeftOut}
		}
		p.viewer.reveal()
	})
}

// keep has the embeddings of an image prompt made, to be saved as a file.
func (p *page) keep(im *state.ImagePrompt) {
	r := p.composer.ForKeeping(im, p.library.Chosen.ID, p.library.Adapters())
	p.library.Resolve(&r)
	if problem := r.KeepingProblem(p.library); problem.Text != "" {
		p.composer.Problems[state.AtPrompts] = problem
		return
	}
	inputs := inputsOf(r)
	p.permit(r.Jobs, func() { p.jobs.Keep(im.KeptName(), r.Jobs[0], inputs) })
}

// inputsOf returns the pictures of a request as Uint8Arrays.
func inputsOf(r state.Request) map[string]any {
	inputs := map[string]any{}
	for name, in := range r.Inputs {
		if in.Mask != nil {
			inputs[name] = maskPNG(in.Mask, in.Width, in.Height)
			continue
		}
		inputs[name] = in.Bytes
	}
	return inputs
}

// permit asks the browser, from a click, whether the page may read the files that a request reads from the disk, and
// goes on when it may.
func (p *page) permit(jobs []settings.Settings, then func()) {
	var wanted []js.Value
	asked := map[string]bool{} // the models, which are all that tells the files of jobs apart
	for _, s := range jobs {
		if asked[s.Model] {
			continue
		}
		asked[s.Model] = true
		for _, v := range p.library.Handles(s) {
			if h := v.(js.Value); h.Get("requestPermission").Type() == js.TypeFunction {
				wanted = append(wanted, h)
			}
		}
	}
	if len(wanted) == 0 {
		then()
		return
	}
	p.ctx.Async(func() {
		for _, h := range wanted {
			answer, err := webapi.Await(context.Background(), h.Call("requestPermission", map[string]any{"mode": "read"}))
			if err != nil || answer.String() != "granted" {
				p.ctx.Dispatch(func(app.Context) {
					p.composer.Problems[state.AtGo] = state.NotAllowed(h.Get("name").String())
				})
				return
			}
		}
		p.ctx.Dispatch(func(app.Context) { then() })
	})
}
