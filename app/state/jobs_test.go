package state

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

// fakeEngine is a worker as Jobs sees it: it collects what is sent and lets a test answer.
type fakeEngine struct {
	t    *testing.T
	jobs *Jobs
	sent []protocol.Message
}

// newFakeEngine returns jobs with an engine that runs and has a model loaded.
func newFakeEngine(t *testing.T) *fakeEngine {
	e := &fakeEngine{t: t, jobs: &Jobs{}}
	e.connect()
	e.answer(e.last(protocol.Load{}), protocol.Ready{Adapter: "test"})
	if news := e.answer(e.last(protocol.Load{}), protocol.Loaded{}); !news.Loaded {
		t.Fatal("the model is not loaded")
	}
	return e
}

func (e *fakeEngine) connect() {
	e.jobs.Connect(protocol.NewLine(func(m protocol.Message) { e.sent = append(e.sent, m) }))
	e.jobs.Load(protocol.Load{})
	e.answer(0, protocol.Started{})
}

// last is the id of the last request of a type, or what the last Cancel or Skip names.
func (e *fakeEngine) last(kind protocol.Body) int {
	e.t.Helper()
	for i := len(e.sent) - 1; i >= 0; i-- {
		m := e.sent[i]
		if m.Body.Type() != kind.Type() {
			continue
		}
		switch b := m.Body.(type) {
		case protocol.Cancel:
			return b.Of
		case protocol.Skip:
			return b.Of
		}
		return m.ID
	}
	e.t.Fatalf("no %s was sent", kind.Type())
	return 0
}

func (e *fakeEngine) generate() int { return e.last(protocol.Generate{}) }

func (e *fakeEngine) count(kind protocol.Body) (n int) {
	for _, m := range e.sent {
		if m.Body.Type() == kind.Type() {
			n++
		}
	}
	return n
}

func (e *fakeEngine) answer(id int, body protocol.Body) News {
	return e.jobs.Receive(protocol.Message{ID: id, Body: body, Beside: map[string]any{"png": "a PNG", "bitmap": "a bitmap"}})
}

// submit asks for pictures, one a prompt.
func (e *fakeEngine) submit(prompts ...string) {
	var list []settings.Settings
	for _, p := range prompts {
		s := settings.Default()
		s.Prompt = p
		list = append(list, s)
	}
	e.jobs.Submit(Request{Labels: prompts, Jobs: list}, map[string]any{"1-fox.png": "a fox"})
}

// draw answers the request under way with one picture, and ends it.
func (e *fakeEngine) draw() *Result {
	id := e.generate()
	var s settings.Settings
	for _, m := range e.sent {
		if g, ok := m.Body.(protocol.Generate); ok && m.ID == id {
			s = g.Settings
		}
	}
	news := e.answer(id, protocol.Picture{Settings: s, Cost: protocol.Cost{Seconds: 2}})
	e.answer(id, protocol.Drawn{Peak: 5})
	return news.Result
}

func TestJobsInOrder(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b", "c")
	for i, prompt := range []string{"a", "b", "c"} {
		if !e.jobs.Busy() || e.jobs.Shots.Left() != 3-i || e.jobs.At() != e.jobs.Shots[i] {
			t.Fatalf("before %s: busy %v, %d left", prompt, e.jobs.Busy(), e.jobs.Shots.Left())
		}
		r := e.draw()
		if r == nil || r.Settings.Prompt != prompt || r.Label != prompt || r.PNG != "a PNG" || r.Inputs["1-fox.png"] != "a fox" || r.Cost.Seconds != 2 {
			t.Fatalf("%s came as %+v", prompt, r)
		}
	}
	if e.jobs.Busy() || e.count(protocol.Generate{}) != 3 || e.jobs.Engine.Peak != 5 {
		t.Errorf("busy %v after %d requests", e.jobs.Busy(), e.count(protocol.Generate{}))
	}
}

