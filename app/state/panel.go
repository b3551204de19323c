package state

import (
	"fmt"
	"sort"
	"strings"

	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// Panel is what the panel of models shows.
type Panel struct {
	Open     bool
	Loading  bool    // what is stored is not known yet
	Problem  Problem // of the panel as a whole
	Stored   []Row
	Going    []Row  // what is about to be deleted
	LeftOver string // how much given-up downloads left over; "" for nothing
	Space    string // how much is stored and how much may be
	Bundles  []Offer
	Offers   []Row // what the catalogue has and is not here
	Link     LinkPart
	File     FilePart
	Base     string // the mirror, "" for Hub
	Hub      string
}

// Row is one record.
type Row struct {
	ID, Name string
	About    string
	Source   string
	Estimate string // what a picture would take; "" where that is not known
	InUse    bool
	Task     *TaskLine // nil for none
	Problem  Problem   // or a remark
	Plan     *PlanPart // nil for none
	Buttons  []Button
}

// Button is a button about a record, or about the panel.
type Button struct {
	Do     Action
	Record string
	Text   string
	Label  string // what a screen reader says
}

// TaskLine is how far something is that is under way with a record.
type TaskLine struct {
	Label    string // the record's name
	Planning bool   // the size is not known yet: there is only Text
	Fraction float64
	Text     string
	Files    []string // a line for each; none where there is only one file
}

// PlanPart says what a download would take, and asks for the licence.
type PlanPart struct {
	Record, Name string
	Text         string
	Full         string // why there is no room for it, or ""
	LicenceID    string // of the licence to be accepted, or ""
	Licence      loader.Licence
	Accepted     bool // or there is none to accept
}

// LinkPart is the part where a model is downloaded from a link.
type LinkPart struct {
	Link    string
	Asking  bool
	Problem Problem
	Found   string    // what the link leads to
	Plan    *PlanPart // nil for none
}

// FilePart is the part where a model comes from a file.
type FilePart struct {
	Dropped string // the name of a file that was dropped, or ""
	Buttons []Button
	Tasks   []TaskLine
}

// Panel returns what the panel shows now.
func (l *Library) Panel() Panel {
	p := Panel{Open: l.Open}
	if !l.Open {
		return p
	}
	d := drawing{l}
	p.Loading, p.Problem, p.Base, p.Hub = !l.Ready, l.notes[panelNote], l.Base, l.catalogue.Base
	for _, item := range l.stored.Items {
		p.Stored = append(p.Stored, d.storedRow(item))
	}
	p.Going = d.goingRows()
	for _, o := range l.Bundles() {
		if !o.Here {
			p.Bundles = append(p.Bundles, o)
		}
	}
	if s := l.stored; s.LeftOver > 0 {
		p.LeftOver = texts.Bytes(s.LeftOver)
	}
	if s := l.stored; s.Granted > 0 {
		p.Space = strings.TrimSpace(texts.F("This page stores %s; the browser grants it %s more. %s", texts.Bytes(s.Used), texts.Bytes(max(0, s.Granted-s.Used)), l.Persists))
	}
	for _, e := range l.catalogue.Models {
		if l.going[e.ID] != nil {
			continue // it is still here
		}
		if find(l.stored, e.ID) == nil || l.plans[e.ID] != nil {
			p.Offers = append(p.Offers, d.offerRow(e))
		}
	}
	p.Link, p.File = d.link(), d.file()
	return p
}

// drawing makes the parts of a Panel.
type drawing struct{ l *Library }

func button(do Action, record, text, name string) Button {
	return Button{do, record, text, text + " " + name}
}

func (d drawing) storedRow(item store.Item) Row {
	r := Row{ID: item.ID, Name: item.Name, Source: item.Source, Task: d.task(item.ID, item.Name), Problem: d.l.notes[item.ID]}
	kind := texts.Translate(item.Kind.Name())
	switch {
	case item.Handle:
		r.About = kind + " · " + texts.T("used from your disk, not copied")
	case item.Complete:
		r.About = kind + " · " + texts.Bytes(item.Space)
	default:
		r.About = kind + " · " + texts.F("%s of %s are here", texts.Bytes(item.Done), texts.Bytes(item.Bytes()))
	}
	if licence, ok := d.l.catalogue.Licences[item.Licence]; ok {
		r.About += " · " + licence.Name
	}
	if item.Complete && item.Source != "" && !item.Handle && !item.Released {
		r.About += " · " + texts.T("not compared with a checksum of its publisher")
	}
	if r.Source == "" {
		r.Source = texts.T("a file from this disk")
		if !item.Complete {
			r.Source = texts.T("a file from this disk: choose it again to go on")
		}
	}
	if item.LoRA != nil && item.LoRA.Title != "" {
		r.About += " · " + item.LoRA.Title
	}
	if item.WithoutVAE {
		r.About += " · " + texts.T("without a VAE")
	}
	chosen := item.ID == d.l.Chosen.ID
	add := func(do Action, text string) { r.Buttons = append(r.Buttons, button(do, item.ID, text, item.Name)) }
	if t := d.l.tasks[item.ID]; t != nil {
		switch t.kind {
		case "download":
			add(Pause, texts.T("Pause"))
		case "verify":
			add(Pause, texts.T("Stop verifying"))
		}
		return r
	}
	r.InUse = chosen
	switch {
	case !item.Complete && item.Source != "":
		add(Resume, texts.T("Resume"))
	case item.Complete && usable(item.Kind) && !chosen:
		add(Use, texts.T("Use"))
	}
	if item.Complete && !item.Handle {
		add(Verify, texts.T("Verify"))
	}
	if item.Handle {
		add(Delete, texts.T("Forget"))
	} else {
		add(Delete, texts.T("Delete"))
	}
	return r
}

func (d drawing) offerRow(e loader.Entry) Row {
	r := Row{ID: e.ID, Name: e.Name, Source: e.Source, Task: d.task(e.ID, e.Name), Problem: d.l.notes[e.ID]}
	size := texts.F("about %s", texts.Bytes(e.Bytes))
	if e.Bytes == 0 {
		size = texts.T("its size is shown before the download")
	}
	r.About = fmt.Sprintf("%s · %s · %s", texts.Translate(e.Kind.Name()), size, d.l.catalogue.Licences[e.Licence].Name)
	if e.About != "" {
		r.About = texts.Translate(e.About) + " " + r.About
	}
	if needs, ok := d.l.catalogue.Entry(e.Needs); ok && find(d.l.stored, needs.ID) == nil {
		r.About += " · " + texts.F("with it comes the %s, about %s", needs.Name, texts.Bytes(needs.Bytes))
	}
	if d.l.Estimate != nil && e.Kind == loader.KindModel {
		r.Estimate = d.l.Estimate(e, loader.Bundle{})
	}
	switch {
	case r.Task != nil:
	case d.l.plans[e.ID] != nil:
		r.Plan = d.plan(e.ID, e.Name)
	default:
		r.Buttons = []Button{button(PlanDownload, e.ID, texts.T("Download"), e.Name)}
	}
	return r
}

// task is what is under way with a record, or nil.
func (d drawing) task(record, name string) *TaskLine {
	t := d.l.tasks[record]
	if t == nil {
		return nil
	}
	p := t.progress
	line := &TaskLine{Label: texts.F("Progress of %s", name), Planning: t.kind == "plan", Text: texts.F("%s of %s", texts.Bytes(p.Done), texts.Bytes(p.Total))}
	switch {
	case line.Planning:
		line.Text = texts.T("Asking what there is to download")
	case p.Queued:
		line.Text = texts.T("Waiting for an earlier download to finish")
	case p.Waiting:
		line.Text = texts.T("Another tab is downloading it: this one waits for it")
	case p.Note != "":
		line.Text += " · " + texts.Translate(p.Note)
	case t.speed > 0 && p.Done < p.Total:
		line.Text += " · " + texts.F("%s/s · %s left", texts.Bytes(int64(t.speed)), Seconds(t.left))
	}
	if p.Anew {
		line.Text += " · " + texts.T("The file was changed at its source: it is downloaded anew")
	}
	if t.kind == "verify" {
		line.Text = texts.F("Verifying, %s", line.Text)
	}
	if p.Total > 0 {
		line.Fraction = float64(p.Done) / float64(p.Total)
	}
	if len(p.Files) > 1 {
		for _, f := range p.Files {
			line.Files = append(line.Files, f.Name+": "+texts.F("%s of %s", texts.Bytes(f.Done), texts.Bytes(f.Total)))
		}
	}
	return line
}

func (d drawing) plan(record, name string) *PlanPart {
	list := d.l.plans[record]
	p := &PlanPart{Record: record, Name: name, Accepted: true}
	var bytes, space int64
	files := 0
	for _, r := range list {
		bytes += r.Bytes()
		space += r.Space()
		files += len(r.Files)
		if len(list) > 1 {
			p.Text += r.Name + ", " + texts.Bytes(r.Bytes()) + ". "
		}
		if licence := d.l.catalogue.Licences[r.Licence]; licence.Accept && p.LicenceID == "" {
			p.LicenceID, p.Licence, p.Accepted = r.Licence, licence, d.l.Accepted[r.Licence]
		}
	}
	p.Text += texts.N(files, "%d file, %s to download; %s when stored.", "%d files, %s to download; %s when stored.", texts.Bytes(bytes), texts.Bytes(space))
	if room := d.l.stored.Granted - d.l.stored.Used; d.l.stored.Granted > 0 && space > room {
		p.Full = texts.F("The browser grants this page %s more: delete a model here, or free space on the disk.", texts.Bytes(max(0, room)))
	}
	return p
}

func (d drawing) link() LinkPart {
	p := LinkPart{Link: d.l.Link, Asking: d.l.tasks[linkRecord] != nil, Problem: d.l.notes[linkRecord]}
	if list := d.l.plans[linkRecord]; len(list) > 0 {
		p.Found = texts.F("%s %s. Its publisher says under which licence it comes.", texts.Translate(list[0].Kind.Name()), list[0].Name)
		p.Plan = d.plan(linkRecord, list[0].Name)
	}
	return p
}

func (d drawing) file() (p FilePart) {
	if f := d.l.Dropped; f != nil {
		p.Dropped = f.Name
		p.Buttons = append(p.Buttons, button(CopyDropped, "", texts.T("Keep a copy in the browser"), f.Name))
		if f.Handle != nil {
			p.Buttons = append(p.Buttons, button(KeepDropped, "", texts.T("Use it without copying"), f.Name))
		}
		p.Buttons = append(p.Buttons, button(LeaveDropped, "", texts.T("Not now"), f.Name))
	}
	for record, t := range d.l.tasks {
		if t.kind == "import" && find(d.l.stored, record) == nil {
			p.Tasks = append(p.Tasks, *d.task(record, record))
		}
	}
	sort.Slice(p.Tasks, func(i, j int) bool { return p.Tasks[i].Label < p.Tasks[j].Label }) // slices.SortFunc adds 5 kB to the program for each type
	return p
}
