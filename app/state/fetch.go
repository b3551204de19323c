package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/model/scheduler"
)

// Group is what is downloaded together with one press: a bundle of the catalogue, or what a picture lacks.
type Group struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Records []string `json:"records"` // ids of the catalogue; what they need comes with them
}

// has reports whether a record belongs to the group.
func (g *Group) has(c loader.Catalogue, record string) bool {
	return slices.ContainsFunc(c.With(g.Records...), func(e loader.Entry) bool { return e.ID == record })
}

// Offer is how a Group is shown.
type Offer struct {
	Group
	About    string
	Parts    []string // what is still to come, a line each
	Size     string   // how much there is to download, and to be stored
	Estimate string   // what a picture would take; "" where that is not known
	Licences []OfferedLicence
	Accepted bool   // all of Licences
	Full     string // why there is no room for it, or ""
	Problem  Problem
	Here     bool    // all of it
	Begun    bool    // some of it is here
	Busy     bool    // it is on its way
	Fraction float64 // that is here
	Progress string
}

// OfferedLicence is a licence that must be accepted.
type OfferedLicence struct {
	ID string
	loader.Licence
	Accepted bool
}

// OfferCatalogue takes the catalogue, before the library's worker runs, which a first visit may never need.
func (l *Library) OfferCatalogue(c loader.Catalogue) {
	if !l.Ready {
		l.catalogue = c
	}
}

// Bundles lists what the catalogue offers to download together.
func (l *Library) Bundles() (list []Offer) {
	for _, b := range l.catalogue.Bundles {
		o := l.Offer(Group{ID: b.ID, Name: texts.Translate(b.Name), Records: b.Records})
		o.About = texts.Translate(b.About)
		list = append(list, o)
	}
	return list
}

// Offer says what a group would take, or how far it is.
func (l *Library) Offer(g Group) Offer {
	o := Offer{Group: g, Accepted: true, Here: true}
	t := l.tally(g)
	for _, e := range t.missing {
		o.Here = false
		o.Parts = append(o.Parts, e.Name+", "+texts.Bytes(e.Bytes))
		if licence := l.catalogue.Licences[e.Licence]; licence.Accept && !slices.ContainsFunc(o.Licences, func(o OfferedLicence) bool { return o.ID == e.Licence }) {
			o.Licences = append(o.Licences, OfferedLicence{e.Licence, licence, l.Accepted[e.Licence]})
			o.Accepted = o.Accepted && l.Accepted[e.Licence]
		}
		if note := l.notes[e.ID]; note.Text != "" {
			o.Problem = note
		}
		if l.Estimate != nil && e.Kind == loader.KindModel {
			o.Estimate = l.Estimate(e, l.catalogue.Bundle(g.ID))
		}
	}
	o.Begun = t.done > 0 && !o.Here
	o.Size = texts.F("%s to download, %s on disk", texts.Bytes(max(0, t.bytes-t.done)), texts.Bytes(t.space))
	if room := l.stored.Granted - l.stored.Used; l.stored.Granted > 0 && t.space > room && !o.Here {
		o.Full = texts.F("The browser grants this page %s more: delete a model here, or free space on the disk.", texts.Bytes(max(0, room)))
	}
	if t.bytes > 0 {
		o.Fraction = min(1, float64(t.done)/float64(t.bytes))
	}
	if l.Fetching != nil && l.Fetching.ID == g.ID {
		if note := l.notes[fetchRecord]; note.Text != "" {
			o.Problem = note
		}
		o.Busy = l.tasks[fetchRecord] != nil || t.loading
		o.Progress = t.text()
	}
	return o
}

// tally is how much of a group is here.
type tally struct {
	missing     []loader.Entry
	bytes, done int64 // of what was missing when the group was begun with
	space       int64 // that the rest will take
	loading     bool  // something of it is on its way
	speed       float64
}

func (l *Library) tally(g Group) (t tally) {
	for _, e := range l.catalogue.With(g.Records...) {
		item := find(l.stored, e.ID)
		bytes, done := e.Bytes, int64(0)
		if item != nil {
			bytes, done = max(item.Bytes(), 1), item.Done
		}
		if task := l.tasks[e.ID]; task != nil && task.kind == "download" {
			t.loading = true
			t.speed += task.speed
			done = max(done, task.progress.Done)
			if task.progress.Total > 0 {
				bytes = task.progress.Total
			}
		}
		if item != nil && item.Complete {
			// It counts as long as the others are on their way, so that the bar does not go back.
			if l.Fetching != nil && l.Fetching.ID == g.ID {
				t.bytes, t.done = t.bytes+bytes, t.done+bytes
			}
			continue
		}
		t.missing = append(t.missing, e)
		t.bytes, t.done = t.bytes+bytes, t.done+done
		space := e.Bytes
		if e.Stored > 0 {
			space = e.Stored
		}
		if item != nil {
			space -= item.Space
		}
		t.space += max(0, space)
	}
	return t
}

func (t tally) text() string {
	text := texts.F("%s of %s", texts.Bytes(t.done), texts.Bytes(t.bytes))
	if t.speed > 0 && t.done < t.bytes {
		text += " · " + texts.F("%s/s · %s left", texts.Bytes(int64(t.speed)), Seconds(float64(t.bytes-t.done)/t.speed))
	}
	return text
}