// What is asked for while pictures are drawn waits for its turn, in an order that can be changed.
func TestQueue(t *testing.T) {
	e := newFakeEngine(t)
	begun := 0
	e.jobs.Begun = func() { begun++ }
	e.submit("a")
	for _, p := range []string{"b", "c", "d", "e"} {
		e.submit(p)
	}
	queue := func() (s string) {
		for _, u := range e.jobs.Queue() {
			s += u.Title()
		}
		return s
	}
	if e.count(protocol.Generate{}) != 1 || len(e.jobs.Shots) != 1 || queue() != "bcde" {
		t.Fatalf("%d requests went out, %s waits", e.count(protocol.Generate{}), queue())
	}
	number := func(i int) int { return e.jobs.Queue()[i].Number }
	e.jobs.Move(number(3), -1)
	e.jobs.Move(number(0), -1)
	e.jobs.Move(number(0), 1)
	if queue() != "cbed" {
		t.Errorf("the order is %s", queue())
	}
	back := e.jobs.Withdraw(number(1))
	if queue() != "ced" {
		t.Errorf("after b was removed: %s", queue())
	}
	back()
	all := e.jobs.WithdrawAll()
	if queue() != "" {
		t.Error("the queue is not empty")
	}
	all()
	if queue() != "cbed" || e.jobs.Held() {
		t.Errorf("what was removed comes back as %s, held %v", queue(), e.jobs.Held())
	}
	e.draw()
	if r := e.draw(); r.Settings.Prompt != "c" || begun != 2 || !e.jobs.Waiting() {
		t.Errorf("after a comes %s; %d requests began", r.Settings.Prompt, begun)
	}
	e.jobs.Stop()
	if queue() != "d" || !e.jobs.Busy() {
		t.Errorf("Stop ends one request; then %s waits", queue())
	}
	// A failure may meet the next one too.
	if news := e.answer(e.generate(), protocol.Failed{Message: "no"}); news.Problem.Text != "no" || e.jobs.Busy() || !e.jobs.Held() || e.jobs.Waiting() {
		t.Errorf("%+v, busy %v", news, e.jobs.Busy())
	}
	e.jobs.GoOn()
	if r := e.draw(); r.Settings.Prompt != "d" || e.jobs.Busy() || e.jobs.Held() || e.jobs.Waiting() {
		t.Errorf("then comes %s", r.Settings.Prompt)
	}
	back() // b has long been drawn, but it was removed again: nothing is under way, so it is held
	if queue() != "b" || !e.jobs.Held() {
		t.Errorf("%s waits", queue())
	}
	e.submit("f")
	if r := e.draw(); r.Settings.Prompt != "f" {
		t.Errorf("what is asked for now comes after %s", r.Settings.Prompt)
	}
	if r := e.draw(); r.Settings.Prompt != "b" {
		t.Errorf("then comes %s", r.Settings.Prompt)
	}
	e.jobs.Move(99, 1)
	e.jobs.Withdraw(99)()
}

// The queue is still there when the engine is, but begins only when the visitor says so.
func TestQueueOutlivesEngine(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a")
	e.submit("b")
	e.jobs.Died("out of memory", true)
	e.connect()
	if e.jobs.Busy() || !e.jobs.Held() {
		t.Fatalf("busy %v, held %v", e.jobs.Busy(), e.jobs.Held())
	}
	e.jobs.GoOn()
	if r := e.draw(); r.Settings.Prompt != "b" {
		t.Errorf("%s", r.Settings.Prompt)
	}
}

// Several pictures of one request fill their shots in order; one that is skipped leaves its place empty.
func TestSkipOnePicture(t *testing.T) {
	e := newFakeEngine(t)
	s := settings.Default()
	s.NumImages = 3
	e.jobs.Submit(Request{Labels: []string{"1 of 3", "2 of 3", "3 of 3"}, Jobs: []settings.Settings{s}}, nil)
	id := e.generate()
	step := func(image int) {
		e.answer(id, protocol.Progress{Stage: "denoise", Image: image, Images: 3, Step: 1, Steps: 4, SecondsPerStep: 2})
	}
	step(0)
	e.answer(id, protocol.Picture{Index: 0})
	step(1)
	if news := e.answer(id, protocol.Preview{}); news.Preview != "a bitmap" || !e.jobs.HasPreview {
		t.Error("the preview is not there")
	}
	e.jobs.Skip()
	if e.last(protocol.Skip{}) != id {
		t.Error("Skip names another request")
	}
	step(2)
	if !e.jobs.Shots[1].Skipped || e.jobs.HasPreview {
		t.Error("the picture that was skipped is still expected")
	}
	e.answer(id, protocol.Picture{Index: 1})
	e.answer(id, protocol.Drawn{})
	for i, want := range []bool{true, false, true} {
		if got := e.jobs.Shots[i].Result != nil; got != want {
			t.Errorf("shot %d has a picture: %v", i, got)
		}
	}
}

