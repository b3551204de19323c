package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func TestUndo(t *testing.T) {
	var u Undo
	log := ""
	did := func(name string) *Step {
		return u.Did(func() { log += " back " + name }, func() { log += " over " + name })
	}
	a, b := did("a"), did("b")
	did("c")
	b.Over()
	if first, second, third := u.Back(), u.Back(), u.Back(); !first || !second || third {
		t.Errorf("of two steps, three tries took back: %t, %t, %t", first, second, third)
	}
	b.Back()
	a.Over()
	if log != " over b back c back a" || a.Can() || b.Can() {
		t.Errorf("it did%s", log)
	}
	if (*Step)(nil).Can() {
		t.Error("no step can be taken back")
	}
	log = ""
	for range maxSteps + 1 {
		did("x")
	}
	if log != " over x" {
		t.Errorf("the oldest step is over:%s", log)
	}
}

// counted is a picture that knows whether it was given back to the browser.
func counted(freed map[string]int, name string) *Picture {
	return &Picture{Name: name, Width: 10, Height: 10, Free: func() { freed[name]++ }}
}

// A sample fills an empty composer, and what it replaces can be brought back, with its crops, masks and pictures.
func TestSampleCanBeTakenBack(t *testing.T) {
	var u Undo
	c, freed := NewComposer(), map[string]int{}
	if c.Try(Samples[0], &u) != nil {
		t.Error("a sample in an empty composer replaces nothing")
	}
	c.Settings.Prompt = "my words"
	c.AddPrompt(NewImagePrompt(counted(freed, "mine.png")))
	c.Prompts[0].Scale = 0.3
	c.Prompts[0].Mask.Begin([2]float64{0.5, 0.5})
	c.SetStart(counted(freed, "start.png"))
	step := c.Try(Samples[1], &u)
	c.AddPrompt(NewImagePrompt(counted(freed, "cactus.png")))
	if step == nil || c.Settings.Prompt != Samples[1].Prompt() || len(c.Prompts) != 1 || c.Start != nil {
		t.Fatalf("the sample did not replace what was composed: %+v", c)
	}
	if len(freed) != 0 {
		t.Errorf("given back although it may come back: %v", freed)
	}
	if !u.Back() || c.Settings.Prompt != "my words" || len(c.Prompts) != 1 || c.Prompts[0].Name != "mine.png" || c.Prompts[0].Scale != 0.3 || c.Prompts[0].Mask.Empty() || c.Start == nil {
		t.Errorf("after Undo: %+v", c)
	}
	if freed["cactus.png"] != 1 || freed["mine.png"]+freed["start.png"] != 0 {
		t.Errorf("given back: %v", freed)
	}
	// What cannot come back any more is given back, once.
	step = c.Try(Samples[1], &u)
	step.Over()
	if freed["mine.png"] != 1 || freed["start.png"] != 1 {
		t.Errorf("given back after all is over: %v", freed)
	}
}

// A picture that two steps hold is given back with the second.
func TestPictureOfTwoSteps(t *testing.T) {
	var u Undo
	c, freed := NewComposer(), map[string]int{}
	c.AddPrompt(NewImagePrompt(counted(freed, "a.png")))
	first := c.Replacing(&u, nil)
	second := c.Replacing(&u, nil)
	c.Clear()
	second.Over()
	if len(freed) != 0 {
		t.Error("it may still come back")
	}
	first.Back()
	if len(freed) != 0 || len(c.Prompts) != 1 {
		t.Error("it is composed again")
	}
	c.RemovePrompt(c.Prompts[0])
	if freed["a.png"] != 1 {
		t.Error("it was not given back")
	}
}

func TestRestoredSettingsCanBeTakenBack(t *testing.T) {
	var u Undo
	c := NewComposer()
	c.Settings.Prompt, c.SeedLocked = "mine", false
	c.SetStart(photo(1500, 1000))
	before := c.Settings
	step := c.Replacing(&u, nil)
	s := settings.Default()
	s.Prompt = "theirs"
	c.Restore(s)
	step.Back()
	if c.Settings.Prompt != "mine" || c.Settings.Width != before.Width || c.SeedLocked || c.Start == nil {
		t.Errorf("after Undo: %+v", c.Settings)
	}
}
