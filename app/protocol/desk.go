package protocol

import (
	"context"
	"errors"
	"sync"
)

// Desk is a worker's end of the connection: requests arrive at any time, are done when
// their turn comes, and each gets exactly one last answer.
type Desk struct {
	// Aside does a request at once, though others are under way, and reports whether it
	// did. It must not block. It may be nil.
	Aside func(m Message) bool
	// Explain turns an error into a last answer. Nil makes it a Failed with the error's
	// text.
	Explain func(err error) Body

	send    func(Message)
	mu      sync.Mutex
	waiting []Message
	cancels map[int]context.CancelFunc // of the requests that run
	arrived chan struct{}              // holds one item where waiting is not empty
}

// NewDesk returns a desk that answers through send.
func NewDesk(send func(Message)) *Desk {
	return &Desk{send: send, cancels: map[int]context.CancelFunc{}, arrived: make(chan struct{}, 1)}
}

// Take takes a message of the page. It never blocks, because JavaScript stands still
// while a callback does.
func (d *Desk) Take(m Message) {
	if c, ok := m.Body.(Cancel); ok {
		d.cancel(c.Of)
		return
	}
	if d.Aside != nil && d.Aside(m) {
		return
	}
	d.mu.Lock()
	d.waiting = append(d.waiting, m)
	d.mu.Unlock()
	select {
	case d.arrived <- struct{}{}:
	default:
	}
}

// cancel ends a request: one that waits is answered at once, and one that runs as soon as
// it notices.
func (d *Desk) cancel(id int) {
	d.mu.Lock()
	for i, m := range d.waiting {
		if m.ID == id {
			d.waiting = append(d.waiting[:i:i], d.waiting[i+1:]...)
			d.mu.Unlock()
			d.Answer(id, Stopped{})
			return
		}
	}
	cancel := d.cancels[id]
	d.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// Handler does a request. What it returns is the last answer; nil where there is none.
type Handler func(ctx context.Context, m Message) (Body, error)

// Serve does requests one after another, in the order of their arrival, until ctx is
// done.
func (d *Desk) Serve(ctx context.Context, do Handler) {
	d.serve(ctx, func(m Message) { d.run(ctx, m, do) })
}

// ServeTogether does every request as soon as it arrives, beside those under way, until
// ctx is done.
func (d *Desk) ServeTogether(ctx context.Context, do Handler) {
	d.serve(ctx, func(m Message) { go d.run(ctx, m, do) })
}

func (d *Desk) serve(ctx context.Context, run func(Message)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.arrived:
		}
		for {
			m, ok := d.take()
			if !ok {
				break
			}
			run(m)
		}
	}
}

// take takes the request whose turn it is.
func (d *Desk) take() (m Message, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		return m, false
	}
	m, d.waiting = d.waiting[0], d.waiting[1:]
	return m, true
}

func (d *Desk) run(ctx context.Context, m Message, do Handler) {
	ctx, cancel := context.WithCancel(ctx)
	d.mu.Lock()
	d.cancels[m.ID] = cancel
	d.mu.Unlock()
	body, err := do(ctx, m)
	cancelled := ctx.Err() != nil
	cancel()
	d.mu.Lock()
	delete(d.cancels, m.ID)
	d.mu.Unlock()
	switch {
	case err == nil:
	case cancelled || errors.Is(err, context.Canceled):
		body = Stopped{}
	case d.Explain != nil:
		body = d.Explain(err)
	default:
		body = Failed{Message: err.Error()}
	}
	if body != nil {
		d.Answer(m.ID, body)
	}
}

// Answer sends an answer to a request, or, with the id 0, a message that nobody asked
// for.
func (d *Desk) Answer(id int, body Body) { d.send(Message{ID: id, Body: body}) }
