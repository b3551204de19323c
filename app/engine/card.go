package engine

import (
	"context"
	"encoding/json"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/settings"
)

// cardKey names what a forecast.Card holds for. A browser's Memo adds the version of the browser.
func (e *Engine) cardKey() string { return "speed of " + e.adapter() }

// Gauge returns how fast the GPU is: what is remembered of it, or what a benchmark of less than a second measures.
func (e *Engine) Gauge(ctx context.Context) (forecast.Card, error) {
	if e.card.Known() {
		return e.card, nil
	}
	if e.Memo != nil {
		if text, err := e.Memo.Recall(ctx, e.cardKey()); err == nil && text != "" {
			var c forecast.Card
			if json.Unmarshal([]byte(text), &c) == nil && c.Known() {
				e.card = c
				return c, nil
			}
		}
	}
	before := e.Device.PeakMemoryBytes()
	paces, err := e.Device.Paces(ctx)
	if e.Device.PeakMemoryBytes() > before {
		e.Device.ResetPeakMemory() // what the benchmark held is no cost of a picture
	}
	if err != nil {
		return forecast.Card{}, err
	}
	e.card = forecast.Card{Paces: paces}
	e.rememberCard(ctx)
	return e.card, nil
}

// Learn corrects what is known of the GPU's speed by what a picture took: the seconds of a step and of the decoder. 0 is
// not known.
func (e *Engine) Learn(ctx context.Context, s settings.Settings, step, decode float64) {
	if e.card.Known() {
		e.card.Learn(forecast.Of(s), step, decode)
		e.rememberCard(ctx)
	}
}

// Card is what Gauge and Learn know.
func (e *Engine) Card() forecast.Card { return e.card }

func (e *Engine) rememberCard(ctx context.Context) {
	if e.Memo == nil {
		return
	}
	if b, err := json.Marshal(e.card); err == nil {
		_ = e.Memo.Remember(ctx, e.cardKey(), string(b)) // what is not remembered is measured again
	}
}

func (e *Engine) forgetCard(ctx context.Context) {
	e.card = forecast.Card{}
	if e.Memo != nil {
		_ = e.Memo.Remember(ctx, e.cardKey(), "")
	}
}
