package state

import (
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
)

// News is what a message of the engine means for the rest of the page. Most of it is empty.
type News struct {
	Result     *Result // a picture is ready: show it, and keep it
	Preview    any     // an ImageBitmap of the picture in the making
	Problem    Problem // why what was asked for did not come
	Note       string  // something that the visitor should know
	Counted    *protocol.Counted
	Loaded     bool // the model is there, and its tokenizer with it
	Embeds     any  // the bytes of a file of kept embeddings, to be saved under the name EmbedsName
	EmbedsName string
	Restart    bool  // the engine's program is over, and must be started again
	Map        *Made // the map that was asked for
}

// Made is a map, a PNG, or why there is none.
type Made struct {
	PNG     any
	Problem Problem
}

// noMap is the problem of a map that could not be made: another picture may have one, and what failed may pass.
func noMap(b protocol.MapMade) Problem {
	if b.Reason == protocol.WrongPicture {
		return problem(b.Problem, Remedy{ChooseAnother, AddStructure})
	}
	return failure(protocol.Failed{Message: b.Problem, Reason: b.Reason, Record: b.Record}, Remedy{Mend: TryAgain}, Remedy{ChooseAnother, AddStructure})
}

// Receive takes a message of the engine. An answer that nobody waits for any more changes nothing.
func (j *Jobs) Receive(m protocol.Message) News {
	if m.ID == j.stopping && protocol.IsLast(m.Body) {
		j.stopping = 0
	}
	if !j.line.Receive(m) {
		return News{}
	}
	switch b := m.Body.(type) {
	case protocol.Ready:
		j.Engine.Ready, j.Engine.GPU = true, b
		return News{}
	case protocol.Warning:
		return News{Note: texts.Translate(b.Message)}
	case protocol.Counted:
		return News{Counted: &b}
	case protocol.MapMade:
		return News{Map: &Made{m.Beside["png"], noMap(b)}}
	}
	switch m.ID {
	case 0:
		return News{}
	case j.load:
		return j.receiveLoad(m)
	case j.gauge:
		return j.receiveGauge(m)
	case j.keep:
		return j.receiveKeep(m)
	case j.judge:
		return j.receiveJudge(m)
	case j.making:
		if _, lost := m.Body.(protocol.Lost); lost {
			return News{Map: &Made{Problem: problem(texts.T("The GPU was lost while this map was made."), Remedy{Mend: TryAgain})}}
		}
	case j.current.id:
		return j.receiveJob(m)
	}
	return News{}
}

// receiveLoad takes an answer to the Load under way. While a request waits for it, the request meets the same failure
// itself, and tells of it.
func (j *Jobs) receiveLoad(m protocol.Message) News {
	switch b := m.Body.(type) {
	case protocol.Progress:
		j.loadProgress = b
		if j.Busy() {
			j.bar.advance(j.meter())
		}
		return News{}
	case protocol.Loaded:
		j.load, j.loadLost = 0, false
		j.Engine.Memory, j.Engine.Kernels = b.Memory, b.Kernels
		j.Gauge()
		return News{Loaded: true}
	case protocol.Failed:
		j.load = 0
		if !j.Busy() {
			return j.fail(b)
		}
	case protocol.Lost:
		j.load, j.Engine.Ready = 0, false
		switch {
		case j.Busy():
		case j.loadLost:
			return News{Problem: lostTwice(b.Message)}
		default:
			j.loadLost = true
			j.Load(j.loaded)
		}
	case protocol.Stopped:
		j.load = 0
	}
	return News{}
}

// receiveJob takes an answer to the job under way.
func (j *Jobs) receiveJob(m protocol.Message) News {
	switch b := m.Body.(type) {
	case protocol.Progress:
		at, final := j.At(), !j.progress.LatentsOnly
		j.progress = b
		j.bar.advance(j.meter())
		if at != nil && final && at != j.At() && at.Result == nil {
			at.Skipped, j.HasPreview = true, false
		}
	case protocol.Preview:
		j.HasPreview = true
		return News{Preview: m.Beside["bitmap"]}
	case protocol.Picture:
		return News{Result: j.picture(b, m.Beside["png"])}
	case protocol.Drawn:
		j.Engine.Memory, j.Engine.Peak, j.Engine.Pipelines = b.Memory, b.Peak, b.Pipelines
		j.Engine.Kernels = b.Kernels
		if b.Card.Known() {
			j.Engine.Card = b.Card
		}
		end := j.current.first + j.current.settings.NumImages
		j.Shots[min(j.current.first, len(j.Shots)):min(end, len(j.Shots))].pass()
		j.next()
		j.Gauge()
	case protocol.Stopped:
		j.end()
	case protocol.Failed:
		return j.fail(b)
	case protocol.Lost:
		return j.lost(b.Message)
	}
	return News{}
}

// picture puts a picture in its place among the shots.
func (j *Jobs) picture(b protocol.Picture, png any) *Result {
	r := &Result{Settings: b.Settings, Cost: Cost(b.Cost), PNG: png, Inputs: j.current.inputs, Made: time.Now()}
	if at := j.At(); at != nil {
		at.Result = r
		if len(j.Shots) > 1 {
			r.Label = at.Label
		}
	}
	j.toJudge(r)
	j.Engine.LastCost, j.HasPreview, j.decode = r.Cost, false, r.Cost.Stages["decode"]/float64(j.current.settings.TileCount())
	return r
}

// fail ends the request, and says what the visitor is told of it.
func (j *Jobs) fail(f protocol.Failed) News {
	j.hold()
	if f.Reason == protocol.NoAdapter || f.Reason == protocol.NoDevice {
		j.Engine.Refusal = withoutGPU(f)
		return News{}
	}
	if f.Reason == protocol.Permission {
		f.Message = texts.T("After a reload the browser asks again whether this page may read the model's file on your disk: press Generate and allow it.")
	}
	return News{Problem: failure(f, Remedy{Mend: TryAgain})}
}

// lost begins the job again with a new GPU, but only once: a job that loses the GPU each time must not do so for ever.
func (j *Jobs) lost(why string) News {
	j.Engine.Ready = false
	if j.current.again {
		j.hold()
		return News{Problem: lostTwice(why)}
	}
	j.current.again = true
	j.rest = append([]job{j.current}, j.rest...)
	j.next()
	return News{Note: texts.F("The graphics card was taken away (%s). It was opened again, and the picture was begun again with your settings.", texts.Translate(why))}
}

func lostTwice(why string) Problem {
	return problem(texts.F("The graphics card was taken away twice (%s). Your settings are kept: try a smaller size, or close other programs that use it, then press Generate again.", texts.Translate(why)),
		Remedy{Mend: StartEngine}, Remedy{Mend: DrawSmaller})
}

// Died says that the engine's program is over. If it never opened the GPU, there is no engine; otherwise it must be
// started again. online says whether the browser has a network.
func (j *Jobs) Died(why string, online bool) News {
	opened, busy := j.Engine.Ready, j.Busy()
	j.line, j.load, j.gauge, j.stopping = nil, 0, 0, 0
	j.forgetUnknown()
	j.hold()
	switch {
	case !opened:
		j.Engine.Refusal = withoutEngine(why, online)
		return News{}
	case busy:
		return News{Restart: true, Problem: problem(texts.F("The engine stopped (%s), perhaps because the memory ran out: try a smaller size. It was started again, and your settings are kept.", texts.Translate(why)),
			Remedy{Mend: DrawSmaller}, Remedy{Mend: TryAgain})}
	}
	return News{Restart: true}
}
