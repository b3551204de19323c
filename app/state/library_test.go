package state

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// fakeLibrary is a library with a worker and a page that a test plays.
type fakeLibrary struct {
	*Library
	t          *testing.T
	sent       []protocol.Message
	chosen     []string
	used       []string
	deleted    int
	persists   int
	remembered map[string]any
	downloads  []string
	later      []func()
	undo       *Undo
	arrived    []string
}

func (f *fakeLibrary) StartLibrary() {
	if f.line == nil {
		f.Connect(protocol.NewLine(func(m protocol.Message) { f.sent = append(f.sent, m) }))
	}
}
func (f *fakeLibrary) Use(_ loader.Kind, id string)     { f.used = append(f.used, id) }
func (f *fakeLibrary) ModelChosen(c Choice)             { f.chosen = append(f.chosen, c.ID) }
func (f *fakeLibrary) RecordDeleted()                   { f.deleted++ }
func (f *fakeLibrary) PersistStorage()                  { f.persists++ }
func (f *fakeLibrary) RememberDownloads(r []string)     { f.downloads = r }
func (f *fakeLibrary) Arrived(g Group)                  { f.arrived = append(f.arrived, g.Name) }
func (f *fakeLibrary) Later(_ time.Duration, do func()) { f.later = append(f.later, do) }
func (f *fakeLibrary) Remember(key string, value any)   { f.remembered[key] = value }

var testCatalogue = loader.Catalogue{
	Base:     "https://hub",
	Licences: map[string]loader.Licence{"rail": {Name: "OpenRAIL", URL: "https://rail", Accept: true}, "apache": {Name: "Apache 2.0"}},
	Models: []loader.Entry{
		{ID: "sd15", Kind: "model", Name: "SD 1.5", Source: "owner/sd15", Bytes: 2e9, Licence: "rail"},
		{ID: "plus", Kind: "ip_adapter", Name: "Plus", Source: "owner/plus", Needs: "clip", Bytes: 1e8, Licence: "apache", About: "Finer."},
	},
}

func record(id string, kind loader.Kind, bytes int64) store.Record {
	return store.Record{ID: id, Kind: kind, Name: id, Source: "owner/" + id, Files: []store.Remote{{URL: "https://hub/" + id, Size: bytes}}}
}

func stored(id string, kind loader.Kind, change ...func(*store.Item)) store.Item {
	item := store.Item{Record: record(id, kind, 1e6), Done: 1e6, Space: 1e6}
	item.Complete = true
	for _, c := range change {
		c(&item)
	}
	return item
}

// newIdleLibrary returns a library whose worker has not been started.
func newIdleLibrary(t *testing.T) *fakeLibrary {
	f := &fakeLibrary{t: t, remembered: map[string]any{}, undo: &Undo{}}
	f.Library = NewLibrary(f, f.undo)
	return f
}

// newFakeLibrary returns a library whose worker runs, with these items stored.
func newFakeLibrary(t *testing.T, items ...store.Item) *fakeLibrary {
	f := newIdleLibrary(t)
	f.Show(true)
	f.answer(0, protocol.Started{})
	f.store(items...)
	return f
}

func (f *fakeLibrary) answer(id int, body protocol.Body) {
	f.Receive(protocol.Message{ID: id, Body: body})
}

func (f *fakeLibrary) store(items ...store.Item) {
	f.answer(0, protocol.Stored{Library: store.Library{Items: items, Used: 1e9, Granted: 5e9}, Catalogue: testCatalogue})
}

func (f *fakeLibrary) last() protocol.Message {
	f.t.Helper()
	if len(f.sent) == 0 {
		f.t.Fatal("nothing was sent")
	}
	return f.sent[len(f.sent)-1]
}

func (f *fakeLibrary) row(name string) Row {
	f.t.Helper()
	p := f.Panel()
	for _, r := range slices.Concat(p.Stored, p.Offers) {
		if r.Name == name {
			return r
		}
	}
	f.t.Fatalf("%s is not in the panel", name)
	return Row{}
}

