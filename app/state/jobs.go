package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Jobs is what the engine was asked to do: the request under way, those that wait for it, and the places for the
// pictures that come of them. It sends its messages through the line that Connect was given.
type Jobs struct {
	Engine     Engine
	Shots      Shots // of the last request; several for a strip
	Grid       Grid  // how they are laid out
	HasPreview bool  // there is something to see of the picture in the making

	line     *protocol.Line
	current  job               // its id is 0 where nothing is under way
	rest     []job             // of the same request
	progress protocol.Progress // of current
	bar      bar               // of the whole request
	decode   float64           // how many seconds the decode of the request's last picture took; 0 before
	stopping int               // the job that was stopped, until the engine has let go of it; 0 for none

	// Begun is called when a request begins that had to wait.
	Begun   func()
	waiting []*Unfinished // requests that begin after this one
	held    bool          // they wait for the visitor

	tries  int // how many pages have begun with the request under way, besides this one
	number int // of the request
	last   int // the number that was given last

	loaded       protocol.Load     // the last that was asked for
	load         int               // the Load under way; 0 for none
	loadProgress protocol.Progress // of load
	loadLost     bool              // the GPU was lost during the Load before
	gauge        int               // the Gauge under way; 0 for none
	count        int               // the last Tokens
	keep         int               // the Embed under way; 0 for none
	keepName     string            // of its file
	making       int               // the last MakeMap

	judging
}

// Engine is what the engine says of itself.
type Engine struct {
	Refusal      Refusal // why there is none
	Ready        bool    // it has opened the GPU, which GPU describes
	GPU          protocol.Ready
	Memory, Peak int64 // bytes that the GPU holds, and the most that it held
	Pipelines    int
	Kernels      protocol.Kernels // Chosen is "" before a model is loaded
	LastCost     Cost             // of the last picture
	// Card is how fast the GPU is. It is empty until that was measured or remembered.
	Card forecast.Card
}

// job is one request to the engine.
type job struct {
	id       int
	settings settings.Settings
	inputs   map[string]any
	first    int  // the place of its first picture among the shots
	again    bool // it was sent before, and the GPU was lost
}

// Connect takes the line to a worker that is starting.
func (j *Jobs) Connect(line *protocol.Line) {
	j.line = line
	j.Engine = Engine{LastCost: j.Engine.LastCost, Card: j.Engine.Card}
	j.load, j.gauge, j.keep, j.stopping, j.loadLost = 0, 0, 0, 0, false
	j.forgetUnknown()
	j.end()
}

// Load has a model loaded before it is needed. A model that is still loading is given up.
func (j *Jobs) Load(load protocol.Load) {
	if j.line == nil {
		return
	}
	if j.load != 0 {
		j.line.Cancel(j.load)
		j.line.Drop(j.load)
	}
	j.loaded, j.loadProgress = load, protocol.Progress{}
	j.load = j.line.Ask(load, nil)
}

// Loaded is what was loaded last, or is being loaded.
func (j *Jobs) Loaded() protocol.Load { return j.loaded }

// Count asks for the number of tokens of the words.
func (j *Jobs) Count(t protocol.Tokens) {
	if j.line != nil {
		j.line.Drop(j.count) // only the latest matters
		j.count = j.line.Ask(t, nil)
	}
}

// MakeMap asks for a map, and reports whether there is an engine to make it.
func (j *Jobs) MakeMap(r MapRequest) bool {
	if j.line == nil {
		return false
	}
	j.making = j.line.Ask(protocol.MakeMap{Preprocessor: r.Preprocessor, Weights: r.Weights, Model: j.loaded.Model, Width: r.Width, Height: r.Height, Background: r.Background}, map[string]any{"picture": r.Structure.Bytes})
	return true
}

// Deleted tells the engine that a stored file is gone.
func (j *Jobs) Deleted() {
	if j.line != nil {
		j.line.Ask(protocol.Forget{}, nil)
	}
}

// Measure has the kernels measured anew when the next large model is loaded.
func (j *Jobs) Measure() {
	if j.line != nil {
		j.Engine.Kernels, j.Engine.Card = protocol.Kernels{}, forecast.Card{}
		j.line.Ask(protocol.Measure{}, nil)
		j.Gauge()
	}
}

// Busy reports whether pictures are being drawn, or wait for it.
func (j *Jobs) Busy() bool { return j.current.id != 0 }

// Waiting reports whether pictures are still to come: of the last request, or of those after it.
func (j *Jobs) Waiting() bool { return j.Shots.Left() > 0 || len(j.waiting) > 0 && !j.held }

// Size returns the width and the height of the last request's pictures, in pixels.
func (j *Jobs) Size() (width, height int) { return j.current.settings.OutputSize() }

// Submit asks for pictures, which are drawn after those that were asked for before. inputs are the bytes of the pictures
// that the settings name.
func (j *Jobs) Submit(r Request, inputs map[string]any) {
	var shots Shots
	for _, l := range r.Labels {
		shots = append(shots, &Shot{Label: l})
	}
	u := Unfinished{Shots: shots, Grid: r.Grid, Jobs: r.Jobs, Inputs: inputs}
	if j.Busy() {
		j.wait(u)
		return
	}
	j.begin(u)
}

// Unfinished is a request, or what is left of one that is under way.
type Unfinished struct {
	Shots  Shots // of the whole request
	Grid   Grid
	Jobs   []settings.Settings // for the last of the shots
	Inputs map[string]any
	Number int // of the request, which tells it from others of the same page
	Tries  int // how many pages have begun with it
}

