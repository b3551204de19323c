//go:build js && wasm

package ui

import (
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// checker checks the visitor's GPU in a worker of its own, which is terminated when the check is over.
type checker struct {
	page   *page
	state  state.Check
	worker js.Value
}

// press starts the check, or stops the one that runs.
func (c *checker) press() {
	if c.state.Running {
		c.state.Stop()
		c.worker.Call("postMessage", "stop")
		return
	}
	c.state.Begin()
	c.worker = startWorker(c.page.ctx, "check", func(m protocol.Message) {
		if c.state.Hear(m) {
			c.worker.Call("terminate")
		}
	}, func(why string) {
		c.state.Died(why)
		c.worker.Call("terminate")
	})
}

// save downloads the report.
func (c *checker) save() {
	download("imprompt-gpu.json", blobs.New(webapi.BytesOf([]byte(c.state.Found.Report)), "application/json"))
}

// draw draws the button, and how far the check is or what it found.
func (c *checker) draw() app.UI {
	s := c.state
	press, text := texts.T("Check this GPU"), texts.Translate(s.Found.Summary)
	if s.Running {
		press, text = texts.T("Stop the check"), texts.Translate(s.Progress.Text)
	}
	return app.Div().Class("check").Body(
		app.Progress().Aria("label", texts.T("Progress of the check")).Max(1).Value(s.Progress.Fraction).Hidden(!s.Running),
		app.P().Class("numbers").Text(text),
		alert(strings.TrimSpace(strings.Join(append([]string{s.Found.Problem}, s.Found.Different...), "\n"))),
		app.Button().Class("plain").Text(press).Title(texts.T("Compares every operation with plain Go, and measures the GPU: a minute or so, after 1.8 MB to download")).
			Disabled(s.Stopping).OnClick(func(app.Context, app.Event) { c.press() }),
		app.Button().Class("plain").Text(texts.T("Download the report")).Hidden(s.Found.Report == "").OnClick(func(app.Context, app.Event) { c.save() }),
	)
}
