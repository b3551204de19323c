package state

import (
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
)

// A deleted model is out of use at once, and comes back with all that it was.
func TestDeletedModelComesBack(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"), stored("plus", "ip_adapter"))
	f.Do(Use, "sd15")
	asked := len(f.sent)
	f.Do(Delete, "sd15")
	p := f.Panel()
	if f.Chosen.ID != "" || len(p.Stored) != 1 || len(p.Going) != 1 || len(f.Models()) != 0 || len(f.sent) != asked {
		t.Fatalf("after Delete: %+v", p)
	}
	if got, _ := f.remembered["deleted"].([]string); !slices.Equal(got, []string{"sd15"}) {
		t.Errorf("a page that goes now leaves %v", got)
	}
	f.undo.Back()
	f.later[0]() // its time is over, which does not matter any more
	p = f.Panel()
	if f.Chosen.ID != "sd15" || len(p.Stored) != 2 || len(p.Going) != 0 || len(f.sent) != asked {
		t.Errorf("after Undo: %+v", p)
	}
	// It is not offered again as long as it is here.
	f.Do(Delete, "plus")
	if n := len(f.Panel().Offers); n != 0 {
		t.Errorf("%d are offered", n)
	}
}

func TestDeletedModelGoesAfterAWhile(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"), stored("plus", "ip_adapter"))
	f.Do(Delete, "sd15")
	f.later[0]()
	if b, ok := f.last().Body.(protocol.Delete); !ok || b.Record != "sd15" || len(f.Panel().Going) != 0 || len(f.Panel().Stored) != 1 {
		t.Fatalf("the last request is %+v", f.last())
	}
	id := f.last().ID
	f.store(stored("plus", "ip_adapter"))
	f.answer(id, protocol.Finished{Record: "sd15"})
	if got, _ := f.remembered["deleted"].([]string); f.deleted != 1 || len(got) != 0 {
		t.Errorf("%d deleted, %v remembered", f.deleted, got)
	}
	// Deleted by another tab meanwhile, it is not deleted again.
	f.Do(Delete, "plus")
	asked := len(f.sent)
	f.store()
	f.later[1]()
	if len(f.sent) != asked || f.undo.Back() {
		t.Error("what is gone is deleted again, or can be brought back")
	}
}

func TestDeletionThatFails(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model"))
	f.Do(Delete, "sd15")
	f.Do(DeleteNow, "sd15")
	f.answer(f.last().ID, protocol.Failed{Message: "the disk is broken"})
	if r := f.row("sd15"); r.Problem.Text != "the disk is broken" {
		t.Errorf("%+v", r)
	}
}

// What a page was about to delete when it went is deleted by the next.
func TestDeletedByThePageBefore(t *testing.T) {
	f := newIdleLibrary(t)
	f.Deleted = []string{"sd15", "gone"}
	f.Show(true)
	f.answer(0, protocol.Started{})
	f.store(stored("sd15", "model"))
	if b, ok := f.last().Body.(protocol.Delete); !ok || b.Record != "sd15" || len(f.sent) != 1 {
		t.Errorf("sent %+v", f.sent)
	}
}
