//go:build js && wasm

package cli

import (
	"fmt"
	"time"

	"github.com/imprompt/imprompt/app/evaluate"
)

// pace measures how fast pictures are drawn, and how long the rest will take.
type pace struct {
	now   func() time.Time
	last  time.Time
	spent time.Duration // on pictures that were drawn
	drawn int
}

func (c *pace) line(p evaluate.Progress) string {
	now := c.now()
	if p.Drawn && !c.last.IsZero() {
		c.spent += now.Sub(c.last)
		c.drawn++
	}
	c.last = now
	text := fmt.Sprintf("%d of %d, seed %d, %s, %s", p.Done, p.Total, p.Seed, p.Row, p.Picture)
	if c.drawn > 0 {
		each := c.spent / time.Duration(c.drawn)
		text += fmt.Sprintf(", %.1f s per picture, %s left", each.Seconds(), (time.Duration(p.Total-p.Done) * each).Round(time.Second))
	}
	return text
}