// Unfinished returns what is left of the request under way. A picture that is not ready counts as not begun.
func (j *Jobs) Unfinished() Unfinished {
	if !j.Busy() {
		return Unfinished{}
	}
	u := Unfinished{Shots: j.Shots, Grid: j.Grid, Inputs: j.current.inputs, Number: j.number, Tries: j.tries + 1}
	s, done := j.current.settings, 0
	for _, shot := range j.Shots[min(j.current.first, len(j.Shots)):] {
		if shot.Result == nil && !shot.Skipped {
			break
		}
		done++
	}
	if done < s.NumImages {
		u.Jobs = append(u.Jobs, s.From(done, s.NumImages-done))
	}
	for _, waiting := range j.rest {
		u.Jobs = append(u.Jobs, waiting.settings)
	}
	return u
}

// Resume goes on with what another page left unfinished, and then with what waits.
func (j *Jobs) Resume(u Unfinished) {
	if !j.Busy() {
		j.begin(u)
	}
}

// begin sends a request to the engine. Nothing may be under way.
func (j *Jobs) begin(u Unfinished) {
	if j.line == nil {
		return
	}
	j.giveWay()
	if u.Number == 0 {
		u.Number = j.nextNumber()
	}
	j.Shots, j.Grid, j.tries, j.number, j.held = u.Shots, u.Grid, u.Tries, u.Number, false
	j.bar, j.decode = bar{}, 0
	j.plots = len(u.Jobs) > 0 && j.judges(u.Jobs[0]) && differing(u.Jobs) != nil
	first := len(u.Shots)
	for _, s := range u.Jobs {
		first -= s.NumImages
	}
	first = max(0, first)
	for _, s := range u.Jobs {
		j.rest = append(j.rest, job{settings: s, inputs: u.Inputs, first: first})
		first += s.NumImages
	}
	j.next()
}

// next sends the next job of the request to the engine. After the last one, the next request begins.
func (j *Jobs) next() {
	if len(j.rest) == 0 {
		j.current.id, j.progress, j.HasPreview = 0, protocol.Progress{}, false
		j.beginWaiting()
		j.askToJudge()
		return
	}
	j.current, j.rest = j.rest[0], j.rest[1:]
	j.progress, j.HasPreview = protocol.Progress{}, false
	j.current.id = j.line.Ask(protocol.Generate{Settings: j.current.settings}, j.current.inputs)
}

// Stop ends the request under way, and the next one that waits begins. Whatever the engine is doing, another request may
// be submitted at once: what still comes of this one is dropped.
func (j *Jobs) Stop() {
	if j.Busy() {
		j.line.Cancel(j.current.id)
		j.line.Drop(j.current.id)
		j.stopping = j.current.id
		j.end()
	}
}

// Skip drops the picture under way and goes on with the next.
func (j *Jobs) Skip() {
	if j.Busy() {
		j.line.Tell(protocol.Skip{Of: j.current.id})
	}
}

// end gives up the shots of the request that have not come.
func (j *Jobs) end() {
	j.Shots.pass()
	j.rest = nil
	j.next()
}

// Remove takes a result out of the shots. Where none is left, the stage is empty. back puts it into its place again,
// as long as no others have been asked for.
func (j *Jobs) Remove(r *Result) (back func()) {
	before, grid := j.Shots, j.Grid
	shot := before.remove(r)
	if shot == nil {
		return func() {}
	}
	if !j.Busy() && !j.Shots.Any() {
		j.Shots, j.Grid = nil, Grid{}
	}
	return func() {
		shot.Result, shot.Skipped = r, false
		if j.Shots == nil {
			j.Shots, j.Grid = before, grid
		}
	}
}

// At returns the shot that is being made, or nil.
func (j *Jobs) At() *Shot {
	if i := j.current.first + j.progress.Image; j.Busy() && i < len(j.Shots) {
		return j.Shots[i]
	}
	return nil
}

// Single returns the picture of the last request, if that was for only one and it is ready.
func (j *Jobs) Single() *Result {
	if len(j.Shots) == 1 && !j.Busy() {
		return j.Shots[0].Result
	}
	return nil
}

// KernelRows describes a choice of kernels for people, in rows of two texts: what was chosen and, where variants were
// measured, the times of each shape's.
func KernelRows(k protocol.Kernels) (rows [][2]string) {
	if k.Chosen == "" {
		return nil
	}
	name, chosen := texts.T("Kernels"), k.Chosen
	if len(k.Trials) > 0 {
		name = texts.T("Kernels, as measured")
	}
	if first, others, any := strings.Cut(k.Chosen, ","); any {
		chosen = strings.ReplaceAll(others, ",", ", ")
	} else if first == "auto" || len(k.Trials) > 0 {
		chosen = texts.T("the first of each kind")
	}
	rows = append(rows, [2]string{name, chosen})
	for _, t := range k.Trials {
		one := t.Variant + " " + texts.F("%s ms", texts.Number(t.Milliseconds, 2))
		if t.Refused != "" {
			one = texts.F("%s is not used: %s", t.Variant, texts.Translate(t.Refused))
		}
		if last := &rows[len(rows)-1]; last[0] == "– "+t.Key {
			last[1] += ", " + one
		} else {
			rows = append(rows, [2]string{"– " + t.Key, one})
		}
	}
	return rows
}