func labelsOf(buttons []Button) string {
	var list []string
	for _, b := range buttons {
		list = append(list, b.Text)
	}
	return strings.Join(list, ", ")
}

// What is asked before the worker's program runs reaches it when it does. The panel used to say "Asking what there is
// to download" for ever.
func TestPlanBeforeTheWorkerRuns(t *testing.T) {
	f := newIdleLibrary(t)
	f.Library.Link = "owner/model"
	f.LookAtLink()
	if len(f.sent) != 0 || !(drawing{f.Library}).link().Asking {
		t.Fatalf("%d messages were sent", len(f.sent))
	}
	f.answer(0, protocol.Started{})
	if m := f.last(); !reflect.DeepEqual(m.Body, protocol.Plan{Link: "owner/model"}) {
		t.Fatalf("%+v was sent", m)
	}
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("owner/model", "model", 5e6)}})
	want := LinkPart{Link: "owner/model", Found: "Model owner/model. Its publisher says under which licence it comes.",
		Plan: &PlanPart{Record: "link", Name: "owner/model", Text: "1 file, 5.0 MB to download; 5.0 MB when stored.", Accepted: true}}
	if got := (drawing{f.Library}).link(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestDownload(t *testing.T) {
	f := newFakeLibrary(t)
	if r := f.row("SD 1.5"); r.About != "Model · about 2.00 GB · OpenRAIL" || labelsOf(r.Buttons) != "Download" || r.Buttons[0].Label != "Download SD 1.5" {
		t.Errorf("%+v", r)
	}
	f.Do(PlanDownload, "sd15")
	if r := f.row("SD 1.5"); r.Task == nil || r.Task.Text != "Asking what there is to download" || len(r.Buttons) != 0 {
		t.Errorf("%+v", r)
	}
	sd := record("sd15", "model", 2e9)
	sd.Licence = "rail"
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{sd, record("clip", "image_encoder", 1e9)}})
	p := f.row("SD 1.5").Plan
	if p == nil || p.Text != "sd15, 2.00 GB. clip, 1.00 GB. 2 files, 3.00 GB to download; 3.00 GB when stored." || p.LicenceID != "rail" || p.Accepted || p.Full != "" {
		t.Fatalf("%+v", p)
	}
	f.Accept("rail", true)
	if !f.row("SD 1.5").Plan.Accepted || !f.remembered["licences"].(map[string]bool)["rail"] {
		t.Error("the licence is not accepted")
	}
	f.Do(StartDownload, "sd15")
	if f.persists != 1 {
		t.Error("the browser was not asked to keep it")
	}
	clip := f.last()
	if clip.Body != (protocol.Download{Record: "clip"}) {
		t.Fatalf("%+v", clip)
	}
	id := f.sent[len(f.sent)-2].ID
	f.answer(clip.ID, protocol.Moved{Record: "clip", Progress: store.Progress{Queued: true, Total: 1e9}})
	f.store(stored("sd15", "model", func(i *store.Item) { i.Complete = false }))
	f.answer(id, protocol.Moved{Record: "sd15", Speed: 1e7, Left: 100, Progress: store.Progress{Done: 1e9, Total: 2e9,
		Files: []store.FileProgress{{Name: "unet", Done: 1, Total: 2}, {Name: "vae", Done: 0, Total: 5e6}}}})
	r := f.row("sd15")
	want := &TaskLine{Label: "Progress of sd15", Fraction: 0.5, Text: "1.00 GB of 2.00 GB · 10.0 MB/s · 2 min left", Files: []string{"unet: 0 kB of 0 kB", "vae: 0 kB of 5.0 MB"}}
	if !reflect.DeepEqual(r.Task, want) || labelsOf(r.Buttons) != "Pause" {
		t.Errorf("%+v %s", r.Task, labelsOf(r.Buttons))
	}
	// Pause names the request; the row waits for the answer.
	f.Do(Pause, "sd15")
	if m := f.last(); m.Body != (protocol.Cancel{Of: id}) {
		t.Fatalf("%+v", m)
	}
	f.answer(id, protocol.Stopped{})
	if r := f.row("sd15"); r.Task != nil || labelsOf(r.Buttons) != "Resume, Delete" {
		t.Errorf("%+v", r)
	}
	f.Do(Resume, "sd15")
	f.store(stored("sd15", "model"))
	f.answer(f.last().ID, protocol.Finished{Record: "sd15"})
	if r := f.row("sd15"); r.Task != nil || labelsOf(r.Buttons) != "Use, Verify, Delete" {
		t.Errorf("%+v", r)
	}
}

