// Package webapi holds what Go code in a browser or in Node borrows from JavaScript:
// waiting for a promise, and bytes that stay outside of Go's heap. The packages that read
// checkpoints, draw the page or drive the GPU share it, and it knows none of them.
//
// On the host, where there is no JavaScript, Bytes is a slice, so that packages that
// only pass bytes on build and are tested there.
package webapi
