//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// aboutPanel unfolds to what is known of the GPU and of what the last picture cost.
type aboutPanel struct {
	app.Compo
	Drawn   int
	jobs    *state.Jobs
	checker *checker
}

const aboutID = "about"

func (t *aboutPanel) Render() app.UI {
	return app.Details().Class("about").ID(aboutID).Body(
		app.Summary().Text(texts.T("About this GPU")),
		app.Div().Class("float").Body(append(t.engine(), app.P().Class("quiet").Body(
			app.Text(texts.T("The model that ships was trained on Fluent Emoji (MIT), Noto Emoji (Apache 2.0), FxEmojis, Twemoji and EmojiOne (CC BY 4.0): ")),
			app.A().Href(here("web/model/ATTRIBUTION.md")).Text(texts.T("attribution")), app.Text(texts.T(". The program and what it is built from: ")),
			app.A().Href(here("web/licences.txt")).Text(texts.T("licences")), app.Text("."),
		))...),
	)
}

// folding are the panels that unfold over the page.
var folding = []string{aboutID, shortcutsID}

// unfolded reports whether any of them is.
func unfolded() bool {
	for _, id := range folding {
		if d := byID(id); d.Truthy() && d.Get("open").Bool() {
			return true
		}
	}
	return false
}

// fold folds away what is unfolded over the page, and reports whether anything was.
func fold() (any bool) {
	for _, id := range folding {
		if d := byID(id); d.Truthy() && d.Get("open").Bool() {
			d.Set("open", false)
			any = true
		}
	}
	return any
}

// stages are the parts of a picture's cost, in the order in which they come.
var stages = []struct {
	key  string
	name texts.Text
}{
	{"load", "loading weights"}, {"encode", "reading words and pictures"}, {"compile", "compiling shaders"}, {"denoise", "steps"}, {"decode", "decoding"},
}

// engine says what the engine said of itself.
func (t *aboutPanel) engine() []app.UI {
	e := &t.jobs.Engine
	switch {
	case e.Refusal.Title != "":
		return []app.UI{app.P().Text(e.Refusal.Title + ". " + e.Refusal.Text)}
	case !e.Ready:
		return []app.UI{app.P().Text(texts.T("The GPU has not been opened yet."))}
	}
	f16 := texts.T("no: the same pictures, with more memory")
	if e.GPU.F16 {
		f16 = texts.T("yes")
	}
	rows := [][2]string{
		{texts.T("Adapter"), e.GPU.Adapter}, {texts.T("16-bit floats"), f16},
		{texts.T("Largest buffer"), state.Megabytes(e.GPU.MaxBuffer)}, {texts.T("Largest binding"), state.Megabytes(e.GPU.MaxBinding)}, {texts.T("Workgroup"), texts.F("%d invocations", e.GPU.Workgroup)},
		{texts.T("Memory in use"), state.Megabytes(e.Memory)}, {texts.T("Most so far"), state.Megabytes(e.Peak)}, {texts.T("Shaders"), fmt.Sprint(e.Pipelines)},
	}
	rows = append(rows, state.KernelRows(e.Kernels)...)
	if c := e.LastCost; c.Seconds > 0 {
		rows = append(rows, [2]string{texts.T("The last picture"), texts.F("%s, %s per step", state.Seconds(c.Seconds), state.Seconds(c.SecondsPerStep))})
		for _, s := range stages {
			if seconds := c.Stages[s.key]; seconds >= 0.05 {
				rows = append(rows, [2]string{"– " + s.name.String(), state.Seconds(seconds)})
			}
		}
	}
	var list []app.UI
	for _, r := range rows {
		list = append(list, app.Dt().Text(r[0]), app.Dd().Text(r[1]))
	}
	body := []app.UI{
		app.P().Class("numbers").Text(e.OfSD15()), app.P().Class("numbers").Text(e.OfDemo()),
		app.Dl().Body(list...),
	}
	if len(e.Kernels.Trials) > 0 {
		body = append(body, app.Button().Class("plain").Text(texts.T("Measure the kernels again")).Disabled(t.jobs.Busy()).
			OnClick(func(app.Context, app.Event) { t.jobs.Measure() }))
	}
	body = append(body, t.checker.draw())
	if e.GPU.Software {
		body = append(body, app.P().Text(texts.T("This is not a graphics card but the processor in its place. If the machine has a graphics card: switch on graphics acceleration in the browser's settings, under System, update the card's driver, and start the browser again. On Linux, chrome://flags/#enable-vulkan and #enable-unsafe-webgpu may be needed. chrome://gpu says what is off, and why.")))
	}
	return body
}
