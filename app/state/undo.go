package state

import "slices"

// Undo is what the visitor can take back, the latest last.
type Undo struct{ steps []*Step }

// Step is one thing that was done and can be taken back.
type Step struct {
	undo *Undo
	back func()
	over func()
}

// maxSteps is how many steps are remembered. Each may hold pictures.
const maxSteps = 10

// Did remembers what was done. back takes it back. over is called when it cannot be taken back any more, to let go of
// what was held for that. One of the two is called, once.
func (u *Undo) Did(back, over func()) *Step {
	s := &Step{undo: u, back: back, over: over}
	u.steps = append(u.steps, s)
	if len(u.steps) > maxSteps {
		u.steps[0].Over()
	}
	return s
}

// Back takes the latest step back, and reports whether there was one.
func (u *Undo) Back() bool {
	if len(u.steps) == 0 {
		return false
	}
	u.steps[len(u.steps)-1].Back()
	return true
}

// Can reports whether a step can still be taken back. It may be called on nil.
func (s *Step) Can() bool { return s != nil && s.undo != nil }

// Back takes a step back, if that is still possible.
func (s *Step) Back() {
	if s.leave() {
		s.back()
	}
}

// Over says that a step cannot be taken back any more.
func (s *Step) Over() {
	if s.leave() {
		s.over()
	}
}

func (s *Step) leave() bool {
	if !s.Can() {
		return false
	}
	i := slices.Index(s.undo.steps, s)
	s.undo.steps = slices.Delete(s.undo.steps, i, i+1)
	s.undo = nil
	return true
}

// Replacing remembers what is composed, which is about to be replaced: taking the step back brings it back. before, if
// it is not nil, is then called first.
func (c *Composer) Replacing(u *Undo, before func()) *Step {
	was := *c
	was.Settings = c.Settings.Clone()
	was.Prompts = nil
	for _, im := range c.Prompts {
		prompt := *im
		prompt.Mask = *im.Mask.Copy()
		was.Prompts = append(was.Prompts, &prompt)
	}
	was.Structures = nil
	for _, s := range c.Structures {
		structure := *s
		structure.Map = *s.Map.Copy()
		was.Structures = append(was.Structures, &structure)
	}
	was.StartMask = *c.StartMask.Copy()
	pictures := was.pictures()
	for _, p := range pictures {
		c.held[p]++
	}
	release := func() {
		for _, p := range pictures {
			if c.held[p]--; c.held[p] == 0 {
				delete(c.held, p)
				c.drop(p)
			}
		}
	}
	return u.Did(func() {
		if before != nil {
			before()
		}
		now := c.pictures()
		c.Settings, c.SeedLocked, c.followed, c.before = was.Settings, was.SeedLocked, was.followed, was.before
		c.borders = nil
		c.Prompts, c.Structures, c.Start, c.StartMask, c.Problems = was.Prompts, was.Structures, was.Start, was.StartMask, Problems{}
		for _, p := range now {
			c.drop(p)
		}
		release()
	}, release)
}

// Clear takes all words and pictures away. The other settings stay.
func (c *Composer) Clear() {
	c.SetStart(nil)
	for len(c.Prompts) > 0 {
		c.RemovePrompt(c.Prompts[0])
	}
	for len(c.Structures) > 0 {
		c.RemoveStructure(c.Structures[0])
	}
	c.Settings.Prompt, c.Settings.NegativePrompt, c.Problems = "", "", Problems{}
}

// pictures lists the pictures that are composed.
func (c *Composer) pictures() (list []*Picture) {
	for _, im := range c.Prompts {
		list = append(list, im.pictures()...)
	}
	for _, s := range c.Structures {
		list = append(list, s.Picture)
	}
	if c.Start != nil {
		list = append(list, c.Start)
	}
	return list
}

// drop gives a picture back to the browser, unless it is still composed or may come back.
func (c *Composer) drop(p *Picture) {
	if c.held[p] == 0 && !slices.Contains(c.pictures(), p) {
		p.free()
	}
}
