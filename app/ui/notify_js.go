//go:build js && wasm

package ui

import "syscall/js"

// askToNotify asks the browser whether the page may tell the visitor when it is done with something long.
func askToNotify() {
	if n := js.Global().Get("Notification"); n.Truthy() && n.Get("permission").String() == "default" {
		n.Call("requestPermission")
	}
}

// done tells a visitor who looks elsewhere that something is done.
func (p *page) done(short, text string) {
	if !p.attention.Done(short) {
		return
	}
	if n := js.Global().Get("Notification"); n.Truthy() && n.Get("permission").String() == "granted" {
		defer func() { _ = recover() }() // on some phones only service workers may
		n.New("Imprompt", map[string]any{"body": text, "icon": here("web/icons/icon-192.png"), "tag": "imprompt"})
	}
}
