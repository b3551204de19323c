package state

import "github.com/imprompt/imprompt/app/protocol"

// Receive takes a message of the library's worker.
func (l *Library) Receive(m protocol.Message) {
	if !l.line.Receive(m) {
		return
	}
	q, asked := l.asked[m.ID]
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
		if asked {
			l.notes[q.record] = b.Message
		} else {
			l.notes[panelNote] = b.Message
		}
	}
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
		l.notes[record] = "Verified: every byte is as it was stored."
		if item := find(l.stored, record); item != nil && item.Released {
			l.notes[record] = "Verified: every byte is as it was stored, and what was stored is what its publisher released."
		}
	case "delete":
		l.forgetGoing(record)
		l.outside.RecordDeleted()
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
		l.notes[panelNote] = "The part of the page that stores models has stopped (" + why + "). What is stored stays: reload the page to go on."
	} else {
		l.notes[panelNote] = "The part of the page that stores models could not start (" + why + "). Reload the page to try again."
	}
	l.tasks, l.asked = map[string]*task{}, map[int]question{}
}
