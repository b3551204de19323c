//go:build js && wasm

package ui

import (
	"fmt"
	"html"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// nearLine says under a picture how near it is to what it was made from.
type nearLine struct {
	app.Compo
	Text string
}

func (t *nearLine) Render() app.UI {
	return app.Div().ID("near").Class("near").Hidden(t.Text == "").Body(
		app.P().Class("numbers quiet").Text(t.Text), info("near", "Near"))
}

// nearKey is where the browser keeps whether pictures are not to be measured.
const nearKey = "no-scores"

// nearness switches the measuring on and off.
func (t *settingsPanel) nearness() app.UI {
	text := texts.T("How near: measured")
	if t.jobs.NoScores {
		text = texts.T("How near: not measured")
	}
	return app.Button().Class("plain small").Aria("pressed", fmt.Sprint(!t.jobs.NoScores)).Text(text).OnClick(func(ctx app.Context, _ app.Event) {
		t.jobs.NoScores = !t.jobs.NoScores
		ctx.LocalStorage().Set(nearKey, t.jobs.NoScores)
	})
}

// plot draws how near the pictures of a strip are to what they were made from.
func plot(j *state.Jobs) app.UI {
	p, ok := j.Plot()
	if !ok {
		return app.Div().Hidden(true)
	}
	return app.Raw(plotSVG(p))
}

func plotSVG(p state.Plot) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot numbers" role="img" aria-label="%s" viewBox="0 0 %d %d">`, html.EscapeString(p.Label), p.Width, p.Height)
	fmt.Fprintf(&b, `<path d="M%g %gV%gH%g"/>`, p.Left, p.Top, p.Bottom, p.Right)
	for _, t := range p.Ticks {
		fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f">%s</text>`, t.X, t.Y, html.EscapeString(t.Text))
	}
	for i, l := range p.Lines {
		var points []string
		for _, at := range l.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", at[0], at[1]))
		}
		fmt.Fprintf(&b, `<g class="line-%d"><polyline points="%s"/>`, i, strings.Join(points, " "))
		for k, at := range l.Points {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3"><title>%s</title></circle>`, at[0], at[1], texts.Number(l.Values[k], 2))
		}
		fmt.Fprintf(&b, `<text x="%g" y="%.1f">%s %s</text></g>`, p.Right+10, l.NameY, html.EscapeString(l.Name), texts.Number(l.Values[len(l.Values)-1], 2))
	}
	return b.String() + `</svg>`
}