// Fetch downloads a group, or goes on with it.
func (l *Library) Fetch(g Group) {
	for _, e := range l.catalogue.With(g.Records...) {
		l.going[e.ID].Back() // what was deleted a moment ago is still here
		delete(l.notes, e.ID)
	}
	l.setFetching(&g)
	if l.Persists == "" {
		l.outside.PersistStorage()
	}
	l.begin(protocol.Plan{Records: g.Records, Base: l.Base}, "fetch", fetchRecord, store.Progress{})
}

// fetch begins the downloads that were planned for the group.
func (l *Library) fetch(records []store.Record) {
	if l.Fetching == nil { // it was stopped meanwhile
		return
	}
	if o := l.Offer(*l.Fetching); o.Full != "" {
		l.notes[fetchRecord] = problem(o.Full, Remedy{Mend: MakeRoom})
		return
	}
	for _, r := range records {
		l.begin(protocol.Download{Record: r.ID}, "download", r.ID, store.Progress{Total: r.Bytes()})
	}
	l.arrive()
}

// StopFetch pauses the downloads of the group. What is here stays.
func (l *Library) StopFetch() {
	if l.Fetching == nil {
		return
	}
	if t := l.tasks[fetchRecord]; t != nil {
		l.line.Cancel(t.id)
	}
	for _, e := range l.catalogue.With(l.Fetching.Records...) {
		if t := l.tasks[e.ID]; t != nil && t.kind == "download" {
			l.line.Cancel(t.id)
		}
	}
	l.setFetching(nil)
}

// arrive uses the group's model once all of it is here.
func (l *Library) arrive() {
	if l.Fetching == nil || len(l.catalogue.With(l.Fetching.Records...)) == 0 || len(l.tally(*l.Fetching).missing) > 0 {
		return
	}
	g := *l.Fetching
	l.setFetching(nil)
	for _, e := range l.catalogue.With(g.Records...) {
		if e.Kind == loader.KindModel {
			l.Choose(e.ID)
			break
		}
	}
	for _, e := range l.catalogue.With(g.Records...) {
		if e.Kind == loader.KindLoRA {
			l.outside.Use(e.Kind, e.ID)
		}
	}
	l.outside.Arrived(g)
}

func (l *Library) setFetching(g *Group) {
	l.Fetching = g
	l.outside.Remember("fetch", g)
}

// Suit takes over what suits a group, if it is a bundle that says so.
func (c *Composer) Suit(g Group, l *Library) {
	b := l.catalogue.Bundle(g.ID)
	if _, known := scheduler.Find(b.Scheduler); known {
		c.Settings.Scheduler = b.Scheduler
	}
	if b.NumInferenceSteps > 0 {
		c.Settings.NumInferenceSteps = b.NumInferenceSteps
	}
	if b.GuidanceScale > 0 {
		c.Settings.GuidanceScale = b.GuidanceScale
	}
}

// Lacks returns what the chosen model lacks for a request, if the catalogue has it.
func (l *Library) Lacks(s settings.Settings) (g Group, ok bool) {
	if v, ok := l.VAEOf(s); ok && !v.Here {
		return v.Group(), true
	}
	if _, id := l.structureProblem(s); id != "" {
		e, known := l.catalogue.Entry(id)
		return Group{ID: "lacks", Name: e.Name, Records: []string{id}}, known
	}
	return l.promptsLack(s)
}

// LacksFor returns what the chosen model lacks for image prompts, if the catalogue has it.
func (l *Library) LacksFor(prompts []*ImagePrompt) (g Group, ok bool) {
	var s settings.Settings
	for i, im := range prompts {
		s.Guides = append(s.Guides, im.guide(i+1, map[string]Input{}))
	}
	return l.promptsLack(s)
}

func (l *Library) promptsLack(s settings.Settings) (g Group, ok bool) {
	if len(s.IPAdapters()) == 0 || l.Chosen.ID == "" {
		return g, false
	}
	if len(l.Adapters()) > 0 {
		if !encodes(s) {
			return g, false
		}
		for _, a := range whole(l.stored, loader.KindIPAdapter) {
			if e, known := l.catalogue.Entry(a.Needs); known && find(l.stored, e.ID) == nil {
				return Group{ID: "lacks", Name: e.Name, Records: []string{e.ID}}, true
			}
		}
		return g, false
	}
	for _, e := range l.catalogue.Models {
		if e.Kind == loader.KindIPAdapter && (l.Chosen.CrossDim == 0 || l.Chosen.CrossDim == catalogueDim) {
			return Group{ID: "lacks", Name: e.Name, Records: []string{e.ID}}, true
		}
	}
	return g, false
}

// catalogueDim is the cross_attention_dim of Stable Diffusion 1.5, for which the adapters of the catalogue are.
const catalogueDim = 768

// Underway says how far the downloads are; "" where there is none.
func (l *Library) Underway() (text string, fraction float64) {
	if l.Fetching != nil {
		if o := l.Offer(*l.Fetching); o.Busy {
			return l.Fetching.Name + ", " + texts.Percent(o.Fraction), o.Fraction
		}
	}
	var done, total int64
	for _, t := range l.tasks {
		if t.kind == "download" || t.kind == "import" {
			done, total = done+t.progress.Done, total+t.progress.Total
		}
	}
	if total == 0 {
		return "", 0
	}
	fraction = float64(done) / float64(total)
	return texts.F("Downloading, %s", texts.Percent(fraction)), fraction
}
