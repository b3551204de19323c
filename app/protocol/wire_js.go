//go:build js && wasm

package protocol

import "syscall/js"

// Post sends a message to a worker, or, from a worker, to the page.
func Post(to js.Value, m Message) {
	text, err := Encode(m)
	if err != nil {
		panic(err) // a message that no table lists, or that JSON does not take
	}
	to.Call("postMessage", map[string]any{"text": text, "beside": m.Beside}, m.Transfer)
}

// Listen has take called with every message that arrives at a worker, or, in a worker,
// from the page.
func Listen(at js.Value, take func(Message)) {
	at.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		data := args[0].Get("data")
		m, err := Decode(data.Get("text").String())
		if err != nil {
			m = Message{Body: Failed{Message: err.Error()}}
		}
		if beside := data.Get("beside"); beside.Truthy() {
			m.Beside = map[string]Value{}
			names := js.Global().Get("Object").Call("keys", beside)
			for i := range names.Length() {
				name := names.Index(i).String()
				m.Beside[name] = beside.Get(name)
			}
		}
		take(m)
		return nil
	}))
}
