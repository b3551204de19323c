package state

import (
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
)

// Progress is the line and the bar under the picture.
type Progress struct {
	Active   bool    // something is under way
	Fraction float64 // of the bar, 0 to 1
	Text     string  // how far it is, or else what the picture that is shown was made from
	Words    string  // of that picture
	Spoken   string  // what a screen reader is told: stages and quarters, not every step
}

// Progress returns what is shown under the picture. shown is the picture on the stage, or nil.
func (j *Jobs) Progress(shown *Result) Progress {
	m := j.meter()
	p := Progress{Active: m.busy || m.Stage != "", Fraction: j.bar.at, Text: m.text()}
	single := j.Single()
	switch {
	case m.busy:
		p.Spoken = m.spoken(j.bar.at)
	case j.stopping != 0:
		return Progress{Active: true, Fraction: j.bar.at, Text: texts.T("Stopping…"), Spoken: texts.T("Stopping")}
	case m.Stage != "": // a model loads before anything is asked for
		p.Fraction = m.share()
	case len(j.Shots) > 1:
		p.Spoken = texts.T("The strip is ready.")
	case shown != nil && shown == single:
		p.Spoken = texts.T("The picture is ready.")
	}
	if shown == nil {
		shown = single
	}
	if p.Text == "" && shown != nil {
		p.Text, p.Words = caption(shown), shown.Settings.Prompt
	}
	return p
}

// bar is how far a whole request is, 0 to 1: it never goes back.
type bar struct {
	at      float64
	stage   string  // the last one before the first step that moved it
	base    float64 // where that stage began, or the first step
	drawing bool    // a step was done
}

// ahead is the part of the bar that is left which loading takes, and compiling.
const ahead = 0.1

// advance moves the bar to where the engine is. Once there are steps, only pictures move it.
func (b *bar) advance(m meter) {
	to := b.at
	switch m.Stage {
	case "load", "compile":
		if b.drawing {
			return
		}
		if m.Stage != b.stage {
			b.stage, b.base = m.Stage, b.at
		}
		to = b.base + ahead*(1-b.base)*m.share()
	case "denoise", "decode":
		if !b.drawing {
			b.drawing, b.base = true, b.at
		}
		to = b.base + (1-b.base)*m.pictures()
	}
	b.at = max(b.at, min(to, 1))
}

// meter describes what the engine does.
func (j *Jobs) meter() meter {
	m := meter{Progress: j.progress, busy: j.Busy(), first: j.current.first, shots: j.Shots, tiles: j.current.settings.TileSize > 0}
	if m.Stage == "" && j.load != 0 { // the engine has not begun with the job: a model is still loading
		m.Progress = j.loadProgress
	}
	switch c := j.Engine.Card; {
	case j.decode > 0:
		m.decode = j.decode
	case c.Known():
		m.decode = c.Decode(forecast.Of(j.current.settings))
	default:
		m.decode = m.SecondsPerStep
	}
	return m
}

// meter puts the engine's progress in words and numbers.
type meter struct {
	protocol.Progress
	busy   bool // with a request; else a model is loading, or nothing is under way
	first  int  // the place among the shots from which Image counts
	shots  Shots
	tiles  bool    // the passes are those of tiles
	decode float64 // how many seconds a decode takes, as far as is known: of a picture or of a tile
}

func (m meter) text() string {
	switch m.Stage {
	case "load":
		if m.Total > 0 {
			return texts.F("Loading weights, %s of %s", texts.Percent(float64(m.Done)/float64(m.Total)), Megabytes(m.Total))
		}
		return texts.T("Loading weights")
	case "encode":
		return texts.T("Reading words and pictures")
	case "compile":
		if m.Fraction > 0 {
			return texts.F("Compiling shaders, %s: the first time only", texts.Percent(m.Fraction))
		}
		return texts.T("Compiling shaders, the first time only")
	case "denoise":
		text := texts.F("Step %d of %d", m.Step, m.Steps)
		// The first step is reported when the GPU has it, not when it is done.
		if m.Step > 1 {
			text += " · " + texts.F("%s per step · %s left", Seconds(m.SecondsPerStep), Seconds(m.timeLeft()))
		}
		return m.which() + text
	case "decode":
		text := texts.T("Decoding")
		if left := m.timeLeft(); left > 0 {
			text += " · " + texts.F("%s left", Seconds(left))
		}
		return m.which() + text
	}
	if m.busy {
		return texts.T("Starting")
	}
	return ""
}

