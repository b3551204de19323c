//go:build js && wasm

package ui

import (
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/loader"
)

// caption is the line under the picture: how far it is, or what it was made of.
func (p *page) caption() string {
	if text := p.describe(); text != "" {
		return text
	}
	r := p.gallery.Shown
	if r == nil {
		r = p.single()
	}
	if r == nil {
		return ""
	}
	s := r.Settings
	parts := []string{fmt.Sprintf("Seed %d", s.Seed), fmt.Sprintf("%d × %d", s.Width, s.Height), fmt.Sprintf("%d steps", s.NumInferenceSteps)}
	if r.Label != "" && !strings.HasPrefix(r.Label, "seed") {
		parts = append([]string{r.Label}, parts...)
	}
	if c := r.Cost; c.Seconds > 0 {
		parts = append(parts, fmt.Sprintf("%s (%s a step)", seconds(c.Seconds), seconds(c.SecondsPerStep)), megabytes(c.Peak)+" at most")
	}
	return strings.Join(parts, " · ")
}

// describe puts the progress in words.
func (p *page) describe() string {
	g := p.progress
	switch g.stage {
	case "load":
		if g.total > 0 {
			return fmt.Sprintf("Loading weights, %.0f %% of %s", 100*g.done/g.total, megabytes(int(g.total)))
		}
		return "Loading weights"
	case "encode":
		return "Reading words and pictures"
	case "compile":
		if g.fraction > 0 {
			return fmt.Sprintf("Compiling shaders, %.0f %%: the first time only", 100*g.fraction)
		}
		return "Compiling shaders, the first time only"
	case "denoise":
		text := fmt.Sprintf("Step %d of %d", g.step, g.steps)
		// The first is told when the GPU has it, not when it is done.
		if g.step > 1 {
			text += fmt.Sprintf(" · %s a step · %s left", seconds(g.secondsPerStep), seconds(p.timeLeft()))
		}
		if n := len(p.shots); n > 1 {
			text = fmt.Sprintf("Picture %d of %d · ", p.current.first+g.image+1, n) + text
		}
		return text
	case "decode":
		return "Decoding"
	case "start":
		return "Starting"
	}
	return ""
}

// timeLeft is for the whole request, from the steps that were done.
func (p *page) timeLeft() float64 {
	g := p.progress
	return g.secondsPerStep * float64(g.steps-g.step+g.steps*max(0, p.left()-1))
}

func seconds(s float64) string {
	switch {
	case s >= 90:
		return fmt.Sprintf("%.0f min", s/60)
	case s >= 10:
		return fmt.Sprintf("%.0f s", s)
	case s >= 0.1 || s == 0:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", 1000*s)
}

// megabytes is a size, or a dash where it is not known.
func megabytes(n int) string {
	if n <= 0 {
		return "–"
	}
	return loader.FormatBytes(int64(n))
}

// fraction is how far the bar is, 0 to 1: of the whole request while it is drawn, of
// the stage itself before.
func (p *page) fraction() float64 {
	g := p.progress
	switch g.stage {
	case "load":
		if g.total > 0 {
			return g.done / g.total
		}
	case "compile":
		return g.fraction
	case "denoise", "decode":
		if g.steps > 0 && len(p.shots) > 0 {
			return (float64(p.current.first+g.image) + float64(g.step)/float64(g.steps)) / float64(len(p.shots))
		}
	}
	return 0
}

// spoken is what a screen reader is told: stages and quarters, not every step.
func (p *page) spoken() string {
	switch {
	case p.busy && p.progress.stage == "denoise" && p.progress.steps > 0:
		return fmt.Sprintf("%d percent", 25*int(4*p.fraction()))
	case p.busy && p.progress.stage == "load":
		return "Loading weights"
	case p.busy && p.progress.stage == "compile":
		return "Compiling shaders"
	case p.busy:
		return p.describe()
	case len(p.shots) > 1:
		return "The strip is ready."
	case p.gallery.Shown != nil && p.single() == p.gallery.Shown:
		return "The picture is ready."
	}
	return ""
}
