//go:build js && wasm

package protocol

import (
	"syscall/js"
	"testing"
	"time"
)

// A message comes over a MessageChannel, which copies and transfers as a worker's port does.
func TestPostAndListen(t *testing.T) {
	channel := js.Global().Get("MessageChannel").New()
	from, to := channel.Get("port1"), channel.Get("port2")
	defer from.Call("close")
	arrived := make(chan Message, 2)
	Listen(to, func(m Message) { arrived <- m })
	next := func() Message {
		t.Helper()
		select {
		case m := <-arrived:
			return m
		case <-time.After(10 * time.Second):
			t.Fatal("no message arrived")
			return Message{}
		}
	}

	png := js.Global().Get("Uint8Array").New(3)
	png.SetIndex(1, 7)
	Post(from, Message{ID: 5, Body: Picture{Index: 2}, Beside: map[string]Value{"png": png}, Transfer: []Value{png.Get("buffer")}})
	m := next()
	got, ok := m.Beside["png"].(js.Value)
	if p, picture := m.Body.(Picture); m.ID != 5 || !picture || p.Index != 2 || !ok || got.Length() != 3 || got.Index(1).Int() != 7 {
		t.Errorf("%+v arrived", m)
	}
	if png.Length() != 0 {
		t.Error("the bytes were copied, not transferred")
	}

	from.Call("postMessage", map[string]any{"text": "no message"})
	if m := next(); m.Body.Type() != "failed" {
		t.Errorf("what is no message arrived as %+v", m)
	}
}
