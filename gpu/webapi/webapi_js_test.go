//go:build js && wasm

package webapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
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

// Numbers of 64 bits are rounded wherever they begin in their buffer.
func TestFloat32s(t *testing.T) {
	var raw []byte
	for _, v := range []float64{1.0 / 3, -1e300, 1e-46} {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	whole := BytesOf(append(make([]byte, 3), raw...))
	b := GoBytes(Float32s(whole.Call("subarray", 3)))
	for i, want := range []float32{1.0 / 3, float32(math.Inf(-1)), 0} {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])); got != want {
			t.Errorf("number %d is %v, want %v", i, got, want)
		}
	}
}
