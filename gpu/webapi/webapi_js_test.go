//go:build js && wasm

package webapi

import (
	"bytes"
	"context"
	"errors"
	"syscall/js"
	"testing"
)

func eval(code string) js.Value { return js.Global().Get("Function").New("return " + code).Invoke() }

func TestAwait(t *testing.T) {
	for _, c := range []struct{ name, promise, value, err string }{
		{"fulfilled", `Promise.resolve("x")`, "x", ""},
		{"rejected with an Error", `Promise.reject(new Error("no disk"))`, "", "no disk"},
		{"rejected with a string", `Promise.reject("no disk")`, "", "no disk"},
		{"rejected with a number", `Promise.reject(7)`, "", "7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := Await(context.Background(), eval(c.promise))
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("the error is %v, want %q", err, c.err)
				}
			} else if err != nil || v.String() != c.value {
				t.Fatalf("got %v, %v, want %q", v, err, c.value)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Await(ctx, eval("new Promise(() => {})")); !errors.Is(err, context.Canceled) {
			t.Fatalf("the error is %v", err)
		}
	})
}

func TestBytes(t *testing.T) {
	want := []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}
	b := BytesOf(want)
	if got := GoBytes(b); NumBytes(b) != len(want) || !bytes.Equal(got, want) {
		t.Errorf("%v came back as %v", want, got)
	}
	if a := TypedArray("Float32Array", want); a.Length() != 2 || a.Index(0).Float() != 1 || a.Index(1).Float() != -2 {
		t.Errorf("as float32: %v, %v", a.Index(0), a.Index(1))
	}
}
