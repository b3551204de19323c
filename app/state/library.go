package state

import (
	"slices"
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// Library is which models there are: stored, to be downloaded, on their way, and chosen. A record is a model, an
// adapter or an image encoder. The work is done by the library's worker, through the line.
type Library struct {
	Chooser
	Open  bool   // the panel
	Ready bool   // the worker has told what is stored
	Link  string // what was typed as a link to a model
	Base  string // a mirror of the hub; "" is the hub itself
	// Dropped is a file of weights that waits for the visitor's word; nil for none.
	Dropped *DroppedFile
	// Persists is what the browser said when it was asked to keep what is stored; "" if it was not asked.
	Persists string
	// Accepted are the licences that the visitor has accepted, by their ids in the catalogue.
	Accepted map[string]bool

	// Interrupted are the records whose downloads a reload of this tab interrupted: they go on by themselves.
	Interrupted []string

	// Fetching is what is downloaded together, until all of it is here; nil for nothing. It is remembered over visits.
	Fetching *Group
	// Estimate says in words what a picture would take on this GPU with a model of the catalogue, as it suits a bundle;
	// "" where that is not known.
	Estimate func(loader.Entry, loader.Bundle) string
	// Deleted are the records that an earlier page was about to delete, and did not get to.
	Deleted []string

	line      *protocol.Line
	catalogue loader.Catalogue
	all       store.Library // what is stored, with what is about to be deleted
	going     map[string]*Step
	again     *Group // what is downloaded once it is deleted; nil for nothing
	undo      *Undo
	plans     map[string][]store.Record
	tasks     map[string]*task
	notes     map[string]Problem // what went wrong with a record, or a remark; that of the panel has the key panelNote
	asked     map[int]question
}

// Outside is what the library needs of the page around it.
type Outside interface {
	// StartLibrary starts the worker, unless it runs, and connects the library to it.
	StartLibrary()
	// ModelChosen says that another model is used from now on.
	ModelChosen(c Choice)
	// Use says that a file that is stored, and is no model, is to be used.
	Use(kind loader.Kind, id string)
	// RecordDeleted says that something stored is gone, so that nothing loaded from it may be used.
	RecordDeleted()
	// PersistStorage asks the browser to keep what is stored when the disk runs full.
	PersistStorage()
	// Arrived says that all of a group is here, and that its model is used from now on, if it has one.
	Arrived(g Group)
	// Remember keeps a value for the next visit.
	Remember(key string, value any)
	// Later calls a function after a while.
	Later(wait time.Duration, do func())
	// RememberDownloads keeps the records that are being downloaded for a reload of this tab.
	RememberDownloads(records []string)
}

// DroppedFile is a file that was dropped on the page.
type DroppedFile struct {
	Name   string
	File   any
	Handle any // nil where the browser has none
}

// task is something under way with a record.
type task struct {
	id          int    // the request
	kind        string // plan, download, verify or import
	progress    store.Progress
	speed, left float64 // bytes per second, seconds
}

// question is what a request to the worker was about.
type question struct{ kind, record string }

// linkRecord stands for whatever the link leads to, until it is known; fetchRecord for what is downloaded together;
// panelNote for the panel as a whole.
const (
	linkRecord  = "link"
	fetchRecord = "fetch"
	panelNote   = ""
)

// NewLibrary returns a library of which nothing is known yet, with the model that ships. What it deletes can be taken
// back by undo for a while.
func NewLibrary(outside Outside, undo *Undo) *Library {
	return &Library{Chooser: Chooser{outside: outside}, Accepted: map[string]bool{}, plans: map[string][]store.Record{},
		tasks: map[string]*task{}, notes: map[string]Problem{}, asked: map[int]question{}, going: map[string]*Step{}, undo: undo}
}

// Connect takes the line to a worker that is starting.
func (l *Library) Connect(line *protocol.Line) { l.line = line }

// Show opens or closes the panel.
func (l *Library) Show(open bool) {
	l.Open = open
	if !open {
		return
	}
	if l.line != nil && !l.Ready { // it could not start: once more
		l.ask(protocol.List{}, "list", panelNote, nil)
		return
	}
	l.outside.StartLibrary()
}

// ask sends a request about a record.
func (l *Library) ask(body protocol.Body, kind, record string, beside map[string]any) int {
	l.outside.StartLibrary()
	id := l.line.Ask(body, beside)
	l.asked[id] = question{kind, record}
	return id
}

// begin sends a request that takes its time.
func (l *Library) begin(body protocol.Body, kind, record string, p store.Progress) {
	delete(l.notes, record)
	l.tasks[record] = &task{id: l.ask(body, kind, record, nil), kind: kind, progress: p}
	if kind == "download" || kind == "fetch" {
		l.rememberDownloads()
	}
}

func (l *Library) rememberDownloads() {
	records := []string{}
	for record, t := range l.tasks {
		if t.kind == "download" || t.kind == "fetch" {
			records = append(records, record)
		}
	}
	slices.Sort(records)
	l.outside.RememberDownloads(records)
}

// resumeInterrupted goes on with the downloads that a reload interrupted.
func (l *Library) resumeInterrupted() {
	if l.Fetching != nil && len(l.Interrupted) > 0 {
		l.Fetch(*l.Fetching)
	}
	for _, record := range l.Interrupted {
		if l.tasks[fetchRecord] != nil && l.Fetching.has(l.catalogue, record) {
			continue
		}
		if item := find(l.stored, record); item != nil && !item.Complete && item.Source != "" {
			l.Do(Resume, record)
		}
	}
	l.Interrupted = nil
}

// LookAtLink asks what the link leads to.
func (l *Library) LookAtLink() {
	delete(l.plans, linkRecord)
	l.begin(protocol.Plan{Link: l.Link, Base: l.Base}, "plan", linkRecord, store.Progress{})
}

// SetBase sets the mirror.
func (l *Library) SetBase(base string) {
	l.Base = base
	l.outside.Remember("mirror", base)
}

// Persisted takes the browser's answer to PersistStorage.
func (l *Library) Persisted(granted bool) {
	l.Persists = texts.T("The browser keeps it until you delete it.")
	if !granted {
		l.Persists = texts.T("The browser made no promise to keep it: it may clear it when the disk runs full. A bookmark of this page, or installing it, often changes that.")
	}
}

// Accept says whether the visitor accepts a licence.
func (l *Library) Accept(licence string, yes bool) {
	l.Accepted[licence] = yes
	l.outside.Remember("licences", l.Accepted)
}

// Drop takes a file of weights that was dropped on the page, and asks what to do with it.
func (l *Library) Drop(f DroppedFile) {
	l.Dropped = &f
	delete(l.notes, panelNote)
	l.Show(true)
}

// ImportFile copies a File into the browser.
func (l *Library) ImportFile(file any) {
	l.Dropped = nil
	delete(l.notes, panelNote)
	l.ask(protocol.Import{}, "import", panelNote, map[string]any{"file": file})
}

// KeepHandle has a file read from the disk from now on.
func (l *Library) KeepHandle(handle any) {
	l.Dropped = nil
	delete(l.notes, panelNote)
	l.ask(protocol.Keep{}, "keep", panelNote, map[string]any{"handle": handle})
}

// Action is what a button of the panel does.
type Action string

// The panel's actions. All but the last three are about a record.
const (
	PlanDownload  Action = "plan"
	StartDownload Action = "start"
	CancelPlan    Action = "not now"
	Pause         Action = "pause" // a download or a verification
	Resume        Action = "resume"
	Use           Action = "use"
	Verify        Action = "verify"
	Delete        Action = "delete"
	DeleteNow     Action = "delete now" // what is about to be deleted
	TakeBack      Action = "take back"
	Tidy          Action = "tidy"
	CopyDropped   Action = "copy"
	KeepDropped   Action = "keep"
	LeaveDropped  Action = "leave"
)

// Do does what a button says.
func (l *Library) Do(a Action, record string) {
	switch a {
	case PlanDownload:
		l.begin(protocol.Plan{Records: []string{record}, Base: l.Base}, "plan", record, store.Progress{})
	case StartDownload:
		l.startDownload(record)
	case CancelPlan:
		delete(l.plans, record)
	case Pause:
		if t := l.tasks[record]; t != nil {
			l.line.Cancel(t.id)
		}
	case Resume:
		item := find(l.stored, record)
		l.begin(protocol.Download{Record: record}, "download", record, store.Progress{Done: item.Done, Total: item.Bytes()})
	case Use:
		l.use(record)
	case Verify:
		l.begin(protocol.Verify{Record: record}, "verify", record, store.Progress{Total: 1})
	case Delete:
		l.delete(record)
	case DeleteNow:
		l.going[record].Over()
	case TakeBack:
		l.going[record].Back()
	case Tidy:
		l.ask(protocol.Tidy{}, "tidy", panelNote, nil)
	case CopyDropped:
		l.ImportFile(l.Dropped.File)
	case KeepDropped:
		l.KeepHandle(l.Dropped.Handle)
	case LeaveDropped:
		l.Dropped = nil
	}
}

// use chooses a model, or uses something else with it.
func (l *Library) use(record string) {
	if item := find(l.stored, record); item != nil && usable(item.Kind) && item.Kind != loader.KindModel {
		l.outside.Use(item.Kind, record)
		return
	}
	l.Choose(record)
}

// usable reports whether a kind is used by saying so. Other kinds are chosen where they are needed.
func usable(k loader.Kind) bool {
	return k == loader.KindModel || k == loader.KindLoRA || k == loader.KindVAE || k == loader.KindTextualInversion
}

// startDownload begins what was planned.
func (l *Library) startDownload(record string) {
	list := l.plans[record]
	delete(l.plans, record)
	if l.Persists == "" {
		l.outside.PersistStorage()
	}
	for _, r := range list {
		l.begin(protocol.Download{Record: r.ID}, "download", r.ID, store.Progress{Total: r.Bytes()})
	}
	if record == linkRecord {
		l.Link = ""
	}
}

// find returns what is stored under an id, whole or not; nil where there is nothing.
func find(s store.Library, id string) *store.Item {
	for i := range s.Items {
		if s.Items[i].ID == id {
			return &s.Items[i]
		}
	}
	return nil
}

// whole lists what is stored whole of a kind.
func whole(s store.Library, kind loader.Kind) (list []store.Item) {
	for _, item := range s.Items {
		if item.Complete && item.Kind == kind {
			list = append(list, item)
		}
	}
	return list
}
