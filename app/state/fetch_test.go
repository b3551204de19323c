package state

import (
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// bundled is a catalogue with a bundle of a model, an adapter and what that needs.
var bundled = loader.Catalogue{
	Base: testCatalogue.Base, Licences: testCatalogue.Licences,
	Models: []loader.Entry{
		{ID: "sd15", Kind: "model", Name: "SD 1.5", Bytes: 2e9, Licence: "rail"},
		{ID: "plus", Kind: "ip_adapter", Name: "Plus", Needs: "clip", Bytes: 1e8, Licence: "apache"},
		{ID: "clip", Kind: "image_encoder", Name: "CLIP", Bytes: 2.5e9, Stored: 1.25e9, Licence: "apache"},
	},
	Bundles: []loader.Bundle{{ID: "all", Name: "SD 1.5 with image prompts", Records: []string{"sd15", "plus"}}},
}

func (f *fakeLibrary) storeBundled(items ...store.Item) {
	f.answer(0, protocol.Stored{Library: store.Library{Items: items, Used: 1e9, Granted: 9e9}, Catalogue: bundled})
}

func newBundled(t *testing.T, items ...store.Item) *fakeLibrary {
	f := newFakeLibrary(t)
	f.storeBundled(items...)
	return f
}

// needs says which record a stored one needs.
func needs(id string) func(*store.Item) { return func(i *store.Item) { i.Needs = id } }

// A first visit sees what a bundle takes without the library's worker.
func TestBundleOnAFirstVisit(t *testing.T) {
	f := newIdleLibrary(t)
	f.OfferCatalogue(bundled)
	f.Estimate = func(e loader.Entry, _ loader.Bundle) string { return "about 4 s a picture with " + e.Name }
	o := f.Bundles()[0]
	if o.Size != "4.60 GB to download, 3.35 GB on disk" {
		t.Errorf("it says %q", o.Size)
	}
	if len(f.sent) != 0 || f.line != nil || o.Accepted || len(o.Licences) != 1 || o.Licences[0].Name != "OpenRAIL" || o.Here || o.Begun || o.Busy || o.Estimate != "about 4 s a picture with SD 1.5" {
		t.Errorf("%+v", o)
	}
	if !slices.Equal(o.Parts, []string{"SD 1.5, 2.00 GB", "Plus, 100 MB", "CLIP, 2.50 GB"}) {
		t.Errorf("its parts are %q", o.Parts)
	}
	f.Accept("rail", true)
	if !f.Bundles()[0].Accepted {
		t.Error("the licence was accepted")
	}
}

// One press downloads all of it, with one bar, and its model is then used.
func TestBundle(t *testing.T) {
	f := newBundled(t)
	f.Fetch(f.Bundles()[0].Group)
	plan := f.last()
	if b, ok := plan.Body.(protocol.Plan); !ok || !slices.Equal(b.Records, []string{"sd15", "plus"}) || !f.Bundles()[0].Busy || f.persists != 1 {
		t.Fatalf("it asks %+v", plan)
	}
	f.answer(plan.ID, protocol.Planned{Records: []store.Record{record("sd15", "model", 2e9), record("plus", "ip_adapter", 1e8), record("clip", "image_encoder", 2.5e9)}})
	if !slices.Equal(f.downloads, []string{"clip", "plus", "sd15"}) {
		t.Fatalf("it downloads %q", f.downloads)
	}
	f.answer(plan.ID+1, protocol.Moved{Record: "sd15", Progress: store.Progress{Done: 1e9, Total: 2e9}, Speed: 1e8, Left: 10})
	o := f.Bundles()[0]
	if o.Progress != "1.00 GB of 4.60 GB · 100 MB/s · 36 s left" || o.Fraction < 0.21 || o.Fraction > 0.22 {
		t.Errorf("it says %q, %g", o.Progress, o.Fraction)
	}
	if text, fraction := f.Underway(); text != "SD 1.5 with image prompts, 22 %" || fraction != o.Fraction {
		t.Errorf("the header says %q", text)
	}
	// The bar does not go back when a part is here.
	sd15 := stored("sd15", "model", func(i *store.Item) { i.Files[0].Size = 2e9 })
	f.storeBundled(sd15)
	f.answer(plan.ID+1, protocol.Finished{Record: "sd15"})
	if o = f.Bundles()[0]; o.Fraction < 0.43 || o.Fraction > 0.44 || !o.Busy || f.Chosen.ID != "" {
		t.Errorf("%+v", o)
	}
	f.storeBundled(sd15, stored("plus", "ip_adapter"), stored("clip", "image_encoder"))
	if o = f.Bundles()[0]; f.Chosen.ID != "sd15" || !o.Here || o.Busy || f.Fetching != nil || !slices.Equal(f.arrived, []string{"SD 1.5 with image prompts"}) {
		t.Errorf("at the end: %+v, chosen %q, arrived %q", o, f.Chosen.ID, f.arrived)
	}
	if len(f.Panel().Bundles) != 0 {
		t.Error("what is here is still offered")
	}
}

// It goes on after a reload of the tab, and is offered to go on after it was stopped.
func TestBundleInterrupted(t *testing.T) {
	f := newBundled(t)
	g := f.Bundles()[0].Group
	f.Fetch(g)
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("sd15", "model", 2e9), record("clip", "image_encoder", 2.5e9)}})
	interrupted := f.downloads
	half := stored("sd15", "model", func(i *store.Item) { i.Complete, i.Done = false, 5e5 })
	next := newIdleLibrary(t)
	next.Fetching, next.Interrupted = &g, interrupted
	next.Show(true)
	next.answer(0, protocol.Started{})
	next.storeBundled(half)
	if _, ok := next.last().Body.(protocol.Plan); !ok || len(next.sent) != 1 {
		t.Fatalf("it sent %+v", next.sent)
	}
	next.StopFetch()
	next.answer(next.sent[0].ID, protocol.Stopped{})
	o := next.Bundles()[0]
	if o.Busy || !o.Begun || o.Here {
		t.Errorf("stopped: %+v", o)
	}
	next.answer(0, protocol.Stored{Library: store.Library{Items: []store.Item{half}, Used: 1e9, Granted: 2e9}, Catalogue: bundled})
	if o = next.Bundles()[0]; !strings.Contains(o.Full, "grants this page 1.00 GB more") {
		t.Errorf("without room: %+v", o)
	}
}

