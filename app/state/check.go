package state

import (
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
)

// Check is the check of the visitor's GPU: the unit tests of package gpu, which compare every operation with plain Go,
// and a benchmark. web/js/check.js runs them in a worker.
type Check struct {
	Running  bool
	Stopping bool
	Progress protocol.CheckProgress
	Found    protocol.CheckOver // of the last check; empty before
}

// Begin begins the check anew.
func (c *Check) Begin() {
	*c = Check{Running: true, Progress: protocol.CheckProgress{Text: texts.T("Loading the check")}}
}

// Stop says that the visitor wants no more of it. What was found by then comes as its result.
func (c *Check) Stop() { c.Stopping, c.Progress.Text = true, texts.T("Stopping…") }

// Hear takes a message of the check's worker, and reports whether the check is over with it.
func (c *Check) Hear(m protocol.Message) (over bool) {
	switch b := m.Body.(type) {
	case protocol.CheckProgress:
		if !c.Stopping {
			c.Progress = b
		}
	case protocol.CheckOver:
		*c = Check{Found: b}
		return true
	}
	return false
}

// Died says that the check's worker is over before its time.
func (c *Check) Died(why string) {
	*c = Check{Found: protocol.CheckOver{Problem: texts.F("The GPU could not be checked: %s.", texts.Translate(why))}}
}
