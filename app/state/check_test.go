package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
)

func TestCheck(t *testing.T) {
	c := &Check{}
	c.Begin()
	hear := func(b protocol.Body) bool { return c.Hear(protocol.Message{Body: b}) }
	if !c.Running || c.Progress.Text != "Loading the check" || hear(protocol.CheckProgress{Text: "Test 2 of 4", Fraction: 0.25}) || c.Progress.Fraction != 0.25 {
		t.Errorf("%+v", c)
	}
	c.Stop()
	if hear(protocol.CheckProgress{Text: "Test 3 of 4", Fraction: 0.5}); c.Progress.Text != "Stopping…" || !c.Running {
		t.Errorf("%+v", c)
	}
	if !hear(protocol.CheckOver{Summary: "fine", Report: "{}"}) || c.Running || c.Found.Summary != "fine" {
		t.Errorf("%+v", c)
	}
	c.Begin()
	if c.Found.Summary != "" {
		t.Error("what an earlier check found stays")
	}
	if c.Died("there is no network"); c.Running || c.Found.Problem != "The GPU could not be checked: there is no network." {
		t.Errorf("%+v", c)
	}
}
