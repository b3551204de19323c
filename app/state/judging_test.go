package state

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

// prompted are settings with image prompts of a picture each.
func prompted(model string, weights ...float64) settings.Settings {
	s := settings.Default()
	s.Model = model
	for _, w := range weights {
		a := settings.DefaultIPAdapter()
		a.Lambda, a.Images = w, []settings.ImagePrompt{{Picture: "1-fox.png"}}
		s.Guides = append(s.Guides, &a)
	}
	return s
}

// strip draws a picture of each of the settings, and returns them.
func (e *fakeEngine) strip(list ...settings.Settings) (made []*Result) {
	e.jobs.Submit(Request{Labels: make([]string, len(list)), Jobs: list}, map[string]any{"1-fox.png": "a fox"})
	for _, s := range list {
		id := e.generate()
		made = append(made, e.answer(id, protocol.Picture{Settings: s}).Result)
		e.answer(id, protocol.Drawn{})
	}
	return made
}

func newJudgedEngine(t *testing.T) (e *fakeEngine, scored *[]*Result) {
	e, scored = newFakeEngine(t), &[]*Result{}
	e.jobs.Scored = func(r *Result) { *scored = append(*scored, r) }
	return e, scored
}

func score(pictures ...float64) protocol.Score { return protocol.Score{CLIPI: pictures} }

