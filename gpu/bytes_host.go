//go:build !js

package gpu

// Bytes is a run of checkpoint bytes. On the host, where there is no GPU and no
// JavaScript, it is a slice; see bytes_js.go for what it is in a page.
type Bytes = []byte

// NumBytes is the length of b in bytes.
func NumBytes(b Bytes) int { return len(b) }

// BytesOf returns p.
func BytesOf(p []byte) Bytes { return p }

// GoBytes returns b.
func GoBytes(b Bytes) []byte { return b }