// which says which of several pictures is drawn, and which of their passes.
func (m meter) which() (text string) {
	if n := len(m.shots); n > 1 {
		text = texts.F("Picture %d of %d", m.first+m.Image+1, n) + " · "
	}
	switch {
	case m.Passes == 0:
		return text
	case m.tiles:
		return text + texts.F("Tile %d of %d", m.Pass+1, m.Passes) + " · "
	case m.Pass == 0:
		return text + texts.T("First pass") + " · "
	}
	return text + texts.T("Second pass, larger") + " · "
}

// timeLeft is how many seconds the whole request still takes, with all decoding, judged by the steps that were done.
func (m meter) timeLeft() float64 {
	pictures := max(1, m.shots.Left())
	if m.Passes == 0 {
		return m.SecondsPerStep*float64(m.Steps-m.Step+m.Steps*(pictures-1)) + m.decode*float64(pictures)
	}
	done, all := m.passes()
	own := m.shots[min(m.first, len(m.shots)):min(m.first+m.Images, len(m.shots))].Left()
	return m.SecondsPerStep * (all - done + all*float64(max(0, pictures-own))/float64(max(1, m.Images)))
}

// decodeSteps is how many steps take the time of a decode.
func (m meter) decodeSteps() float64 {
	switch {
	case m.LatentsOnly:
		return 0
	case m.SecondsPerStep > 0:
		return m.decode / m.SecondsPerStep
	}
	return 1
}

// passes is how much is done of all the passes of the job under way, in steps of the one that is drawn.
func (m meter) passes() (done, all float64) {
	done = m.Before + float64(m.Step)
	if m.Stage == "decode" {
		done += m.Progress.Fraction * m.decodeSteps()
	}
	return done, m.Before + float64(m.Steps) + m.decodeSteps() + m.After
}

// share is how much of the stage is done, before the first step.
func (m meter) share() float64 {
	if m.Stage == "load" {
		if m.Total > 0 {
			return float64(m.Done) / float64(m.Total)
		}
		return 0
	}
	return m.Progress.Fraction
}

// pictures is how much of all pictures is done. A decode counts as many steps as it takes the time of.
func (m meter) pictures() float64 {
	if m.Steps == 0 || len(m.shots) == 0 {
		return 0
	}
	job := float64(m.Image) // pictures of the job under way
	if m.Passes > 0 {
		done, all := m.passes()
		job = done / all * float64(m.Images)
	} else {
		decode := m.decodeSteps()
		done := float64(m.Step)
		if m.Stage == "decode" {
			done += m.Progress.Fraction * decode
		}
		job += done / (float64(m.Steps) + decode)
	}
	return (float64(m.first) + job) / float64(len(m.shots))
}

// spoken is what a screen reader is told of a request that is so far.
func (m meter) spoken(fraction float64) string {
	switch {
	case m.Stage == "denoise" && m.Steps > 0:
		return texts.F("%d percent", 25*int(4*fraction))
	case m.Stage == "decode":
		return texts.T("Decoding")
	case m.Stage == "load":
		return texts.T("Loading weights")
	case m.Stage == "compile":
		return texts.T("Compiling shaders")
	}
	return m.text()
}

// caption says what a picture was made from, and what it took.
func caption(r *Result) string {
	parts := these(facts(r), factModel, factSeed, factSize, factSteps, factScheduler, factWeights)
	if r.Label != "" && !strings.HasPrefix(r.Label, seedLabel) {
		says := strings.Split(LabelText(r.Label), " · ")
		parts = append(says, slices.DeleteFunc(parts, func(p string) bool { return slices.Contains(says, p) })...)
	}
	if c := r.Cost; c.Seconds > 0 {
		parts = append(parts, texts.F("%s (%s per step)", Seconds(c.Seconds), Seconds(c.SecondsPerStep)), texts.F("%s at most", Megabytes(int64(c.Peak))))
	}
	return strings.Join(parts, " · ")
}

// Seconds puts a time in words.
func Seconds(s float64) string { return texts.Seconds(s) }

// Megabytes puts an amount of the GPU's memory in words; a dash where it is not known.
func Megabytes(n int64) string {
	if n <= 0 {
		return "–"
	}
	return texts.Bytes(n)
}
