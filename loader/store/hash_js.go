//go:build js && wasm

package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// hash is the SHA-256 of bytes, in hexadecimal, as the browser computes it.
func hash(ctx context.Context, bytes js.Value) (string, error) {
	subtle := js.Global().Get("crypto").Get("subtle")
	if subtle.IsUndefined() {
		return "", fmt.Errorf("the browser does not compute SHA-256 on an insecure page: open the page with https: %w", os.ErrPermission)
	}
	v, err := webapi.Await(ctx, subtle.Call("digest", "SHA-256", bytes))
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(webapi.GoBytes(js.Global().Get("Uint8Array").New(v))), nil
}

// sourceHash is the SHA-256 of a file's source, which is hashed in order as it arrives. What
// is stored of a file whose numbers are converted can no longer be compared with the hash
// that its publisher states.
type sourceHash struct{ js.Value }

// newSourceHash begins a hash, or, if state is not null, goes on from what save returned.
func newSourceHash(ctx context.Context, state js.Value) (*sourceHash, error) {
	v, err := webapi.Await(ctx, glue().Call("hasher", state))
	if err != nil {
		return nil, fmt.Errorf("the file's SHA-256 cannot be computed: %w", err)
	}
	return &sourceHash{v}, nil
}

// add takes the next bytes of the source.
func (h *sourceHash) add(bytes js.Value) { h.Call("update", bytes) }

// Write takes the next bytes of the source.
func (h *sourceHash) Write(b []byte) (int, error) {
	h.add(webapi.BytesOf(b))
	return len(b), nil
}

// save returns the state, with which a later visit can go on.
func (h *sourceHash) save() js.Value { return h.Call("save") }

// sum is the hash of all that was added, in hexadecimal. Nothing can be added after it.
func (h *sourceHash) sum() string { return h.Call("digest").String() }

// notReleased says that a file does not have the hash that its publisher states.
func notReleased(file, got, want string) error {
	return Damaged(file, "%s is not the file that its publisher released (SHA-256 %s, expected %s)", loader.Public(file), got, want)
}