func TestNoRoom(t *testing.T) {
	f := newFakeLibrary(t)
	f.Do(PlanDownload, "sd15")
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("sd15", "model", 6e9)}})
	if p := f.row("SD 1.5").Plan; !strings.Contains(p.Full, "grants this page 4.00 GB more") {
		t.Errorf("%+v", p)
	}
	f.Do(CancelPlan, "sd15")
	if f.row("SD 1.5").Plan != nil {
		t.Error("the plan is still there")
	}
}

func TestVerifyAndDelete(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"))
	f.Do(Use, "sd15")
	if f.Chosen.ID != "sd15" || !f.row("sd15").InUse || !slices.Equal(f.chosen, []string{"sd15"}) || f.remembered["model"] != f.Chosen {
		t.Fatalf("%+v", f.Chosen)
	}
	f.Do(Verify, "sd15")
	if r := f.row("sd15"); labelsOf(r.Buttons) != "Stop verifying" || !strings.HasPrefix(r.Task.Text, "Verifying, ") {
		t.Errorf("%+v", r)
	}
	f.answer(f.last().ID, protocol.Finished{Record: "sd15"})
	if r := f.row("sd15"); !strings.HasPrefix(r.Problem.Text, "Verified") {
		t.Errorf("%+v", r)
	}
	if r := f.row("sd15"); !strings.Contains(r.About, "not compared with a checksum") || strings.Contains(r.Problem.Text, "released") {
		t.Errorf("its publisher tells no checksum: %+v", r)
	}
	f.store(stored("sd15", "model", func(i *store.Item) { i.Released = true }))
	f.Do(Verify, "sd15")
	f.answer(f.last().ID, protocol.Finished{Record: "sd15"})
	if r := f.row("sd15"); strings.Contains(r.About, "checksum") || !strings.Contains(r.Problem.Text, "is what its publisher released") {
		t.Errorf("its publisher tells a checksum: %+v", r)
	}
	f.Do(Delete, "sd15")
	if f.Chosen.ID != "" || f.deleted != 0 {
		t.Error("what is being deleted is still in use")
	}
	f.Do(DeleteNow, "sd15")
	id := f.last().ID
	f.store()
	f.answer(id, protocol.Finished{Record: "sd15"})
	if f.deleted != 1 || f.row("SD 1.5").Problem.Text != "" {
		t.Errorf("%d deleted, %+v", f.deleted, f.row("SD 1.5"))
	}
}

// What another tab deletes is not used here any more.
func TestDeletedElsewhere(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"))
	f.Do(Use, "sd15")
	f.store()
	if f.Chosen.ID != "" {
		t.Errorf("%+v", f.Chosen)
	}
}

func TestFailures(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"))
	f.Do(Verify, "sd15")
	f.answer(f.last().ID, protocol.Failed{Message: "a byte differs"})
	if r := f.row("sd15"); r.Problem.Text != "a byte differs" || r.Task != nil {
		t.Errorf("%+v", r)
	}
	f.ImportFile("a file")
	f.answer(f.last().ID, protocol.Failed{Message: "it is a pickle"})
	if p := f.Panel(); p.Problem.Text != "it is a pickle" {
		t.Errorf("%q", p.Problem.Text)
	}
	f.Died("out of memory")
	if p := f.Panel(); !strings.Contains(p.Problem.Text, "has stopped (out of memory)") {
		t.Errorf("%q", p.Problem.Text)
	}
}

