//go:build js && wasm

package ui

import (
	"fmt"
	"html"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// galleryPanel shows what was made. It is drawn only when that has changed, because a step's progress need not look
// through thousands of pictures.
type galleryPanel struct {
	app.Compo
	Changes int    // of the gallery
	Shown   string // the URL of the picture on the stage
	gallery *state.Gallery
	film    *film
	curator *curator
}

func (g *galleryPanel) Render() app.UI {
	class := "gallery"
	if g.gallery.Opened {
		class += " opened"
	}
	if g.gallery.Picking || g.gallery.PickedCount() > 0 {
		class += " picking"
	}
	g.film.drawn()
	return app.Section().Class(class).Aria("label", texts.T("Gallery")).Body(
		g.head(),
		g.tools(),
		app.P().Class("quiet").Hidden(g.gallery.About() == "").Text(g.gallery.About()),
		app.P().Class("quiet").Role("status").Hidden(len(g.gallery.Listed()) > 0 || len(g.gallery.Results) == 0).Text(texts.T("Nothing here has all of these words. A word with a minus before it is left out.")),
		g.list(),
	)
}

// head finds pictures, and says how many there are.
func (g *galleryPanel) head() app.UI {
	none, search := len(g.gallery.Results) == 0, g.gallery.Search()
	count := ""
	if n := len(g.gallery.Results); n > 0 {
		count = strconv.Itoa(n)
		if listed := len(g.gallery.Listed()); listed < n {
			count = texts.F("%d of %d", listed, n)
		}
	}
	open := texts.T("Show all")
	if g.gallery.Opened {
		open = texts.T("Show the stage")
	}
	return app.Div().Class("gallery-head").Body(
		app.H2().Body(app.Text(texts.T("Gallery")), app.Span().Class("numbers quiet count").Text(count)),
		app.Input().Type("search").Placeholder(texts.T("Search")).Aria("label", texts.T("Search the gallery")).Title(texts.T("Words of the prompt, the model or the settings")).Hidden(none).
			OnInput(func(ctx app.Context, _ app.Event) {
				g.gallery.SetSearch(state.Search{Words: text(ctx), Starred: g.gallery.Search().Starred})
			}),
		small("", texts.T("Only pictures with a star"), func() {
			s := g.gallery.Search()
			s.Starred = !s.Starred
			g.gallery.SetSearch(s)
		}).Class("star").Aria("pressed", fmt.Sprint(search.Starred)).Hidden(none).Body(icon("star")),
		small(texts.T("Select"), texts.T("Select"), func() { g.curator.pick(true) }).Title(texts.T("Pick pictures: also with Ctrl, Shift or the space bar")).Hidden(none),
		small(texts.T("Zip"), texts.T("Export as zip"), func() { g.curator.export(g.gallery.Listed()) }).Title(texts.T("All that is listed, with an index")).Hidden(none),
		small(open, open, func() { g.curator.open(!g.gallery.Opened) }).Hidden(none && !g.gallery.Opened),
	)
}

// tools are what can be done with the pictures that are picked. They lie over the head.
func (g *galleryPanel) tools() app.UI {
	n := g.gallery.PickedCount()
	tools := []app.UI{app.P().Class("numbers").Role("status").Text(texts.F("%d selected", n)), small(texts.T("All"), texts.T("Select all"), g.gallery.PickAll)}
	for _, t := range []struct {
		text, name  string
		least, most int // how many it is for
		do          func([]*state.Result)
	}{
		{texts.T("Star"), texts.T("Star the selected"), 1, n, g.curator.star},
		{texts.T("Compare"), texts.T("Compare the two selected"), 2, 2, g.curator.compare},
		{texts.T("Zip"), texts.T("Export the selected as zip"), 1, n, g.curator.export},
		{texts.T("Sheet"), texts.T("Download the selected as one sheet"), 1, 64, g.curator.sheet},
		{texts.T("Delete"), texts.T("Delete the selected"), 1, n, g.curator.remove},
	} {
		tools = append(tools, small(t.text, t.name, func() { t.do(g.gallery.Selected()) }).Disabled(n < t.least || n > t.most))
	}
	return app.Div().Class("gallery-head gallery-tools").Role("toolbar").Aria("label", texts.T("With the selected pictures")).Hidden(n == 0 && !g.gallery.Picking).
		Body(append(tools, small(texts.T("Done"), texts.T("Done selecting"), g.gallery.Unpick).Title(texts.T("Esc")))...)
}

// list shows the part of the gallery that is on the screen. Pictures are options of a list box: the list has the
// keyboard, and the active option is the one that keys act on.
func (g *galleryPanel) list() app.UI {
	list := g.gallery.Listed()
	before, after := g.film.window.Margins(len(list))
	active := ""
	body := []app.UI{g.room("before", before)}
	for slot := range state.Slots {
		from, to, place := g.film.window.Slot(slot, len(list))
		var tiles []app.UI
		for i := from; i < to; i++ {
			if list[i] == g.gallery.Active() {
				active = tileID(i)
			}
			tiles = append(tiles, g.print(list[i], i, len(list)))
		}
		body = append(body, app.Div().Class(fmt.Sprintf("block place-%d", place)).Role("presentation").Body(tiles...))
	}
	film := app.Div().ID(filmID).Class("film").Role("listbox").Aria("label", texts.T("Pictures")).Aria("multiselectable", "true").TabIndex(0).Hidden(len(list) == 0).
		Body(append(body, g.room("after", after))...)
	if active != "" {
		film = film.Aria("activedescendant", active)
	}
	return film
}

// room is empty room in the place of pictures that are not drawn. The site's Content-Security-Policy rules out a style
// attribute for it.
func (g *galleryPanel) room(class string, length int) app.UI {
	width, height := length, 1
	if g.gallery.Opened {
		width, height = 1, length
	}
	if length == 0 {
		width, height = 0, 0
	}
	return app.Raw(fmt.Sprintf(`<svg class="room-%s" width="%d" height="%d" aria-hidden="true"></svg>`, class, width, height))
}

const tilePrefix = "picture-"

func tileID(i int) string { return tilePrefix + strconv.Itoa(i) }

// print is one picture, with marks to pick, star and delete it, which keys and the bar above do as well.
func (g *galleryPanel) print(r *state.Result, i, n int) app.UI {
	name, class, says := r.Title(), "print", ""
	if r.Starred {
		name, class = texts.F("%s, starred", name), class+" starred"
	}
	if r == g.gallery.Active() {
		class += " active"
	}
	if g.gallery.Opened {
		says = `<span class="words">` + html.EscapeString(r.Title()) + `</span><span class="quiet numbers">` + html.EscapeString(r.Facts()) + `</span>`
	}
	return app.Figure().ID(tileID(i)).Class(class).Role("option").Aria("label", name).Aria("selected", fmt.Sprint(g.gallery.Picked(r))).
		Aria("current", fmt.Sprint(r.URL == g.Shown)).Aria("posinset", i+1).Aria("setsize", n).Title(r.Title()+"\n"+r.Facts()).Body(
		app.Span().Class("thumb").Body(app.Img().Src(g.film.thumbs.url(r)).Role("presentation"), app.Raw(signs())),
		app.Raw(`<span class="says" aria-hidden="true">`+says+`</span>`),
	)
}

// signs are over every picture.
func signs() string {
	return `<span class="signs" aria-hidden="true">` + mark("pick", texts.T("Select"), "check") + mark("star", texts.T("Star"), "star") + mark("delete", texts.T("Delete"), "close") + `</span>`
}

func mark(class, title, icon string) string {
	return `<span class="mark ` + class + `" title="` + html.EscapeString(title) + `">` + drawing(icon) + `</span>`
}
