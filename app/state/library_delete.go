package state

import (
	"maps"
	"slices"
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader/store"
)

// UndoTime is how long what was deleted is kept, so that it can be brought back.
const UndoTime = 30 * time.Second

// delete takes a record out of use at once, and deletes it when it cannot be brought back any more.
func (l *Library) delete(record string) {
	delete(l.notes, record)
	chosen := record == l.Chosen.ID
	if chosen {
		l.Choose("")
	}
	step := l.undo.Did(func() {
		l.forgetGoing(record)
		if chosen {
			l.Choose(record)
		}
	}, func() {
		if l.going[record] == nil { // it was deleted by another tab
			return
		}
		l.ask(protocol.Delete{Record: record}, "delete", record, nil)
	})
	l.going[record] = step
	l.rememberGoing()
	l.outside.Later(UndoTime, step.Over)
}

// GetAgain deletes what is stored of a record and downloads it again. of is the record, or the address of one of its files.
// It reports whether that can be done here: a file from the disk has to be chosen again.
func (l *Library) GetAgain(of string) bool {
	for _, item := range l.stored.Items {
		if item.ID != of && !slices.ContainsFunc(item.Files, func(f store.Remote) bool { return f.URL == of }) {
			continue
		}
		if _, offered := l.catalogue.Entry(item.ID); !offered {
			return false
		}
		l.again = &Group{ID: "again", Name: item.Name, Records: []string{item.ID}}
		l.delete(item.ID)
		l.going[item.ID].Over()
		return true
	}
	return false
}

// forgetGoing says that a record is not about to be deleted, or is deleted.
func (l *Library) forgetGoing(record string) {
	delete(l.going, record)
	l.rememberGoing()
}

// rememberGoing leaves out of stored what is about to be deleted, and remembers that for the next page.
func (l *Library) rememberGoing() {
	l.stored = l.all
	l.stored.Items = slices.DeleteFunc(slices.Clone(l.all.Items), func(item store.Item) bool { return l.going[item.ID] != nil })
	l.outside.Remember("deleted", slices.Sorted(maps.Keys(l.going)))
}

// takeAll takes what is stored.
func (l *Library) takeAll(all store.Library) {
	l.all = all
	for record, step := range l.going {
		if find(all, record) == nil {
			delete(l.going, record)
			step.Over()
		}
	}
	l.rememberGoing()
	for _, record := range l.Deleted { // an earlier page did not get to it
		if find(all, record) != nil {
			l.ask(protocol.Delete{Record: record}, "delete", record, nil)
		}
	}
	l.Deleted = nil
}

// goingRows are the rows of what is about to be deleted.
func (d drawing) goingRows() (rows []Row) {
	for _, item := range d.l.all.Items {
		if !d.l.going[item.ID].Can() {
			continue
		}
		rows = append(rows, Row{ID: item.ID, Name: item.Name, About: texts.T("Deleted. For half a minute it can be brought back."),
			Buttons: []Button{button(TakeBack, item.ID, texts.T("Undo"), texts.F("the deletion of %s", item.Name)), button(DeleteNow, item.ID, texts.T("Delete now"), item.Name)}})
	}
	return rows
}