// A worker that could not open the store is asked again when the panel is opened again.
func TestStartAgain(t *testing.T) {
	f := newIdleLibrary(t)
	f.Show(true)
	f.answer(0, protocol.Started{})
	f.answer(0, protocol.Failed{Message: "catalogue.json is missing"})
	if p := f.Panel(); !p.Loading || p.Problem.Text != "catalogue.json is missing" {
		t.Errorf("%+v", p)
	}
	f.Show(false)
	f.Show(true)
	if m := f.last(); m.Body != (protocol.List{}) {
		t.Fatalf("%+v", m)
	}
	f.store()
	f.answer(f.last().ID, protocol.Finished{})
	if p := f.Panel(); p.Loading || p.Problem.Text != "" {
		t.Errorf("%+v", p)
	}
}

func TestDroppedFile(t *testing.T) {
	f := newFakeLibrary(t)
	f.Drop(DroppedFile{Name: "a.safetensors", File: "a file", Handle: "a handle"})
	if p := f.Panel().File; p.Dropped != "a.safetensors" || labelsOf(p.Buttons) != "Keep a copy in the browser, Use it without copying, Not now" {
		t.Errorf("%+v", p)
	}
	f.Do(CopyDropped, "")
	id := f.last().ID
	if m := f.last(); m.Body != (protocol.Import{}) || m.Beside["file"] != "a file" || f.Dropped != nil {
		t.Fatalf("%+v", m)
	}
	f.answer(id, protocol.Moved{Record: "a.safetensors", Progress: store.Progress{Done: 1, Total: 2}})
	if tasks := f.Panel().File.Tasks; len(tasks) != 1 || tasks[0].Fraction != 0.5 {
		t.Errorf("%+v", tasks)
	}
	f.store(stored("a.safetensors", "model"))
	f.answer(id, protocol.Finished{Record: "a.safetensors"})
	if f.Chosen.ID != "a.safetensors" || len(f.Panel().File.Tasks) != 0 {
		t.Errorf("%+v", f.Chosen)
	}
}

