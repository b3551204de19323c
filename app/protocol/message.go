package protocol

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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

// The messages. A request is over with one of last.
var (
	both    = []Body{Cancel{}, Started{}, Ended{}}
	engine  = []Body{Load{}, Generate{}, Skip{}, Embed{}, Judge{}, Tokens{}, MakeMap{}, Forget{}, Gauge{}, Measure{}, Ready{}, Progress{}, Preview{}, Picture{}, Embeds{}, Warning{}}
	check   = []Body{CheckProgress{}, CheckOver{}}
	library = []Body{List{}, Plan{}, Download{}, Verify{}, Delete{}, Tidy{}, Import{}, Keep{}, Stored{}, Moved{}}
	last    = []Body{Failed{}, Stopped{}, Loaded{}, Counted{}, MapMade{}, Drawn{}, Embedded{}, Judged{}, Gauged{}, Forgotten{}, Lost{}, Planned{}, Finished{}}
)

// known has the type of each message, by its name on the wire.
var known = func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, b := range slices.Concat(both, engine, check, library, last) {
		if m[b.Type()] != nil {
			panic("protocol: two messages are called " + b.Type())
		}
		m[b.Type()] = reflect.TypeOf(b)
	}
	return m
}()

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
		return "", fmt.Errorf("protocol: the message %q is missing from the lists in message.go", name)
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
		return Message{}, fmt.Errorf("protocol: there is no message %q. Reload the page, which may be of another version", e.Type)
	}
	if len(e.Body) == 0 {
		e.Body = []byte("{}")
	}
	body := reflect.New(k)
	if err := json.Unmarshal(e.Body, body.Interface()); err != nil {
		return Message{}, fmt.Errorf("protocol: the message %q cannot be read: %w", e.Type, err)
	}
	return Message{ID: e.ID, Body: body.Elem().Interface().(Body)}, nil
}

// IsLast reports whether a request is over with this answer.
func IsLast(b Body) bool {
	return slices.ContainsFunc(last, func(l Body) bool { return l.Type() == b.Type() })
}
