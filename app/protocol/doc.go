// Package protocol is what the page and its two workers say to each other: a Go struct
// for every message, the numbering of requests, and the order in which a worker answers.
//
// The page asks, a worker answers. Every request has an id, and every answer to it
// carries that id. A request is over with exactly one last answer; progress, previews and
// pictures may come before it. A message that answers nothing has the id 0. Cancel names
// the request that it ends, at any time: while the request waits, while it runs, or after
// it is over, when nothing happens.
//
// On the wire a message is {text, beside}: the struct as JSON, and beside it, by name,
// what JSON cannot hold (typed arrays, bitmaps, files and their handles). Only wire_js.go
// knows about JavaScript. Everything else is plain Go and is tested on the host:
//
//   - engine.go and library.go list the messages;
//   - Line is the page's end: it numbers requests, holds them back until the worker's
//     program runs, and drops answers that nobody waits for any more;
//   - Desk is a worker's end: it takes requests as they arrive, runs them in turn or side
//     by side, and answers those that were cancelled.
//
// To add a message, write its struct with its Type method in engine.go or library.go, and
// add it to the lists in message.go.
package protocol
