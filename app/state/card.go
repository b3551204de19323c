package state

import (
	"math"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
)

// Gauge asks how fast the GPU is, unless that is known, or the engine has something else to do.
func (j *Jobs) Gauge() {
	if j.line != nil && j.gauge == 0 && !j.Engine.Card.Known() && !j.Busy() {
		j.gauge = j.line.Ask(protocol.Gauge{}, nil)
	}
}

// giveWay ends the benchmark, and puts off what is measured of pictures: what the visitor asked for comes first.
func (j *Jobs) giveWay() {
	j.stopJudging()
	if j.gauge != 0 {
		j.line.Cancel(j.gauge)
		j.line.Drop(j.gauge)
		j.gauge = 0
	}
}

// receiveGauge takes the answer to a Gauge. If there is none, nothing is forecast.
func (j *Jobs) receiveGauge(m protocol.Message) News {
	j.gauge = 0
	switch b := m.Body.(type) {
	case protocol.Gauged:
		j.Engine.Card = b.Card
	case protocol.Lost:
		j.Engine.Ready = false
	}
	return News{}
}

// What Stable Diffusion 1.5 with an adapter takes of the GPU's memory at 512 × 512 (app/engine's TestMemory).
const sd15Memory = 21 << 30 / 10 // 2.1 GiB

// sd15 is a picture as most people ask Stable Diffusion 1.5 for it.
var sd15 = forecast.Run{Model: forecast.SD15, Width: 512, Height: 512, Steps: 20, Guided: 1}

// OfSD15 says what Stable Diffusion 1.5 would take on this GPU, and whether it has what that needs; "" where that is not
// known.
func (e *Engine) OfSD15() string {
	if !e.Card.Known() {
		return ""
	}
	return texts.F("Stable Diffusion 1.5 at 512 × 512: %s.", e.verdict(sd15))
}

// OfDemo says what the model that ships takes on this GPU; "" where that is not known.
func (e *Engine) OfDemo() string {
	if !e.Card.Known() {
		return ""
	}
	r := sd15
	r.Model, r.Width, r.Height = forecast.Demo, 128, 128
	return texts.F("The demo model at 128 × 128: about %s a picture.", roughly(e.Card.Picture(r)))
}

// OfEntry says what any model of the catalogue would take on this GPU, with the steps and the guidance that suit a bundle;
// "" where that is not known.
func (e *Engine) OfEntry(b loader.Bundle) string {
	if !e.Card.Known() {
		return ""
	}
	r := sd15
	if b.NumInferenceSteps > 0 {
		r.Steps = b.NumInferenceSteps
	}
	if b.GuidanceScale > 0 {
		r.Guided = 0
		if b.GuidanceScale > 1 {
			r.Guided = 1
		}
	}
	return texts.F("At 512 × 512 %s.", e.verdict(r))
}

// verdict says what a picture of Stable Diffusion 1.5 takes, and whether the GPU has it. Browsers do not say how much
// memory a GPU has, so that is judged by its limits and by the machine's memory.
func (e *Engine) verdict(r forecast.Run) string {
	seconds, word := e.Card.Picture(r), texts.T("fine")
	switch machine := e.GPU.MachineMemory; {
	case e.GPU.Software, machine > 0 && machine <= 2:
		word = texts.T("not on this card")
	case e.GPU.MaxBuffer > 0 && e.GPU.MaxBuffer <= 256<<20, machine > 0 && machine <= 4:
		word = texts.T("use low memory")
	case e.GPU.MaxBuffer > 0 && e.GPU.MaxBuffer < 1<<30, seconds > 300:
		word = texts.T("tight")
	}
	return texts.F("about %s a picture, needs %s of its memory: %s", roughly(seconds), Megabytes(int64(sd15Memory)), word)
}

// Estimate says how long what the composer describes would take with a model; "" where that is not known.
func (e *Engine) Estimate(c *Composer, model string) string {
	if !e.Card.Known() {
		return ""
	}
	s := c.outline(model)
	one := e.Card.Picture(forecast.Of(s))
	text := texts.F("About %s a picture", roughly(one))
	if s.NumImages > 1 {
		text = texts.F("About %s for %d pictures", roughly(one*float64(s.NumImages)), s.NumImages)
	}
	return text + decodeNote(s)
}

// decodeNote says what the decoder takes of the GPU's memory, and what tiles save, for a large picture.
func decodeNote(s settings.Settings) string {
	if s.TileSize > 0 {
		return "" // its tiles are small
	}
	r := forecast.Of(s)
	r.Tiled = false
	whole := forecast.DecodeBytes(r)
	r.Tiled = true
	tile := forecast.DecodeBytes(r)
	switch {
	case whole == tile:
		return ""
	case s.VAETiling:
		return " · " + texts.F("decoded in tiles: %s of the card's memory in place of %s", Megabytes(tile), Megabytes(whole))
	case whole > 3<<28:
		return " · " + texts.F("decoding takes %s of the card's memory, or %s in tiles", Megabytes(whole), Megabytes(tile))
	}
	return ""
}

// outline is what the composer describes, as far as its time depends on it.
func (c *Composer) outline(model string) settings.Settings {
	s := c.Settings
	s.Model, s.Guides = model, nil
	passes(&s, c.Start != nil)
	for _, m := range c.Structures {
		n, _ := m.NetworkOf(c.networks())
		s.Guides = m.guide(s.Guides, m.Name, "", "", n)
	}
	if s.InitImage = ""; c.Start != nil {
		s.InitImage = c.Start.Name
	}
	return s
}

// roughly puts a time that is not exact in words.
func roughly(s float64) string {
	switch {
	case s < 1:
		return texts.T("a second")
	case s < 20:
		return texts.F("%s s", texts.Number(s, 0))
	case s < 90:
		return texts.F("%s s", texts.Number(5*math.Round(s/5), 0))
	case s < 90*60:
		return texts.F("%s min", texts.Number(s/60, 0))
	}
	return texts.F("%s hours", texts.Number(s/3600, 0))
}