// Stop frees the page at once, at whatever stage the engine is, and nothing that still comes of the request is taken
// for the next one's.
func TestStopAtEveryStage(t *testing.T) {
	for _, stage := range []string{"", "load", "encode", "compile", "denoise", "decode"} {
		t.Run("at "+stage, func(t *testing.T) {
			e := newFakeEngine(t)
			e.submit("first", "never")
			old := e.generate()
			if stage != "" {
				e.answer(old, protocol.Progress{Stage: stage, Step: 1, Steps: 2})
			}
			e.jobs.Stop()
			if e.jobs.Busy() || e.last(protocol.Cancel{}) != old || e.jobs.Shots.Left() != 0 {
				t.Fatalf("busy %v, %d pictures are still expected", e.jobs.Busy(), e.jobs.Shots.Left())
			}
			e.submit("second")
			if e.generate() == old {
				t.Fatal("the second request has the first one's id")
			}
			// The engine finished the first before it saw Cancel.
			e.answer(old, protocol.Progress{Stage: "denoise", Image: 1, Step: 2, Steps: 2})
			if news := e.answer(old, protocol.Picture{}); news.Result != nil {
				t.Error("the first request's picture is shown as the second's")
			}
			for _, last := range []protocol.Body{protocol.Drawn{}, protocol.Stopped{}, protocol.Failed{Message: "no"}, protocol.Lost{Message: "no"}} {
				if news := e.answer(old, last); !reflect.DeepEqual(news, News{}) || !e.jobs.Busy() {
					t.Errorf("%s of the first request ends the second: %+v", last.Type(), news)
				}
			}
			if e.jobs.Progress(nil).Text != "Starting" {
				t.Errorf("the page says %q while the second is drawn", e.jobs.Progress(nil).Text)
			}
			if r := e.draw(); r == nil || r.Settings.Prompt != "second" || e.jobs.Busy() {
				t.Errorf("the second came as %+v", r)
			}
			if e.count(protocol.Generate{}) != 2 {
				t.Error("a job that was stopped in the queue was sent")
			}
		})
	}
}

// Stop while a model loads, then Generate, with a worker's desk at the other end: the first is never drawn, and the
// page is busy until the second is there.
func TestStopWhileModelLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		jobs := &Jobs{}
		var news []News
		answer := func(m protocol.Message) {
			if n := jobs.Receive(m); !reflect.DeepEqual(n, News{}) {
				news = append(news, n)
			}
		}
		desk := protocol.NewDesk(answer)
		loaded := make(chan struct{})
		var drawn []string
		jobs.Connect(protocol.NewLine(desk.Take))
		jobs.Load(protocol.Load{Model: "sd15"})
		go desk.Serve(ctx, func(ctx context.Context, m protocol.Message) (protocol.Body, error) {
			switch b := m.Body.(type) {
			case protocol.Load:
				desk.Answer(m.ID, protocol.Progress{Stage: "load", Done: 1, Total: 4})
				<-loaded
				return protocol.Loaded{}, nil
			case protocol.Generate:
				drawn = append(drawn, b.Settings.Prompt)
				desk.Answer(m.ID, protocol.Picture{Settings: b.Settings})
			}
			return protocol.Drawn{}, nil
		})
		answer(protocol.Message{Body: protocol.Started{}})
		synctest.Wait()
		ask := func(prompt string) {
			s := settings.Default()
			s.Prompt = prompt
			jobs.Submit(Request{Labels: []string{prompt}, Jobs: []settings.Settings{s}}, nil)
		}
		ask("first")
		synctest.Wait()
		if text := jobs.Progress(nil).Text; text != "Loading weights, 25 % of 0 kB" {
			t.Errorf("the page says %q while the model loads", text)
		}
		jobs.Stop()
		synctest.Wait()
		ask("second")
		synctest.Wait()
		if !jobs.Busy() {
			t.Error("the page is idle while the second waits")
		}
		close(loaded)
		synctest.Wait()
		if strings.Join(drawn, ", ") != "second" || jobs.Busy() {
			t.Errorf("drawn: %q, busy %v", drawn, jobs.Busy())
		}
		if len(news) != 2 || !news[0].Loaded || news[1].Result == nil || news[1].Result.Settings.Prompt != "second" {
			t.Errorf("the page was told %+v", news)
		}
	})
}

