package protocol

import (
	"encoding/json"
	"fmt"
)

// Body is the content of a message, which is sent as JSON.
type Body interface {
	// Type is the message's name on the wire.
	Type() string
}

// Value is something that travels beside the JSON. In the browser it is a js.Value; in
// tests it can be anything.
type Value = any

// Message is a request or an answer.
type Message struct {
	ID       int // the request's number; 0 where a message answers nothing
	Body     Body
	Beside   map[string]Value
	Transfer []Value // those of Beside, or their buffers, that the receiver takes over
}

// known lists every message.
var known = table(
	// To both workers.
	entry[Cancel](), entry[Failed](last), entry[Stopped](last), entry[Started](), entry[Ended](),
	// To the engine.
	entry[Load](), entry[Generate](), entry[Skip](), entry[Tokens](), entry[Forget](),
	// From the engine.
	entry[Ready](), entry[Loaded](last), entry[Counted](last), entry[Progress](), entry[Preview](), entry[Picture](),
	entry[Drawn](last), entry[Forgotten](last), entry[Warning](), entry[Lost](last),
	// To the library.
	entry[List](), entry[Plan](), entry[Download](), entry[Verify](), entry[Delete](), entry[Tidy](), entry[Import](), entry[Keep](),
	// From the library.
	entry[Stored](), entry[Planned](last), entry[Moved](), entry[Finished](last),
)

// kind is what is known about the messages of one type.
type kind struct {
	name   string
	decode func(text []byte) (Body, error)
	last   bool // a request is over with it
}

func entry[B Body](options ...func(*kind)) kind {
	var zero B
	k := kind{name: zero.Type(), decode: func(text []byte) (Body, error) {
		var body B
		err := json.Unmarshal(text, &body)
		return body, err
	}}
	for _, set := range options {
		set(&k)
	}
	return k
}

func last(k *kind) { k.last = true }

func table(list ...kind) map[string]kind {
	m := map[string]kind{}
	for _, k := range list {
		if _, twice := m[k.name]; twice {
			panic("protocol: two messages are called " + k.name)
		}
		m[k.name] = k
	}
	return m
}

// envelope is a message's JSON.
type envelope struct {
	ID   int             `json:"id"`
	Type string          `json:"type"`
	Body json.RawMessage `json:"body,omitempty"`
}

// Encode returns a message's JSON. What is beside it is not in the text.
func Encode(m Message) (string, error) {
	name := m.Body.Type()
	if _, ok := known[name]; !ok {
		return "", fmt.Errorf("protocol: the message %q is missing from the table in message.go", name)
	}
	body, err := json.Marshal(m.Body)
	if err != nil {
		return "", fmt.Errorf("protocol: the message %q cannot be encoded: %w", name, err)
	}
	text, err := json.Marshal(envelope{ID: m.ID, Type: name, Body: body})
	return string(text), err
}

// Decode reads a message's JSON.
func Decode(text string) (Message, error) {
	var e envelope
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return Message{}, fmt.Errorf("protocol: a message is not JSON: %w", err)
	}
	k, ok := known[e.Type]
	if !ok {
		return Message{}, fmt.Errorf("protocol: there is no message %q; reload the page, which may be of another version", e.Type)
	}
	if len(e.Body) == 0 {
		e.Body = []byte("{}")
	}
	body, err := k.decode(e.Body)
	if err != nil {
		return Message{}, fmt.Errorf("protocol: the message %q cannot be read: %w", e.Type, err)
	}
	return Message{ID: e.ID, Body: body}, nil
}

// isLast reports whether a request is over with this answer.
func isLast(b Body) bool { return known[b.Type()].last }
