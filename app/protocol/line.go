package protocol

// Line is the page's end of the connection to one worker. It is used from one goroutine.
type Line struct {
	send    func(Message)
	started bool // the worker's program runs
	held    []Message
	next    int
	open    map[int]bool // requests whose last answer has not come
}

// NewLine returns a line to a worker that has not started yet. send posts a message.
func NewLine(send func(Message)) *Line {
	return &Line{send: send, open: map[int]bool{}}
}

// Ask sends a request, once the worker has started, and returns its id.
func (l *Line) Ask(body Body, beside map[string]Value) int {
	l.next++
	l.open[l.next] = true
	l.post(Message{ID: l.next, Body: body, Beside: beside})
	return l.next
}

// Tell sends a message that has no answer.
func (l *Line) Tell(body Body) { l.post(Message{Body: body}) }

// Cancel ends a request, whose last answer will be Stopped. It does nothing where the
// request is over.
func (l *Line) Cancel(id int) {
	if l.open[id] {
		l.Tell(Cancel{Of: id})
	}
}

// Drop makes the line ignore what is still answered to a request.
func (l *Line) Drop(id int) { delete(l.open, id) }

// Receive takes a message of the worker, and reports whether anybody waits for it: the
// answer to a request that is over, or was dropped, is for nobody.
func (l *Line) Receive(m Message) bool {
	if _, ok := m.Body.(Started); ok {
		l.started = true
		held := l.held
		l.held = nil
		for _, m := range held {
			l.send(m)
		}
		return true
	}
	if m.ID == 0 {
		return true
	}
	wanted := l.open[m.ID]
	if IsLast(m.Body) {
		delete(l.open, m.ID)
	}
	return wanted
}

// post sends a message, or holds it back: what reaches a worker before its program runs
// is lost.
func (l *Line) post(m Message) {
	if !l.started {
		l.held = append(l.held, m)
		return
	}
	l.send(m)
}