// Choosing another model gives up the one that loads.
func TestLoadAnotherModel(t *testing.T) {
	e := newFakeEngine(t)
	e.jobs.Load(protocol.Load{Model: "one"})
	one := e.last(protocol.Load{})
	e.answer(one, protocol.Progress{Stage: "load", Done: 1, Total: 2})
	e.jobs.Load(protocol.Load{Model: "two"})
	if e.last(protocol.Cancel{}) != one {
		t.Error("the first goes on loading")
	}
	if news := e.answer(one, protocol.Failed{Message: "one is damaged"}); news.Problem.Text != "" {
		t.Error("a model that is not wanted any more is complained about")
	}
	if news := e.answer(e.last(protocol.Load{}), protocol.Failed{Message: "two is damaged"}); news.Problem.Text != "two is damaged" {
		t.Errorf("%+v", news)
	}
	if e.jobs.Progress(nil).Active {
		t.Error("a model that failed still loads")
	}
}

// Whatever ends a Load while a request waits for it is told once, by the request.
func TestLoadFailsWhileBusy(t *testing.T) {
	e := newFakeEngine(t)
	e.jobs.Load(protocol.Load{Model: "one"})
	e.submit("a", "b")
	if news := e.answer(e.last(protocol.Load{}), protocol.Failed{Message: "one is damaged"}); !reflect.DeepEqual(news, News{}) || !e.jobs.Busy() {
		t.Errorf("%+v", news)
	}
	if news := e.answer(e.generate(), protocol.Failed{Message: "one is damaged"}); news.Problem.Text != "one is damaged" || e.jobs.Busy() {
		t.Errorf("%+v, busy %v", news, e.jobs.Busy())
	}
	if e.count(protocol.Generate{}) != 1 {
		t.Error("the rest of the queue was sent after a failure")
	}
}

// A GPU that is lost is opened again once for a picture, and the rest of the queue is kept.
func TestLostTwice(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b")
	first := e.generate()
	if news := e.answer(first, protocol.Lost{Message: "reset"}); !strings.Contains(news.Note, "taken away (reset)") || !e.jobs.Busy() || e.jobs.Engine.Ready {
		t.Fatalf("%+v", news)
	}
	if e.generate() == first {
		t.Fatal("the picture was not begun again")
	}
	if r := e.draw(); r == nil || r.Settings.Prompt != "a" || e.jobs.Shots[0].Result != r {
		t.Fatalf("after the loss came %+v", r)
	}
	// The next picture has its own second chance, and no third.
	e.answer(e.generate(), protocol.Lost{Message: "reset"})
	if news := e.answer(e.generate(), protocol.Lost{Message: "reset"}); !strings.Contains(news.Problem.Text, "taken away twice") || e.jobs.Busy() {
		t.Errorf("%+v, busy %v", news, e.jobs.Busy())
	}
}

func TestLostWhileLoading(t *testing.T) {
	e := newFakeEngine(t)
	e.jobs.Load(protocol.Load{Model: "one"})
	if news := e.answer(e.last(protocol.Load{}), protocol.Lost{Message: "reset"}); !reflect.DeepEqual(news, News{}) || e.count(protocol.Load{}) != 3 {
		t.Fatalf("%+v after %d loads", news, e.count(protocol.Load{}))
	}
	if news := e.answer(e.last(protocol.Load{}), protocol.Lost{Message: "reset"}); news.Problem.Text == "" || e.count(protocol.Load{}) != 3 {
		t.Errorf("a model that loses the GPU is loaded for ever: %+v", news)
	}
}

