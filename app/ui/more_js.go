//go:build js && wasm

package ui

import (
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// combines are the ways to combine several pictures, in words for the visitor.
var combines = map[string]texts.Text{
	settings.CombineConcat: "Side by side: each counts", settings.CombineAverage: "Their average", settings.CombineNormAverage: "Their average direction",
	settings.CombineAdd: "Their sum", settings.CombineSubtract: "The first minus the others",
}

// more combines an image prompt with further pictures, and with one that the result should not be like.
func (t *adjustPanel) more(im *state.ImagePrompt) app.UI {
	var about []string
	if n := len(im.More); n > 0 {
		about = append(about, texts.F("%d more", n))
	}
	if im.Unlike != nil {
		about = append(about, texts.T("1 to avoid"))
	}
	var more []app.UI
	for i, part := range im.More {
		more = append(more, t.part(i+1, part, func() { t.composer.RemoveMore(im, part) }))
	}
	var unlike []app.UI
	if im.Unlike != nil {
		unlike = append(unlike, t.part(state.UnlikePart, im.Unlike, func() { t.composer.SetUnlike(im, nil) }))
	}
	var options []app.UI
	for _, c := range settings.Combines {
		options = append(options, option(c, combines[c].String()))
	}
	return app.Details().Class("more").Hidden(im.Kept).Body(
		app.Summary().Body(app.Span().Text(texts.T("More pictures")), app.Span().Class("quiet").Text(strings.Join(about, ", "))),
		app.P().Class("quiet").Text(texts.T("Several pictures can make one image prompt, with one weight.")),
		app.Div().Class("parts").Hidden(more == nil).Body(more...),
		app.Div().Hidden(len(im.More) >= state.MaxMore).Body(
			fileInput("", "Add pictures", pictureFiles, true, "", func(files js.Value) { t.intake.more(im, files) }, key(im)),
		),
		t.controls.choice(promptID(t.Index, "combine"), "How they are combined", im.Combine, options, func(v string) { im.Combine = v }, key(im)).
			Hidden(more == nil),
		app.P().Class("quiet").Text(texts.T("The result is kept from looking like a picture to avoid. This needs a guidance above 1.")),
		app.Div().Class("parts").Hidden(unlike == nil).Body(unlike...),
		app.Div().Hidden(unlike != nil).Body(
			fileInput("", "Add a picture to avoid", pictureFiles, false, "", func(files js.Value) { t.intake.unlike(im, files) }, key(im)),
		),
	)
}

// part shows a picture beside that of an image prompt, by its number, with its crop and a button that removes it.
func (t *adjustPanel) part(number int, p *state.Part, remove func()) app.UI {
	return app.Div().Class("part").Body(
		cropCanvas(partID(t.Index, number), texts.F("Picture %s", p.Name)),
		app.Button().Class("remove").Aria("label", texts.F("Remove %s", p.Name)).Title(texts.T("Remove")).Body(icon("close")).OnClick(func(app.Context, app.Event) {
			remove()
			t.canvases.paintLater()
		}, key(p)),
		t.canvases.editButton("Crop", state.Editing{What: state.EditCrop, Prompt: t.composer.Prompts[t.Index], Part: number}).Hidden(t.composer.Prompts[t.Index].Tiled != ""),
	)
}

// tiled chooses what the encoder sees of a picture that is not square.
func (t *adjustPanel) tiled(im *state.ImagePrompt) app.UI {
	return t.controls.choice(promptID(t.Index, "tiled"), "What the encoder sees", im.Tiled, []app.UI{
		option("", texts.T("The square of the crop")),
		option(settings.TiledMasked, texts.T("The whole picture in tiles, each for its own place")),
		option(settings.TiledConcat, texts.T("The whole picture in tiles, together")),
	}, func(v string) { im.Tiled = v }, key(im)).Class("wide").Hidden(im.Kept)
}
