//go:build js && wasm

package worker

import (
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/gpu"
)

// clock measures what a picture costs, stage by stage.
type clock struct {
	stage          string
	since          time.Time
	seconds        map[string]any // by stage
	secondsPerStep float64
	steps          int
}

// tell is told of every event.
func (c *clock) tell(ev engine.Event) {
	if ev.SecondsPerStep > 0 {
		c.secondsPerStep, c.steps = ev.SecondsPerStep, ev.Steps
	}
	if ev.Stage != c.stage {
		c.turn(ev.Stage)
	}
}

// turn ends a stage's time and begins another's.
func (c *clock) turn(stage string) {
	now := time.Now()
	if c.seconds == nil {
		c.seconds = map[string]any{}
	}
	if c.stage != "" {
		before, _ := c.seconds[c.stage].(float64)
		c.seconds[c.stage] = before + now.Sub(c.since).Seconds()
	}
	c.stage, c.since = stage, now
}

// take is what the picture that is finished cost; the next begins. Of several pictures
// of one request the first bears what was done for all.
func (c *clock) take(d *gpu.Device) map[string]any {
	c.turn("denoise")
	total := 0.0
	for _, s := range c.seconds {
		total += s.(float64)
	}
	cost := map[string]any{"seconds": total, "stages": c.seconds, "secondsPerStep": c.secondsPerStep, "steps": c.steps, "peak": d.PeakMemoryBytes()}
	c.seconds = nil
	return cost
}
