package protocol

import (
	"reflect"
	"testing"
)

// wire collects what is sent.
type wire struct{ sent []Message }

func (w *wire) send(m Message) { w.sent = append(w.sent, m) }

func (w *wire) bodies() (list []Body) {
	for _, m := range w.sent {
		list = append(list, m.Body)
	}
	return list
}

// What is asked before the worker's program runs is sent when it does, in order. It used
// to be swallowed.
func TestLineHoldsUntilStarted(t *testing.T) {
	var w wire
	l := NewLine(w.send)
	l.Ask(List{}, nil)
	id := l.Ask(Plan{Records: []string{"sd15"}}, nil)
	l.Cancel(id)
	if len(w.sent) != 0 {
		t.Fatalf("%d messages were sent to a worker that does not run", len(w.sent))
	}
	l.Receive(Message{Body: Started{}})
	l.Ask(Tidy{}, nil)
	want := []Body{List{}, Plan{Records: []string{"sd15"}}, Cancel{Of: id}, Tidy{}}
	if got := w.bodies(); !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

func TestLineDropsStaleAnswers(t *testing.T) {
	var w wire
	l := NewLine(w.send)
	l.Receive(Message{Body: Started{}})
	first, second := l.Ask(Generate{}, nil), l.Ask(Generate{}, nil)
	if first == second {
		t.Fatal("two requests have one id")
	}
	l.Drop(first)
	for _, c := range []struct {
		name   string
		m      Message
		wanted bool
	}{
		{"of a request that was dropped", Message{ID: first, Body: Picture{}}, false},
		{"its last answer", Message{ID: first, Body: Stopped{}}, false},
		{"of the current request", Message{ID: second, Body: Picture{}}, true},
		{"nobody asked for it", Message{Body: Warning{}}, true},
		{"the last answer", Message{ID: second, Body: Drawn{}}, true},
		{"after the last answer", Message{ID: second, Body: Picture{}}, false},
		{"of a request that never was", Message{ID: 99, Body: Picture{}}, false},
	} {
		if got := l.Receive(c.m); got != c.wanted {
			t.Errorf("%s: wanted is %v", c.name, got)
		}
	}
}

// Cancel names its request, and does nothing once it is over.
func TestLineCancel(t *testing.T) {
	var w wire
	l := NewLine(w.send)
	l.Receive(Message{Body: Started{}})
	id := l.Ask(Generate{}, nil)
	l.Cancel(id)
	l.Receive(Message{ID: id, Body: Stopped{}})
	l.Cancel(id)
	if want := []Body{Generate{}, Cancel{Of: id}}; !reflect.DeepEqual(w.bodies(), want) {
		t.Errorf("sent %v, want %v", w.bodies(), want)
	}
}
