//go:build !js

package webapi

import (
	"encoding/binary"
	"math"
)

// Bytes is a run of bytes. On the host it is a slice; bytes_js.go says what it is in a
// browser.
type Bytes = []byte

// NumBytes is the length of b in bytes.
func NumBytes(b Bytes) int { return len(b) }

// BytesOf returns p.
func BytesOf(p []byte) Bytes { return p }

// GoBytes returns b.
func GoBytes(b Bytes) []byte { return b }

// Float32s rounds little-endian numbers of 64 bits to 32 bits. b has whole numbers.
func Float32s(b Bytes) Bytes {
	out := make([]byte, len(b)/2)
	for i := 0; i < len(out); i += 4 {
		v := math.Float64frombits(binary.LittleEndian.Uint64(b[2*i:]))
		binary.LittleEndian.PutUint32(out[i:], math.Float32bits(float32(v)))
	}
	return out
}

// Slice is the bytes [from, to) of b, which it shares.
func Slice(b Bytes, from, to int64) Bytes { return b[from:to] }

// Free does nothing on the host.
func Free(Bytes) {}
