package gpu

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// aFile is a File whose bytes are known. It counts what is read.
type aFile struct {
	mu    sync.Mutex
	reads map[int64]int64 // the size by the offset
	size  int64
}

func (f *aFile) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads[off] = n
	f.size += n
	return webapi.BytesOf(f.bytes(off, n)), ctx.Err()
}

func (f *aFile) bytes(off, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((off + int64(i)) * 7 >> 3)
	}
	return b
}

// parameter is a matrix of F16 rows at an offset.
func (f *aFile) parameter(at int64, rows, columns int) Parameter {
	return Parameter{DType: "F16", Shape: []int{rows, columns}, File: f, At: at, Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
		return f.ReadRange(ctx, at+off, n)
	}}
}

// Parameters that follow one another are read together, and each byte once.
func TestAhead(t *testing.T) {
	ctx, f := context.Background(), &aFile{reads: map[int64]int64{}}
	params := []Parameter{f.parameter(100, 3, 5), f.parameter(130, 12, 1<<20), f.parameter(130+24<<20, 1, 7), f.parameter(1<<30, 2, 2)}
	a := NewAhead(ctx)
	for i := range params {
		a.Add(&params[i], i)
	}
	for i, p := range params {
		for _, r := range p.runs() {
			b, err := p.Read(ctx, r.off, r.n)
			if err != nil || !bytes.Equal(webapi.GoBytes(b), f.bytes(p.At+r.off, r.n)) {
				t.Fatalf("parameter %d: bytes [%d, %d) are wrong: %v", i, r.off, r.off+r.n, err)
			}
		}
	}
	want := map[int64]int64{100: 30 + 16<<20, 130 + 16<<20: 8<<20 + 14, 1 << 30: 8}
	for at, n := range want {
		if f.reads[at] != n || len(f.reads) != len(want) {
			t.Errorf("read %v, want %v", f.reads, want)
		}
	}
	before := f.size
	if b, err := params[0].Read(ctx, 0, 30); err != nil || !bytes.Equal(webapi.GoBytes(b), f.bytes(100, 30)) || f.size != before+30 {
		t.Error("a parameter that is read again is not read from its file:", err)
	}
	a.Close()
	if a.held != 0 || len(a.windows) != 0 {
		t.Errorf("%d bytes of %d windows are still held", a.held, len(a.windows))
	}
}

// What nobody asks for, because its layer read it in another way, makes room for what follows.
func TestAheadSkips(t *testing.T) {
	ctx, f := context.Background(), &aFile{reads: map[int64]int64{}}
	params := make([]Parameter, 8)
	a := NewAhead(ctx)
	defer a.Close()
	for i := range params {
		params[i] = f.parameter(int64(i)<<30, 8, 1<<20)
		a.Add(&params[i], i)
	}
	for i := range params {
		n := int64(16 << 20)
		if i%2 == 0 {
			n = 10
		}
		b, err := params[i].Read(ctx, 0, n)
		if err != nil || !bytes.Equal(webapi.GoBytes(b), f.bytes(int64(i)<<30, n)) {
			t.Fatalf("parameter %d: %v", i, err)
		}
		if a.held > aheadBytes {
			t.Fatalf("%d bytes are held", a.held)
		}
	}
}

// A canceled upload ends, and so does the reading.
func TestAheadCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &aFile{reads: map[int64]int64{}}
	p := f.parameter(0, 2, 2)
	a := NewAhead(ctx)
	defer a.Close()
	a.Add(&p, 0)
	cancel()
	if _, err := p.Read(ctx, 0, 8); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled read returns %v", err)
	}
}