// A request's pictures are measured together once it is over.
func TestJudge(t *testing.T) {
	e, scored := newJudgedEngine(t)
	list := []settings.Settings{prompted("", 0, 0.5), prompted("", 1, 0.5)}
	e.jobs.Submit(Request{Labels: []string{"", ""}, Jobs: list}, map[string]any{"1-fox.png": "a fox"})
	first := e.answer(e.generate(), protocol.Picture{Settings: list[0]}).Result
	if text := e.jobs.Near(first); text != "Near to the pictures …" || e.count(protocol.Judge{}) != 0 {
		t.Errorf("before the second picture: %q, and it is measured", text)
	}
	e.answer(e.generate(), protocol.Drawn{})
	second := e.answer(e.generate(), protocol.Picture{Settings: list[1]}).Result
	e.answer(e.generate(), protocol.Drawn{})
	sent := e.sent[slices.IndexFunc(e.sent, func(m protocol.Message) bool { return m.Body.Type() == "judge" })]
	if b := sent.Body.(protocol.Judge); len(b.Settings) != 2 || len(sent.Beside) != 3 || sent.Beside["1-fox.png"] != "a fox" || sent.Beside[protocol.JudgedName(1)] != second.PNG {
		t.Errorf("%d pictures and %v are sent", len(b.Settings), sent.Beside)
	}
	words := 0.274
	e.answer(e.last(protocol.Judge{}), protocol.Judged{Scores: []protocol.Score{score(0.5, 0.25), {CLIPI: []float64{0.844, 0.7}, CLIPT: &words}}})
	if !slices.Equal(*scored, []*Result{first, second}) {
		t.Errorf("%d pictures are scored", len(*scored))
	}
	for r, want := range map[*Result]string{first: "Near to the pictures 0.50, 0.25", second: "Near to the pictures 0.84, 0.70 · near to the words 0.27", {}: "", nil: ""} {
		if text := e.jobs.Near(r); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

// What is asked for comes first, and the measuring begins again after it.
func TestJudgeGivesWay(t *testing.T) {
	e, scored := newJudgedEngine(t)
	first := e.strip(prompted("", 1))[0]
	put := e.last(protocol.Judge{})
	e.submit("a fox")
	if !slices.ContainsFunc(e.sent, func(m protocol.Message) bool { return m.Body == protocol.Cancel{Of: put} }) {
		t.Error("the measuring goes on while a picture is wanted")
	}
	e.answer(put, protocol.Stopped{})
	e.answer(e.generate(), protocol.Drawn{})
	if e.count(protocol.Judge{}) != 2 {
		t.Fatal("it was not begun again")
	}
	e.answer(e.last(protocol.Judge{}), protocol.Judged{Scores: []protocol.Score{score(0.5)}})
	if len(*scored) != 1 || first.Score == nil {
		t.Error("the picture is not scored")
	}
	if e.jobs.NoScores = true; e.strip(prompted("", 1))[0] == nil || e.count(protocol.Judge{}) != 2 {
		t.Error("it is measured although nobody wants it")
	}
}

// What cannot be measured, or takes long, is left out, and nothing that fails is told.
func TestNotJudged(t *testing.T) {
	kept := prompted("", 1)
	kept.IPAdapters()[0].Embeds = "fox.safetensors"
	for name, c := range map[string]struct {
		settings settings.Settings
		says     string
	}{
		"words alone":     {prompted(""), ""},
		"kept embeddings": {kept, ""},
		"a full-size model without a graphics card": {prompted("sd15", 1), "How near it is to the picture is not measured, because that takes long without a graphics card."},
	} {
		e, _ := newJudgedEngine(t)
		e.jobs.Engine.GPU.Software = true
		r := e.strip(c.settings)[0]
		if text := e.jobs.Near(r); e.count(protocol.Judge{}) != 0 || text != c.says {
			t.Errorf("%s is measured, or says %q", name, text)
		}
	}
	for _, answer := range []protocol.Body{protocol.Failed{Message: "no"}, protocol.Lost{Message: "no"}, protocol.Stopped{}, protocol.Judged{Scores: []protocol.Score{{}}}, protocol.Judged{}} {
		e, scored := newJudgedEngine(t)
		r := e.strip(prompted("", 1))[0]
		if news := e.answer(e.last(protocol.Judge{}), answer); !reflect.DeepEqual(news, News{}) || len(*scored) > 0 || e.jobs.Near(r) != "" {
			t.Errorf("%s: %+v, %q", answer.Type(), news, e.jobs.Near(r))
		}
	}
	e, _ := newJudgedEngine(t)
	r := e.strip(prompted("", 1))[0]
	e.jobs.Died("no memory", true)
	e.connect()
	if e.jobs.Near(r) != "" || e.count(protocol.Judge{}) != 1 {
		t.Error("a new engine is asked about pictures whose model it has not")
	}
}

// scoredShots are pictures at the weights of their image prompts, with how near they are.
func scoredShots(scores map[*Score][]float64) (shots Shots) {
	for s, weights := range scores {
		shots = append(shots, &Shot{Result: &Result{Settings: prompted("", weights...), Score: s}})
	}
	return append(shots, &Shot{Skipped: true}, &Shot{Result: &Result{Settings: prompted("", 0.3)}})
}

func TestPlot(t *testing.T) {
	words := []float64{0.31, 0.28, 0.22, 0.2}
	p, ok := NewPlot(scoredShots(map[*Score][]float64{
		{CLIPI: []float64{0.42, 0.9}, CLIPT: &words[0]}: {0, 0.5},
		{CLIPI: []float64{0.6, 0.8}, CLIPT: &words[1]}:  {0.5, 0.5},
		{CLIPI: []float64{0.8, 0.7}, CLIPT: &words[2]}:  {1, 0.5},
		{CLIPI: []float64{0.9, 0.6}, CLIPT: &words[3]}:  {1, 0.5},
	}), false)
	if !ok || len(p.Lines) != 2 {
		t.Fatalf("there are %d lines", len(p.Lines))
	}
	if want := "How near the pictures are, by image weight: at 0 0.42 to the picture and 0.31 to the words, at 0.5 0.60 to the picture and 0.28 to the words, at 1 0.85 to the picture and 0.21 to the words."; p.Label != want {
		t.Errorf("%s", p.Label)
	}
	// The weights go from one side of the frame to the other, and the values are from 0.2 to 0.9.
	middle := p.Left + (p.Right-p.Left)/2
	for i, want := range [][2]float64{{p.Left, p.Bottom - (p.Bottom-p.Top)*0.22/0.7}, {middle, p.Bottom - (p.Bottom-p.Top)*0.4/0.7}, {p.Right, p.Bottom - (p.Bottom-p.Top)*0.65/0.7}} {
		if got := p.Lines[0].Points[i]; near2(got, want) > 1e-9 {
			t.Errorf("the point %d is at %v, want %v", i, got, want)
		}
	}
	var ticks []string
	for _, k := range p.Ticks {
		ticks = append(ticks, k.Text)
	}
	if text := strings.Join(ticks, " "); text != "0.2 0.9 0 0.5 1" {
		t.Errorf("the numbers are %s", text)
	}
}

func near2(a, b [2]float64) float64 { return max(a[0]-b[0], b[0]-a[0], a[1]-b[1], b[1]-a[1]) }

// A weight that does not differ has no plot, and a plot to come has a frame alone. Without a text tower there
// is one line. Names that would lie on each other are moved apart, within the frame.
func TestPlotOfLittle(t *testing.T) {
	one := map[*Score][]float64{{CLIPI: []float64{0.42}}: {1}, {CLIPI: []float64{0.5}}: {1}}
	if _, ok := NewPlot(scoredShots(one), false); ok {
		t.Error("pictures of one weight are plotted")
	}
	if p, ok := NewPlot(nil, true); !ok || p.Lines != nil || p.Width == 0 || p.Label == "" {
		t.Error("there is no room for a plot to come")
	}
	if p, ok := NewPlot(scoredShots(map[*Score][]float64{{CLIPI: []float64{0.5}}: {0}, {CLIPI: []float64{0.5}}: {1}}), true); !ok || len(p.Lines) != 1 {
		t.Errorf("%d lines, %v", len(p.Lines), ok)
	}
	for _, v := range []float64{0.5, 0.54, 0.59} {
		words := 0.52
		p, _ := NewPlot(scoredShots(map[*Score][]float64{{CLIPI: []float64{0.5}, CLIPT: &words}: {0}, {CLIPI: []float64{v}, CLIPT: &words}: {1}}), false)
		a, b := p.Lines[0].NameY, p.Lines[1].NameY
		if max(a-b, b-a) < plotLine || max(a, b) > p.Bottom || min(a, b) < 0 {
			t.Errorf("%g: the names are at %g and %g", v, a, b)
		}
	}
}

// The scores are in the index of a zip and on a sheet.
func TestScoresAreExported(t *testing.T) {
	s := score(0.8)
	r := &Result{Settings: prompted("", 0.5), Label: "λ = 0.5", Score: &s}
	sheet, err := NewSheet(Shots{{Label: "λ = 0.5", Result: r}, {Label: "λ = 1", Result: &Result{Settings: prompted("", 1)}}}, Grid{}, nil)
	if err != nil || len(sheet.Scores) != 1 || sheet.Scores[0].Label != "λ = 0.5" || !slices.Equal(sheet.Scores[0].Lambda, []float64{0.5}) || sheet.Scores[0].CLIPI[0] != 0.8 {
		t.Errorf("%+v, %v", sheet.Scores, err)
	}
}
