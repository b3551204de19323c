package protocol

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// answers collects what a desk sends.
type answers struct{ list []string }

func (a *answers) send(m Message) { a.list = append(a.list, fmt.Sprintf("%d %s", m.ID, m.Body.Type())) }

func (a *answers) expect(t *testing.T, want ...string) {
	t.Helper()
	if fmt.Sprint(a.list) != fmt.Sprint(want) {
		t.Errorf("answered %q, want %q", a.list, want)
	}
}

// serve runs a desk whose requests take until they are released or cancelled.
func serve(t *testing.T, use func(d *Desk, a *answers, release func())) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var a answers
		d := NewDesk(a.send)
		gate := make(chan struct{})
		go d.Serve(ctx, func(ctx context.Context, m Message) (Body, error) {
			d.Answer(m.ID, Progress{Stage: "load"})
			select {
			case <-gate:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return Drawn{}, nil
		})
		use(d, &a, func() { gate <- struct{}{}; synctest.Wait() })
	})
}

func TestDeskKeepsOrder(t *testing.T) {
	serve(t, func(d *Desk, a *answers, release func()) {
		for id := range 3 {
			d.Take(Message{ID: id + 1, Body: Generate{}})
		}
		release()
		release()
		release()
		a.expect(t, "1 progress", "1 drawn", "2 progress", "2 drawn", "3 progress", "3 drawn")
	})
}

// A Generate that waits while a model loads is stopped at once, and is never drawn. It
// used to be drawn when the model was there.
func TestCancelWhileQueued(t *testing.T) {
	serve(t, func(d *Desk, a *answers, release func()) {
		d.Take(Message{ID: 1, Body: Load{}})
		synctest.Wait()
		d.Take(Message{ID: 2, Body: Generate{}})
		d.Take(Message{ID: 3, Body: Generate{}})
		d.Take(Message{Body: Cancel{Of: 2}})
		synctest.Wait()
		a.expect(t, "1 progress", "2 stopped")
		release()
		release()
		a.expect(t, "1 progress", "2 stopped", "1 drawn", "3 progress", "3 drawn")
	})
}

func TestCancelWhileRunning(t *testing.T) {
	serve(t, func(d *Desk, a *answers, release func()) {
		d.Take(Message{ID: 1, Body: Generate{}})
		synctest.Wait()
		d.Take(Message{Body: Cancel{Of: 1}})
		synctest.Wait()
		d.Take(Message{Body: Cancel{Of: 1}}) // it is over
		d.Take(Message{ID: 2, Body: Generate{}})
		release()
		a.expect(t, "1 progress", "1 stopped", "2 progress", "2 drawn")
	})
}

// A cancel that comes in the moment between a request's arrival and its turn is not lost.
func TestCancelAtOnce(t *testing.T) {
	serve(t, func(d *Desk, a *answers, release func()) {
		d.Take(Message{ID: 1, Body: Generate{}})
		d.Take(Message{Body: Cancel{Of: 1}})
		synctest.Wait()
		a.expect(t, "1 stopped")
	})
}

// An error that a cancelled request comes to, whatever it is, is no failure.
func TestDeskErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var a answers
		d := NewDesk(a.send)
		d.Explain = func(err error) Body { return Lost{Message: err.Error()} }
		d.Aside = func(m Message) bool {
			if _, ok := m.Body.(Tokens); ok {
				d.Answer(m.ID, Counted{})
				return true
			}
			return false
		}
		go d.Serve(ctx, func(ctx context.Context, m Message) (Body, error) {
			if _, ok := m.Body.(Generate); ok {
				<-ctx.Done()
				return nil, errors.New("a buffer could not be mapped")
			}
			return nil, errors.New("the GPU is gone")
		})
		d.Take(Message{ID: 1, Body: Generate{}})
		d.Take(Message{ID: 2, Body: Load{}})
		d.Take(Message{ID: 3, Body: Tokens{}})
		synctest.Wait()
		a.expect(t, "3 counted")
		d.Take(Message{Body: Cancel{Of: 1}})
		synctest.Wait()
		a.expect(t, "3 counted", "1 stopped", "2 lost")
	})
}

// The library's requests run side by side, and one is cancelled without the others.
func TestServeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var a answers
		d := NewDesk(a.send)
		go d.ServeTogether(ctx, func(ctx context.Context, m Message) (Body, error) {
			if _, ok := m.Body.(Download); ok {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return Finished{}, nil
		})
		d.Take(Message{ID: 1, Body: Download{}})
		synctest.Wait()
		d.Take(Message{ID: 2, Body: Tidy{}})
		synctest.Wait()
		d.Take(Message{Body: Cancel{Of: 1}})
		synctest.Wait()
		a.expect(t, "2 finished", "1 stopped")
	})
}
