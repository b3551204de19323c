//go:build js && wasm

package worker

import (
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/gpu"
)

// clock measures what a picture costs, stage by stage.
type clock struct {
	stage          string
	since          time.Time
	seconds        map[string]float64 // by stage
	secondsPerStep float64
	steps          int
}

// tell takes an event of the engine.
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
		c.seconds = map[string]float64{}
	}
	if c.stage != "" {
		c.seconds[c.stage] += now.Sub(c.since).Seconds()
	}
	c.stage, c.since = stage, now
}

// take returns what the picture that is ready cost, and begins with the next. If a request
// is for several pictures, the first bears the cost of what was done for all of them.
func (c *clock) take(d *gpu.Device) protocol.Cost {
	c.turn("denoise")
	cost := protocol.Cost{Stages: c.seconds, SecondsPerStep: c.secondsPerStep, Steps: c.steps, Peak: int(d.PeakMemoryBytes())}
	for _, s := range c.seconds {
		cost.Seconds += s
	}
	c.seconds = nil
	return cost
}
