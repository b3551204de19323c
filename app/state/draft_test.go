package state

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

// fakeDrafts is what a browser keeps for a tab.
type fakeDrafts struct {
	text  string
	files map[string]any
	sets  int // how often the files were set
}

func (f *fakeDrafts) Text() string              { return f.text }
func (f *fakeDrafts) SetText(text string) error { f.text = text; return nil }
func (f *fakeDrafts) File(id string) (any, error) {
	if f.files[id] == nil {
		return nil, errors.New("gone")
	}
	return f.files[id], nil
}
func (f *fakeDrafts) SetFiles(files map[string]any) error {
	f.files = maps.Clone(files)
	f.sets++
	return nil
}

// visit is a page that has taken up what the one before left.
type visit struct {
	*fakeEngine
	composer *Composer
	drafter  *Drafter
	gallery  *Gallery
}

func newVisit(t *testing.T, drafts *fakeDrafts) (*visit, Unfinished) {
	v := &visit{fakeEngine: newFakeEngine(t), composer: NewComposer(), gallery: &Gallery{}}
	v.drafter = NewDrafter(v.composer, v.jobs, drafts)
	v.drafter.page = fmt.Sprint("page", drafts.sets) // no two pages begin at the same time
	return v, v.drafter.Take(v.drafter.Open(fakeBrowser{}), v.gallery)
}

func (v *visit) save() {
	v.t.Helper()
	files, err := v.drafter.Save()
	if err == nil && files != nil {
		err = files()
	}
	if err != nil {
		v.t.Fatal(err)
	}
}

func named(name string) *Picture {
	return &Picture{Name: name, Width: 300, Height: 100, Bytes: "bytes of " + name}
}

func TestDraftOutlivesThePage(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	c := v.composer
	c.Settings.Prompt, c.Settings.NegativePrompt, c.Settings.NumInferenceSteps = "a fox", "blur", 33
	c.SetSeed(42)
	c.AddPrompt(NewImagePrompt(named("a.png")))
	c.AddPrompt(NewImagePrompt(named("b.png")))
	c.Prompts[0].Scale, c.Prompts[0].Adapter = 0.3, "plus"
	c.Prompts[0].Crop.ZoomTo(2)
	c.Prompts[1].Mask = Mask{Base: &Base{"bitmap of png of a mask", "png of a mask"}}
	c.Prompts[1].Mask.Begin([2]float64{0.25, 0.5})
	c.Prompts[1].Mask.Cursor = [2]float64{} // where the brush is does not matter
	c.AddMore(c.Prompts[0], named("more.png"))
	c.Prompts[0].More[0].Crop.ZoomTo(3)
	c.Prompts[0].Combine, c.Prompts[1].Tiled = settings.CombineAverage, settings.TiledMasked
	c.SetUnlike(c.Prompts[0], named("unlike.png"))
	c.AddPrompt(NewKept("kept.safetensors", "bytes of embeddings"))
	c.SetStart(named("start.png"))
	c.StartMask.All()
	v.save()
	again, left := newVisit(t, drafts)
	if len(left.Jobs) != 0 {
		t.Error("nothing was under way")
	}
	if !reflect.DeepEqual(again.composer, c) {
		t.Errorf("it came back as\n%+v, not\n%+v", again.composer, c)
	}
	// The next page still has it, although nothing was changed.
	again.save()
	third, _ := newVisit(t, drafts)
	if !reflect.DeepEqual(third.composer, c) {
		t.Error("it did not come back a second time")
	}
}

// Pictures are stored when they come and go, not with every change.
func TestDraftStoresPicturesOnce(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.composer.AddPrompt(NewImagePrompt(named("a.png")))
	v.save()
	for _, words := range []string{"a", "a f", "a fox"} {
		v.composer.Settings.Prompt = words
		v.save()
	}
	if drafts.sets != 1 || len(drafts.files) != 1 || !strings.Contains(drafts.text, "a fox") {
		t.Errorf("%d times, %v", drafts.sets, drafts.files)
	}
	v.composer.AddPrompt(NewImagePrompt(named("b.png")))
	v.save()
	v.composer.RemovePrompt(v.composer.Prompts[0])
	v.save()
	if got := slices.Collect(maps.Values(drafts.files)); drafts.sets != 3 || len(got) != 1 || got[0] != "bytes of b.png" {
		t.Errorf("%d times, %v", drafts.sets, drafts.files)
	}
}

// A page that has not yet read what was left must not write over it.
func TestDraftIsNotOverwrittenUnread(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.composer.Settings.Prompt = "a fox"
	v.save()
	left := drafts.text
	unread := NewDrafter(NewComposer(), &Jobs{}, drafts)
	if files, err := unread.Save(); files != nil || err != nil || drafts.text != left {
		t.Error("it was overwritten")
	}
}

