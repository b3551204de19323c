package state

import (
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
)

// Receive takes a message of the library's worker.
func (l *Library) Receive(m protocol.Message) {
	if !l.line.Receive(m) {
		return
	}
	q := l.asked[m.ID]
	switch b := m.Body.(type) {
	case protocol.Stored:
		l.takeStored(b, m.Beside)
	case protocol.Planned:
		l.over(m.ID)
		if q.kind == "fetch" {
			l.fetch(b.Records)
			return
		}
		l.plans[q.record] = b.Records
	case protocol.Moved:
		l.tasks[b.Record] = &task{id: m.ID, kind: q.kind, progress: b.Progress, speed: b.Speed, left: b.Left}
	case protocol.Stopped:
		l.over(m.ID)
	case protocol.Finished:
		l.over(m.ID)
		l.finished(q, b.Record)
	case protocol.Failed:
		l.over(m.ID)
		if q.kind == "delete" {
			l.forgetGoing(q.record) // it is still here
		}
		l.notes[q.record] = l.failed(q, b) // without a question, it is about the panel
	}
}

// failed is the problem of a request that could not be done. What can simply be asked for once more has its button
// already, beside where the problem is shown.
func (l *Library) failed(q question, f protocol.Failed) (p Problem) {
	if _, err := loader.ParseLink(l.Link, loader.Hub); q.record == linkRecord && (err != nil || f.Reason == protocol.Refused || f.Reason == protocol.Unreachable) {
		defer func() {
			p.Text += ". " + texts.T("Links to models on huggingface.co and civitai.com work, and to files of weights on servers that let web pages read them.")
		}()
	}
	switch {
	case f.Reason == protocol.Unreachable:
		f.Reason = ""
	case f.Reason == "" && (q.kind == "import" || q.kind == "keep"):
		return problem(texts.Translate(f.Message), Remedy{Mend: ChooseFile})
	}
	if f.Record == "" {
		f.Record = q.record
	}
	return failure(f)
}

// over forgets a request and what was under way for it.
func (l *Library) over(id int) {
	delete(l.asked, id)
	for record, t := range l.tasks {
		if t.id == id {
			delete(l.tasks, record)
			if t.kind == "download" || t.kind == "fetch" {
				l.rememberDownloads()
			}
		}
	}
}

func (l *Library) finished(q question, record string) {
	delete(l.notes, record)
	switch q.kind {
	case "verify":
		l.notes[record] = Problem{Text: texts.T("Verified: every byte is as it was stored."), Fine: true}
		if item := find(l.stored, record); item != nil && item.Released {
			l.notes[record] = Problem{Text: texts.T("Verified: every byte is as it was stored, and what was stored is what its publisher released."), Fine: true}
		}
	case "delete":
		l.forgetGoing(record)
		l.outside.RecordDeleted()
		if g := l.again; g != nil && g.Records[0] == record {
			l.again = nil
			l.Fetch(*g)
		}
	case "import", "keep":
		l.use(record)
	}
}

// takeStored takes what is stored, from the worker's start on and after every change.
func (l *Library) takeStored(b protocol.Stored, beside map[string]any) {
	if !l.Ready {
		delete(l.notes, panelNote) // what kept the worker from starting
	}
	l.Ready, l.catalogue, l.handles = true, b.Catalogue, beside
	l.takeAll(b.Library)
	l.outside.Remember("models", len(b.Library.Items) > 0)
	for record := range l.plans { // a download that has begun is shown as what it is
		if find(l.stored, record) != nil {
			delete(l.plans, record)
		}
	}
	if item := find(l.stored, l.Chosen.ID); l.Chosen.ID != "" && (item == nil || !item.Complete) {
		l.Choose("")
	}
	l.resumeInterrupted()
	l.arrive()
}

// Died says that the worker's program is over, or could not start.
func (l *Library) Died(why string) {
	if l.Ready {
		l.notes[panelNote] = problem(texts.F("The part of the page that stores models has stopped (%s). What is stored stays: reload the page to go on.", texts.Translate(why)), Remedy{Mend: Reload})
	} else {
		l.notes[panelNote] = problem(texts.F("The part of the page that stores models could not start (%s). Reload the page to try again.", texts.Translate(why)), Remedy{Mend: Reload})
	}
	l.tasks, l.asked = map[string]*task{}, map[int]question{}
}
