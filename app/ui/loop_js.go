//go:build js && wasm

package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// loop runs functions on go-app's goroutine, the only one that changes and draws states.
type loop struct{ ctx app.Context }

// dispatch runs f soon, and draws the page.
func (l *loop) dispatch(f func()) { l.ctx.Dispatch(func(app.Context) { f() }) }

// drawn runs f after the page has been drawn.
func (l *loop) drawn(f func()) { l.ctx.Defer(func(app.Context) { f() }) }

// later dispatches f after a while.
func (l *loop) later(wait time.Duration, f func()) { time.AfterFunc(wait, func() { l.dispatch(f) }) }

// beside does work that takes a while on a goroutine of its own, and then dispatches what it returns.
func (l *loop) beside(work func() (then func())) {
	l.ctx.Async(func() { l.dispatch(work()) })
}