func TestEngineDies(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b")
	if news := e.jobs.Died("out of memory", true); !news.Restart || !strings.Contains(news.Problem.Text, "stopped (out of memory)") || e.jobs.Busy() {
		t.Fatalf("%+v", news)
	}
	e.submit("c") // nobody is there
	e.connect()
	e.answer(e.last(protocol.Load{}), protocol.Ready{})
	e.submit("d")
	if r := e.draw(); r == nil || r.Settings.Prompt != "d" {
		t.Errorf("the new engine drew %+v", r)
	}
}

func TestEngineDoesNotStart(t *testing.T) {
	for online, want := range map[bool]string{true: "Try again", false: "There is no network"} {
		e := &fakeEngine{t: t, jobs: &Jobs{}}
		e.connect()
		news := e.jobs.Died("404", online)
		if r := e.jobs.Engine.Refusal; !reflect.DeepEqual(news, News{}) || r.Title != "The engine could not start" || !strings.Contains(r.Text, want) {
			t.Errorf("%+v %+v", news, r)
		}
	}
}

func TestNoGPU(t *testing.T) {
	for reason, want := range map[string]string{protocol.NoAdapter: "No graphics card to draw with", protocol.NoDevice: "The graphics card could not be opened"} {
		e := &fakeEngine{t: t, jobs: &Jobs{}}
		e.connect()
		news := e.answer(e.last(protocol.Load{}), protocol.Failed{Message: "gpu: no", Reason: reason})
		if !reflect.DeepEqual(news, News{}) || e.jobs.Engine.Refusal.Title != want {
			t.Errorf("%s: %+v %+v", reason, news, e.jobs.Engine.Refusal)
		}
	}
}

// Only the latest count of tokens is wanted.
func TestCountTokens(t *testing.T) {
	e := newFakeEngine(t)
	e.jobs.Count(protocol.Tokens{Prompt: "a"})
	old := e.last(protocol.Tokens{})
	e.jobs.Count(protocol.Tokens{Prompt: "ab", Weights: true})
	if news := e.answer(old, protocol.Counted{}); news.Counted != nil {
		t.Error("an old count is shown")
	}
	if news := e.answer(e.last(protocol.Tokens{}), protocol.Counted{Prompt: protocol.Count{Tokens: 4}}); news.Counted == nil || news.Counted.Prompt.Tokens != 4 {
		t.Errorf("%+v", news)
	}
}

func TestRemoveResults(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b")
	a, b := e.draw(), e.draw()
	e.jobs.Remove(a)
	if len(e.jobs.Shots) != 2 || !e.jobs.Shots[0].Skipped {
		t.Error("the strip has not kept its place")
	}
	e.jobs.Remove(b)
	if e.jobs.Shots != nil {
		t.Error("an empty strip stays on the stage")
	}
}

func TestRemovedResultComesBack(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a")
	r := e.draw()
	back := e.jobs.Remove(r)
	if e.jobs.Shots != nil {
		t.Fatal("the stage is not empty")
	}
	back()
	if e.jobs.Single() != r {
		t.Error("it did not come back")
	}
	e.jobs.Remove(&Result{})()
	if e.jobs.Single() != r {
		t.Error("another result took its place")
	}
}

// About shows what was chosen, the times behind it, and what was refused.
func TestKernelRows(t *testing.T) {
	if rows := KernelRows(protocol.Kernels{}); rows != nil {
		t.Errorf("before a model is loaded it shows %v", rows)
	}
	rows := KernelRows(protocol.Kernels{Chosen: "auto"})
	if want := [][2]string{{"Kernels", "the first of each kind"}}; !slices.Equal(rows, want) {
		t.Errorf("without trials it shows %v, not %v", rows, want)
	}
	rows = KernelRows(protocol.Kernels{Chosen: "gpu,conv/large=early,linear=rolled", Trials: []protocol.Trial{
		{Key: "conv/large", Variant: "direct", Milliseconds: 2.5}, {Key: "conv/large", Variant: "early", Milliseconds: 1.256}, {Key: "groups", Variant: "512", Refused: "lost"},
	}})
	want := [][2]string{{"Kernels, as measured", "conv/large=early, linear=rolled"}, {"– conv/large", "direct 2.50 ms, early 1.26 ms"}, {"– groups", "512 is not used: lost"}}
	if !slices.Equal(rows, want) {
		t.Errorf("it shows %v, not %v", rows, want)
	}
}