func TestDraftWithoutSomeOfIt(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.composer.Settings.Prompt = "a fox"
	v.composer.AddPrompt(NewImagePrompt(named("a.png")))
	v.composer.AddPrompt(NewImagePrompt(named("b.png")))
	v.save()
	delete(drafts.files, v.drafter.ids[v.composer.Prompts[0].Picture])
	again, _ := newVisit(t, drafts)
	if c := again.composer; c.Settings.Prompt != "a fox" || len(c.Prompts) != 1 || c.Prompts[0].Name != "b.png" {
		t.Errorf("it came back as %+v", c)
	}
	drafts.text = "{damaged"
	again, _ = newVisit(t, drafts)
	if !again.composer.Empty() {
		t.Error("a damaged draft is no draft")
	}
}

// What was added while the draft was read stays.
func TestDraftBesideWhatIsNew(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.composer.AddPrompt(NewImagePrompt(named("a.png")))
	v.save()
	c := NewComposer()
	d := NewDrafter(c, &Jobs{}, drafts)
	e := d.Open(fakeBrowser{})
	c.AddPrompt(NewImagePrompt(named("new.png")))
	d.Take(e, &Gallery{})
	if len(c.Prompts) != 2 || c.Prompts[1].Name != "new.png" {
		t.Errorf("%d image prompts", len(c.Prompts))
	}
}

// A strip that was cut short goes on where it was, beside the pictures that were ready.
func TestRequestIsTakenUpAgain(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.submit("λ = 0", "λ = 0.5", "λ = 1")
	first := v.draw()
	first.Key = 5
	v.save()
	again, left := newVisit(t, drafts)
	again.gallery.Restored([]*Result{first})
	left = again.drafter.Take(again.drafter.Open(fakeBrowser{}), again.gallery)
	if len(left.Jobs) != 2 || left.Jobs[0].Prompt != "λ = 0.5" || !left.Takeable() {
		t.Fatalf("left is %+v", left)
	}
	again.jobs.Resume(left)
	again.save()
	if !again.jobs.Busy() || again.jobs.At() != again.jobs.Shots[1] || again.jobs.Shots[0].Result != first || again.jobs.Shots.Left() != 2 {
		t.Errorf("the shots are %+v", again.jobs.Shots)
	}
	if r := again.draw(); r.Label != "λ = 0.5" || r.Inputs["1-fox.png"] != "a fox" {
		t.Errorf("the next is %+v", r)
	}
	// A second page went with it: it is offered, not begun.
	again.save()
	third, left := newVisit(t, drafts)
	if len(left.Jobs) != 1 || left.Takeable() {
		t.Errorf("after two pages it is begun without asking: %+v", left)
	}
	third.jobs.Resume(left)
	third.draw()
	third.save()
	if _, left = newVisit(t, drafts); len(left.Jobs) != 0 {
		t.Error("what is ready is begun again")
	}
}

// Of several pictures of one request, those that are ready are not drawn again, and the seeds go on.
func TestSeveralPicturesAreTakenUpAgain(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	s := settings.Default()
	s.Seed, s.NumImages = 10, 3
	v.jobs.Submit(Request{Labels: []string{"1 of 3", "2 of 3", "3 of 3"}, Jobs: []settings.Settings{s}}, nil)
	id := v.generate()
	v.answer(id, protocol.Progress{Stage: "denoise", Images: 3, Step: 1, Steps: 4})
	v.answer(id, protocol.Picture{})
	v.save()
	_, left := newVisit(t, drafts)
	if len(left.Jobs) != 1 || left.Jobs[0].Seed != 11 || left.Jobs[0].NumImages != 2 || len(left.Shots) != 3 || left.Shots.Left() != 2 {
		t.Errorf("left is %+v", left)
	}
}

// A request whose pictures are not there any more is given up.
func TestRequestWithoutItsPictures(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.submit("a")
	v.save()
	drafts.files = nil
	if _, left := newVisit(t, drafts); len(left.Jobs) != 0 {
		t.Error("it is begun without them")
	}
}

// What waited comes back in its order, and begins after what was under way or, without that, when the visitor says so.
func TestQueueIsTakenUpAgain(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	v.composer.Axes[0] = Axis{"steps", "1-3"}
	for _, p := range []string{"a", "b", "c"} {
		v.submit(p)
	}
	v.save()
	again, left := newVisit(t, drafts)
	if again.composer.Axes[0].Values != "1-3" || len(again.jobs.Queue()) != 2 || !again.jobs.Held() {
		t.Fatalf("%d wait", len(again.jobs.Queue()))
	}
	again.jobs.Resume(left)
	for _, want := range []string{"a", "b", "c"} {
		if r := again.draw(); r.Settings.Prompt != want || r.Inputs["1-fox.png"] != "a fox" {
			t.Errorf("%s comes as %+v", want, r)
		}
	}
}