func TestAdaptersThatFit(t *testing.T) {
	dim := func(n int) func(*store.Item) { return func(i *store.Item) { i.CrossDim = n } }
	f := newFakeLibrary(t, stored("sd15", "model", dim(768)), stored("xl", "ip_adapter", dim(2048)), stored("plus", "ip_adapter", dim(768), func(i *store.Item) { i.Needs = "clip" }),
		stored("other", "image_encoder"), stored("clip", "image_encoder"))
	if got := f.Adapters(); !reflect.DeepEqual(got, ShippedAdapters()) {
		t.Errorf("%+v", got)
	}
	f.Choose("sd15")
	if got, want := f.Adapters(), []Adapter{{ID: "plus", Name: "plus", Encoder: "clip"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if f.Choose("plus") || f.Choose("nothing") || f.Chosen.ID != "sd15" {
		t.Error("what is no model was chosen")
	}
	if text := f.Restore(settings.Settings{Model: "gone"}); !strings.Contains(text, "the model gone") || f.Chosen.ID != "sd15" {
		t.Error(text)
	}
	foreign, err := settings.Parse("a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, RNG: CPU")
	if text := f.Restore(foreign); err != nil || text != "" || f.Chosen.ID != "sd15" {
		t.Errorf("another program's settings name no model and chose %q: %v, %s", f.Chosen.ID, err, text)
	}
	if text := f.Restore(settings.Settings{}); text != "" || f.Chosen.ID != "" {
		t.Error(text)
	}
}

func TestWhatTheModelLacks(t *testing.T) {
	prompted := settings.Settings{Guides: settings.Guides{&settings.IPAdapter{}}}
	for _, c := range []struct {
		name   string
		stored []store.Item
		s      settings.Settings
		want   string
	}{
		{"words", nil, settings.Settings{}, ""},
		{"no adapter", nil, prompted, "needs an IP-Adapter that fits m"},
		{"no encoder", []store.Item{stored("a", "ip_adapter")}, prompted, "needs the CLIP image encoder"},
		{"both", []store.Item{stored("a", "ip_adapter"), stored("e", "image_encoder")}, prompted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeLibrary(t, append(c.stored, stored("m", "model"))...)
			f.Choose("m")
			if got := f.Problem(c.s).Text; !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("%q", got)
			}
		})
	}
	f := newFakeLibrary(t, stored("inpaint", "model", func(i *store.Item) { i.InChannels = 9 }))
	f.Choose("inpaint")
	for want, s := range map[string]settings.Settings{"add a start picture": {}, "open \"Repaint a part\"": {InitImage: "a"}, "": {InitImage: "a", Mask: "b"}} {
		if got := f.Problem(s).Text; !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A model is offered for choice before the worker has told what is stored, if it was chosen before.
func TestRememberedModel(t *testing.T) {
	f := newIdleLibrary(t)
	f.Chosen = Choice{ID: "sd15", Name: "SD 1.5"}
	if got := f.Models(); !reflect.DeepEqual(got, []Choice{f.Chosen}) || f.Chosen.TrainedFor() != 512 {
		t.Errorf("%+v", got)
	}
}

func TestHandles(t *testing.T) {
	f := newFakeLibrary(t)
	f.Receive(protocol.Message{Body: protocol.Stored{Library: store.Library{Items: []store.Item{stored("m", "model", func(i *store.Item) { i.Handle = true })}}}, Beside: map[string]any{"m": "a handle", "x": "another"}})
	f.Choose("m")
	if got := f.Handles(settings.Settings{Model: "m"}); !reflect.DeepEqual(got, []any{"a handle"}) {
		t.Errorf("%v", got)
	}
	if r := f.row("m"); r.About != "Model · used from your disk, not copied" || labelsOf(r.Buttons) != "Forget" {
		t.Errorf("%+v", r)
	}
}

// A download goes on by itself after a reload, unless it was paused, was finished, or is gone.
func TestInterruptedDownloads(t *testing.T) {
	part := func(item *store.Item) { item.Complete, item.Done = false, 1e5 }
	f := newFakeLibrary(t, stored("a", "model", part), stored("b", "model", part))
	f.Do(Resume, "a")
	a := f.last().ID
	f.Do(Resume, "b")
	if !slices.Equal(f.downloads, []string{"a", "b"}) {
		t.Errorf("remembered: %v", f.downloads)
	}
	f.answer(a, protocol.Stopped{})
	if !slices.Equal(f.downloads, []string{"b"}) {
		t.Errorf("remembered after a pause: %v", f.downloads)
	}
	next := newIdleLibrary(t)
	next.Interrupted = []string{"b", "gone", "whole"}
	next.StartLibrary()
	next.answer(0, protocol.Started{})
	next.store(stored("b", "model", part), stored("whole", "model"))
	if len(next.sent) != 1 || next.sent[0].Body != (protocol.Download{Record: "b"}) {
		t.Errorf("sent: %+v", next.sent)
	}
	next.store(stored("b", "model", part))
	if len(next.sent) != 1 {
		t.Error("it was begun twice")
	}
}

// What a download waits for, and that it began anew, is shown beside its progress.
func TestDownloadNotes(t *testing.T) {
	part := func(item *store.Item) { item.Complete, item.Done = false, 1e5 }
	f := newFakeLibrary(t, stored("a", "model", part))
	f.Do(Resume, "a")
	f.answer(f.last().ID, protocol.Moved{Record: "a", Progress: store.Progress{Done: 1, Total: 1e6, Note: "The server asks to wait: it goes on in 7 s", Anew: true}, Speed: 5, Left: 5})
	if text := f.row("a").Task.Text; !strings.Contains(text, "goes on in 7 s") || !strings.Contains(text, "downloaded anew") || strings.Contains(text, "/s") {
		t.Errorf("%q", text)
	}
}
