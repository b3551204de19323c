//go:build js && wasm

package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/texts"
)

// controls are the values that form controls are to show. go-app sets a control's value only when the value that was
// drawn last differs, which is not enough after the visitor has changed it.
type controls struct {
	values map[string]string // by the control's id
	force  bool              // set even the control that has the keyboard, because the values came from elsewhere
}

// bind says what a control is to show, and returns its id.
func (c *controls) bind(id, value string) string {
	c.values[id] = value
	return id
}

// number returns the number that a control is to show.
func (c *controls) number(id string) float64 {
	v, _ := strconv.ParseFloat(c.values[id], 64) // bound from a number
	return v
}

// percent is a field for a fraction, which is shown in percent.
func (c *controls) percent(id string, label texts.Text, value float64, set func(float64), scope app.EventOption) app.UI {
	return app.Div().Class("field").Body(
		labelled(id, label),
		app.Input().ID(c.bind(id, trim(100*value))).Type("number").Class("numbers").Min("0").Max("100").Step(5).
			OnInput(func(ctx app.Context, _ app.Event) { set(number(ctx, 100*value) / 100) }, scope),
	)
}

// slider is a slider, with its label and its value above it.
type slider struct {
	id                 string
	label              texts.Text
	name               string // what assistive technology calls it; "" is the label
	file               bool   // the label is the name of a file
	value, least, most float64
}

// slider draws a slider for a weight or a strength.
func (c *controls) slider(s slider, set func(float64), scope ...app.EventOption) app.UI {
	return app.Div().Class("field").Body(
		labelLine(s.id, s.label, !s.file, texts.Trimmed(s.value)),
		app.Input().ID(c.bind(s.id, trim(s.value))).Type("range").Min(trim(s.least)).Max(trim(s.most)).Step(0.05).Aria("label", cmp.Or(s.name, s.label.String())).
			OnInput(func(ctx app.Context, _ app.Event) { set(number(ctx, s.value)) }, scope...),
	)
}

// choice draws a list to choose from, with its label above it.
func (c *controls) choice(id string, label texts.Text, value string, options []app.UI, set func(value string), scope ...app.EventOption) app.HTMLDiv {
	return app.Div().Class("field").Body(
		labelled(id, label),
		app.Select().ID(c.bindChoice(id, value)).Body(options...).OnChange(func(ctx app.Context, _ app.Event) { set(chosenIn(ctx)) }, scope...),
	)
}

// settle puts the values into the controls, after the page was drawn. The control that is being typed into is left
// alone.
func (c *controls) settle() {
	active := js.Global().Get("document").Get("activeElement")
	for id, value := range c.values {
		e := byID(id)
		if e.Truthy() && (c.force || !e.Equal(active)) && e.Get("value").String() != value {
			e.Set("value", value)
		}
	}
	c.force = false
}

func byID(id string) js.Value { return js.Global().Get("document").Call("getElementById", id) }

// key tells go-app's handlers apart by the thing that they hold.
func key(held any) app.EventOption { return app.EventScope(fmt.Sprintf("%p", held)) }

// named tells them apart by a text.
func named(text string) app.EventOption { return app.EventScope(text) }

// alert is a place for what went wrong. It is there all the time, so that screen readers speak when it fills.
func alert(text string) app.UI {
	class := "alert"
	if text != "" {
		class = "problem"
	}
	return app.P().Class(class).Role("alert").Text(text)
}

// none stands for "" in a list to choose from: go-app leaves an empty value out, and the value of an option without one is
// its text.
const none = "none:"

func option(value, text string) app.HTMLOption {
	return app.Option().Value(cmp.Or(value, none)).Text(text)
}

// bindChoice says which of its options a list is to show as chosen, and returns its id.
func (c *controls) bindChoice(id, value string) string { return c.bind(id, cmp.Or(value, none)) }

// chosenIn returns the value of the option that was chosen in the list of an event.
func chosenIn(ctx app.Context) string {
	if v := text(ctx); v != none {
		return v
	}
	return ""
}

// What a file picker offers: pictures, or those and kept embeddings as well.
const (
	pictureFiles = "image/*"
	promptFiles  = "image/*,.safetensors,.ipadpt"
)

// fileInput is a label that opens a file picker. accept is what the picker offers. The id may be "".
func fileInput(id string, label texts.Text, accept string, several bool, hint string, take func(files js.Value), scope ...app.EventOption) app.UI {
	return app.Label().Class("add").Body(
		icon("plus"), app.Span().Text(label.String()), app.Span().Class("quiet with-mouse").Text(hint),
		app.Input().ID(id).Type("file").Accept(accept).Multiple(several).Aria("label", label.String()).OnChange(func(ctx app.Context, e app.Event) {
			take(pickedFiles(ctx))
		}, scope...),
	)
}

// pickedFiles returns the files in the file input of an event, and empties the input, so that the same file can be picked
// again.
func pickedFiles(ctx app.Context) js.Value {
	src := ctx.JSSrc()
	// go-app wraps JavaScript values; the rest of this package has them plain.
	app.Window().Set("impromptFiles", src.Get("files"))
	files := js.Global().Get("Array").Call("from", js.Global().Get("impromptFiles"))
	app.Window().Set("impromptFiles", nil)
	src.Set("value", "")
	return files
}

// trim writes a number without needless zeros.
func trim(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// text returns what was typed into the control of an event.
func text(ctx app.Context) string { return ctx.JSSrc().Get("value").String() }

// number returns the number in the control of an event, or missing if there is none.
func number(ctx app.Context, missing float64) float64 {
	v, err := strconv.ParseFloat(text(ctx), 64)
	if err != nil || v != v {
		return missing
	}
	return v
}
