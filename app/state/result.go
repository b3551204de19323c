package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Result is a picture that was made.
type Result struct {
	Settings settings.Settings
	Label    string // what tells it from the others of its strip; "" if it was made alone
	Cost     Cost
	Score    *Score            // how near it is to what it was made from; nil where that was not measured
	PNG      any               // the file, as the browser holds it
	URL      string            // where the browser shows it from
	Inputs   map[string]any    // the bytes of the pictures that the settings name; nil if they are only in the Store
	Key      float64           // in the Store; 0 until it is there
	Kept     map[string]string // the keys of its inputs in the Store
	Made     time.Time         // zero where that is not known
	Starred  bool              // the visitor gave it a star
	text     string            // what a search looks at; "" until the first one
}

// Cost is what it took to make a picture, as the engine reports it.
type Cost = protocol.Cost

// Score is how near a picture is to its image prompts and to its words, as the engine measures it.
type Score = protocol.Score

// Store keeps results over visits. Its methods may take a while, so they are called outside of the page's own
// goroutine.
type Store interface {
	// List returns all results that are not hidden, the latest first, with Kept in place of Inputs. It deletes those
	// that were hidden some minutes ago, by a page that is gone.
	List() ([]*Result, error)
	// Get returns a result, or nil if it is hidden or gone.
	Get(key float64) (*Result, error)
	// Keep stores a result with its Inputs, and returns its key and those of the inputs.
	Keep(*Result) (key float64, kept map[string]string, err error)
	// Inputs returns the bytes of a result's inputs, by the keys in its Kept.
	Inputs(*Result) (map[string]any, error)
	// Hide has List leave a result out, or not any more. It can then still be read.
	Hide(key float64, hidden bool) error
	// Star stores whether a result has a star.
	Star(key float64, starred bool) error
	// Score stores how near a result is to what it was made from.
	Score(key float64, score Score) error
	// Forget deletes a result, and the inputs that no other result was made from.
	Forget(key float64) error
}

// Title names a result in words.
func (r *Result) Title() string {
	name := r.Settings.Prompt
	if name == "" {
		name = texts.F("picture of seed %d", r.Settings.Seed)
	}
	if r.Label != "" {
		name += ", " + LabelText(r.Label)
	}
	return name
}

// FileName returns the name that a result is downloaded under: when it was made, its seeds and its image weights.
func (r *Result) FileName() string {
	name := "imprompt-"
	if !r.Made.IsZero() {
		name += r.Made.Format("20060102-150405-")
	}
	name += fmt.Sprintf("seed-%d", r.Settings.Seed)
	if r.Settings.VariationStrength > 0 {
		name += fmt.Sprintf("-variation-%d", r.Settings.VariationSeed)
	}
	if w := weights(r); w != "" {
		name += "-lambda-" + strings.ReplaceAll(w, ", ", "-")
	}
	return name + ".png"
}

// ModelName is what a model is called in short: the model's file or record without its folder.
func ModelName(id string) string {
	if id == "" {
		return texts.T("Demo model")
	}
	return settings.WeightsName(settings.PublicName(id))
}

// trimmed writes a number without needless zeros.
func trimmed(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// madeFrom reports whether a result has these settings, which may have been read from its file: a file carries names
// without folders, and links without what may be secret.
func (r *Result) madeFrom(s settings.Settings) bool {
	a, errA := json.Marshal(r.Settings.Public())
	b, errB := json.Marshal(s.Public())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
