// Package state is what the page knows, apart from how it is drawn: what is composed, what is being generated, what
// was made, and which models there are. It is plain Go, without a browser, and is tested on the host.
//
// Each type takes events, as methods named by what happened or what is wanted, and its fields and other methods say
// what is to be drawn. Package ui calls the methods from its event handlers and draws the states as components.
//
// What only the browser has passes through as values of type any, which this package stores and hands back but
// never looks into: the bytes of a file, a decoded bitmap, a Blob. Where a state needs work done on them it is given
// a small interface (Browser, Store), which a test can imitate.
//
// All methods are called from one goroutine, except where a comment says otherwise.
package state
