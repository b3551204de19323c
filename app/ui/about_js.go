//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

func (p *page) header() app.UI {
	name := map[string]string{"": "system", "light": "light", "dark": "dark"}[p.theme]
	return app.Header().Class("bar").Body(
		app.H1().Text("Imprompt"),
		app.P().Class("quiet motto").Text("Pictures from a picture and a few words, on your own graphics card"),
		app.Button().Class("plain small accent").Text("A new version is ready: use it").Hidden(!p.update).Disabled(p.jobs.Busy()).
			Title("Loads the page anew; the gallery stays").OnClick(func(app.Context, app.Event) { app.Window().Call("impromptUpdate") }),
		app.Details().Class("about").ID("about").Body(
			app.Summary().Text("About this GPU"),
			app.Div().Class("float").Body(p.about()...),
		),
		app.Button().Class("bare square").Aria("label", "Theme: "+map[string]string{"": "as the system", "light": "light", "dark": "dark"}[p.theme]).
			Title("Light, dark, or as the system").Body(icon(name)).OnClick(p.switchTheme),
	)
}

// closeAbout folds the panel away, and says whether it was open.
func closeAbout() bool {
	d := byID("about")
	if !d.Truthy() || !d.Get("open").Bool() {
		return false
	}
	d.Set("open", false)
	return true
}

// stages are the parts of a picture's cost, in the order they come.
var stages = []struct{ key, name string }{
	{"load", "loading weights"}, {"encode", "reading words and pictures"}, {"compile", "compiling shaders"}, {"denoise", "steps"}, {"decode", "decoding"},
}

func (p *page) about() []app.UI {
	e := p.jobs.Engine
	a := e.GPU
	var body []app.UI
	switch {
	case e.Refusal.Title != "":
		body = append(body, app.P().Text(e.Refusal.Title+". "+e.Refusal.Text))
	case !e.Ready:
		body = append(body, app.P().Text("It is not open yet."))
	default:
		f16 := "no: the same pictures, with more memory"
		if a.F16 {
			f16 = "yes"
		}
		rows := [][2]string{
			{"Adapter", a.Adapter}, {"16-bit floats", f16},
			{"Largest buffer", state.Megabytes(a.MaxBuffer)}, {"Largest binding", state.Megabytes(a.MaxBinding)}, {"Workgroup", fmt.Sprintf("%d invocations", a.Workgroup)},
			{"Memory in use", state.Megabytes(e.Memory)}, {"Most so far", state.Megabytes(e.Peak)}, {"Shaders", fmt.Sprint(e.Pipelines)},
		}
		if c := e.LastCost; c.Seconds > 0 {
			rows = append(rows, [2]string{"The last picture", fmt.Sprintf("%s, %s a step", state.Seconds(c.Seconds), state.Seconds(c.SecondsPerStep))})
			for _, s := range stages {
				if t := c.Stages[s.key]; t >= 0.05 {
					rows = append(rows, [2]string{"– " + s.name, state.Seconds(t)})
				}
			}
		}
		var list []app.UI
		for _, r := range rows {
			list = append(list, app.Dt().Text(r[0]), app.Dd().Text(r[1]))
		}
		body = append(body, app.Dl().Body(list...))
		if a.Software {
			body = append(body, app.P().Text("This is not a graphics card but the processor in its place. If the machine has a graphics card: switch on graphics acceleration in the browser's settings, under System, update the card's driver, and start the browser again. On Linux, chrome://flags/#enable-vulkan and #enable-unsafe-webgpu may be needed. chrome://gpu says what is off, and why."))
		}
	}
	return append(body, app.P().Class("quiet").Body(
		app.Text("The model that ships was trained on Fluent Emoji (MIT), Noto Emoji (Apache 2.0), FxEmojis, Twemoji and EmojiOne (CC BY 4.0): "),
		app.A().Href(here("web/model/ATTRIBUTION.md")).Text("attribution"), app.Text(". The program and what it is built from: "),
		app.A().Href(here("web/licences.txt")).Text("licences"), app.Text("."),
	))
}