// What a picture lacks is fetched where that is said.
func TestLacks(t *testing.T) {
	s := settings.Default()
	s.Guides = append(s.Guides, &settings.IPAdapter{})
	f := newBundled(t, stored("sd15", "model", func(i *store.Item) { i.CrossDim = 768 }))
	if _, lacks := f.Lacks(s); lacks {
		t.Error("the model that ships lacks nothing")
	}
	f.Do(Use, "sd15")
	g, ok := f.Lacks(s)
	if !ok || g.Name != "Plus" || f.Offer(g).Size != "2.60 GB to download, 1.35 GB on disk" {
		t.Errorf("it lacks %+v, %+v", g, f.Offer(g))
	}
	f.storeBundled(stored("sd15", "model", func(i *store.Item) { i.CrossDim = 768 }), stored("plus", "ip_adapter", needs("clip")))
	if g, ok = f.Lacks(s); !ok || g.Name != "CLIP" {
		t.Errorf("with the adapter it lacks %+v", g)
	}
	f.Fetch(g)
	f.answer(f.last().ID, protocol.Planned{Records: []store.Record{record("clip", "image_encoder", 2.5e9)}})
	f.storeBundled(stored("sd15", "model", func(i *store.Item) { i.CrossDim = 768 }), stored("plus", "ip_adapter", needs("clip")), stored("clip", "image_encoder"))
	if _, ok = f.Lacks(s); ok || f.Chosen.ID != "sd15" || !slices.Equal(f.arrived, []string{"CLIP"}) {
		t.Errorf("chosen is %q, arrived %q", f.Chosen.ID, f.arrived)
	}
	// Another kind of model has no adapter in the catalogue.
	f.storeBundled(stored("sd15", "model", func(i *store.Item) { i.CrossDim = 1024 }))
	f.Do(Use, "sd15")
	f.Chosen.CrossDim = 1024
	if _, ok = f.Lacks(s); ok {
		t.Error("an adapter that does not fit is offered")
	}
}

func TestOfferShowsWhatComesWithIt(t *testing.T) {
	f := newBundled(t)
	if about := f.row("Plus").About; !strings.Contains(about, "with it comes the CLIP, about 2.50 GB") {
		t.Errorf("it says %q", about)
	}
}

// A bundle's LoRAs are used when it is here, with the settings that suit them.
func TestFastBundle(t *testing.T) {
	f := newFakeLibrary(t)
	fast := bundled
	fast.Models = append(slices.Clone(bundled.Models), loader.Entry{ID: "lcm", Kind: loader.KindLoRA, Name: "LCM-LoRA", Bytes: 1e8, Licence: "apache"})
	fast.Bundles = []loader.Bundle{{ID: "fast", Name: "Fast", Records: []string{"sd15", "lcm"}, Scheduler: "lcm", NumInferenceSteps: 6, GuidanceScale: 1.5}}
	put := func(items ...store.Item) {
		f.answer(0, protocol.Stored{Library: store.Library{Items: items, Used: 1e9, Granted: 9e9}, Catalogue: fast})
	}
	put(stored("sd15", "model"))
	o := f.Bundles()[0]
	if o.Size != "100 MB to download, 100 MB on disk" {
		t.Errorf("it takes %q", o.Size)
	}
	f.Fetch(o.Group)
	f.answer(f.last().ID, protocol.Planned{Records: nil})
	put(stored("sd15", "model"), stored("lcm", loader.KindLoRA))
	if f.Chosen.ID != "sd15" || !slices.Equal(f.used, []string{"lcm"}) {
		t.Errorf("chosen is %q, with %q", f.Chosen.ID, f.used)
	}
	c := NewComposer()
	c.Suit(o.Group, f.Library)
	if s := c.Settings; s.Scheduler != "lcm" || s.NumInferenceSteps != 6 || s.GuidanceScale != 1.5 {
		t.Errorf("%+v", s)
	}
	before := c.Settings.Scheduler
	c.Suit(Group{ID: "all"}, f.Library)
	if c.Settings.Scheduler != before {
		t.Error("a bundle that says nothing changes nothing")
	}
}
