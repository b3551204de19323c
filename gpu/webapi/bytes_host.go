//go:build !js

package webapi

// Bytes is a run of bytes. On the host it is a slice; bytes_js.go says what it is in a
// browser.
type Bytes = []byte

// NumBytes is the length of b in bytes.
func NumBytes(b Bytes) int { return len(b) }

// BytesOf returns p.
func BytesOf(p []byte) Bytes { return p }

// GoBytes returns b.
func GoBytes(b Bytes) []byte { return b }
