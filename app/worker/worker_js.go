//go:build js && wasm

package worker

import (
	"syscall/js"

	"github.com/imprompt/imprompt/app/protocol"
)

// Serve answers the page for as long as the worker lives.
func Serve() {
	if js.Global().Get("name").String() == "library" {
		serveLibrary()
		return
	}
	serveEngine()
}

// newDesk returns a desk that the page can write to.
func newDesk() *protocol.Desk {
	desk := protocol.NewDesk(post)
	protocol.Listen(js.Global(), desk.Take)
	return desk
}

// post sends a message to the page.
func post(m protocol.Message) { protocol.Post(js.Global(), m) }

// started tells the page that requests are taken now.
func started() { post(protocol.Message{Body: protocol.Started{}}) }
