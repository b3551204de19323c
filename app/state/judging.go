package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// judging is how near pictures are to what they were made from, which is measured when nothing else
// is to be done.
type judging struct {
	NoScores bool          // the visitor does not want pictures measured
	Scored   func(*Result) // is called when a picture's Score is known

	judge   int       // the Judge under way, which is for the first of unknown; 0 for none
	unknown []unknown // what is to be measured
	plots   bool      // the last request's pictures differ in λ, and are measured
}

// unknown is a request's pictures that are to be measured.
type unknown struct {
	request int
	results []*Result
	inputs  map[string]any
}

// judges reports whether a picture of these settings is measured: if there is a picture to compare it
// with, and if that does not take long. Without a graphics card, only the small model is fast enough.
func (j *Jobs) judges(s settings.Settings) bool { return !j.NoScores && seen(s) > 0 && !j.slow(s) }

func (j *Jobs) slow(s settings.Settings) bool { return j.Engine.GPU.Software && s.Model != "" }

// seen is how many pictures of image prompts there are to compare with. Of kept embeddings there is none.
func seen(s settings.Settings) (n int) {
	for _, a := range s.SeenPrompts() {
		n += len(a.Images)
	}
	return n
}

// toJudge has a new picture measured when there is time.
func (j *Jobs) toJudge(r *Result) {
	if !j.judges(r.Settings) {
		return
	}
	if n := len(j.unknown); n == 0 || j.unknown[n-1].request != j.number {
		j.unknown = append(j.unknown, unknown{request: j.number, inputs: j.current.inputs})
	}
	u := &j.unknown[len(j.unknown)-1]
	u.results = append(u.results, r)
}

// askToJudge has a request's pictures measured, unless something else is under way. They are measured
// together, because a large image encoder may have to be read from the disk for it.
func (j *Jobs) askToJudge() {
	if j.line == nil || j.judge != 0 || j.Busy() || len(j.unknown) == 0 {
		return
	}
	u := j.unknown[0]
	body, beside := protocol.Judge{}, map[string]any{}
	for name, input := range u.inputs {
		beside[name] = input
	}
	for i, r := range u.results {
		body.Settings = append(body.Settings, r.Settings)
		beside[protocol.JudgedName(i)] = r.PNG
	}
	j.judge = j.line.Ask(body, beside)
}

// stopJudging puts the Judge under way off.
func (j *Jobs) stopJudging() {
	if j.judge != 0 {
		j.line.Cancel(j.judge)
		j.line.Drop(j.judge)
		j.judge = 0
	}
}

// receiveJudge takes an answer to the Judge under way. If it failed, there are no scores, which nobody has
// to know about.
func (j *Jobs) receiveJudge(m protocol.Message) News {
	if !protocol.IsLast(m.Body) {
		return News{}
	}
	u := j.unknown[0]
	j.judge, j.unknown = 0, j.unknown[1:]
	switch b := m.Body.(type) {
	case protocol.Judged:
		for i, score := range b.Scores {
			if i < len(u.results) && len(score.CLIPI) > 0 {
				u.results[i].Score = &score
				j.Scored(u.results[i])
			}
		}
	case protocol.Lost:
		j.Engine.Ready = false
	}
	j.askToJudge()
	return News{}
}

// forgetUnknown gives up what is to be measured: the model that it needs is not open any more.
func (j *Jobs) forgetUnknown() { j.judge, j.unknown = 0, nil }

// Near is what stands under a picture on how near it is to what it was made from; "" for nothing. r is nil
// for the picture in the making, whose line is kept free.
func (j *Jobs) Near(r *Result) string {
	switch {
	case r == nil:
		if len(j.Shots) == 1 && j.Busy() && j.judges(j.current.settings) {
			return near("…", "", seen(j.current.settings))
		}
	case r.Score != nil:
		return says(*r.Score)
	case j.isUnknown(r):
		return near("…", "", seen(r.Settings))
	case !j.NoScores && seen(r.Settings) > 0 && j.slow(r.Settings):
		return texts.T("How near it is to the picture is not measured, because that takes long without a graphics card.")
	}
	return ""
}

func (j *Jobs) isUnknown(r *Result) bool {
	for _, u := range j.unknown {
		for _, one := range u.results {
			if one == r {
				return true
			}
		}
	}
	return false
}

// says puts a score in words: "Near to the picture 0.84 · near to the words 0.27".
func says(s Score) string {
	var pictures []string
	for _, c := range s.CLIPI {
		pictures = append(pictures, texts.Number(c, 2))
	}
	words := ""
	if s.CLIPT != nil {
		words = texts.Number(*s.CLIPT, 2)
	}
	return near(strings.Join(pictures, ", "), words, len(pictures))
}

// near puts scores in words. n is the number of pictures, and words is "" where they are not compared.
func near(pictures, words string, n int) string {
	text := texts.F("Near to the picture %s", pictures)
	if n > 1 {
		text = texts.F("Near to the pictures %s", pictures)
	}
	if words != "" {
		text += " · " + texts.F("near to the words %s", words)
	}
	return text
}
