package loader

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

func file8(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		header string
		data   int
		fail   string // part of the error; "" for none
	}{
		{`{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]},"__metadata__":{"format":"pt"}}`, 16, ""},
		{`{"e":{"dtype":"F16","shape":[0,3],"data_offsets":[0,0]}}`, 0, ""},
		{`{}`, 0, ""},
		{`[]`, 0, "not a JSON object"},
		{`{"a":{"dtype":"F17","shape":[1],"data_offsets":[0,2]}}`, 2, "unknown type"},
		{`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,2]}}`, 2, "needs 4"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 4, "cut off or damaged"},
		{`{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}`, 2, "outside of the file"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}}`, 3, "damaged"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}`, 4, "damaged"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, 2, "twice"},
		{`{"a":{"dtype":"F16","shape":[-1],"data_offsets":[0,2]}}`, 2, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,2]}}`, 2, "impossible shape"},
	} {
		_, err := ParseHeader([]byte(c.header), int64(8+len(c.header)+c.data))
		if c.fail == "" && err != nil || c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
			t.Errorf("%s: %v, want %q", c.header, err, c.fail)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	header := `{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}`
	b := file8(header, 7)
	copy(b[len(b)-7:], "abcdefg")
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	c, err := OpenCheckpoint(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Read(ctx, "b", 1, 2)
	if err != nil || string(webapi.GoBytes(got)) != "fg" {
		t.Errorf("b[1:3] is %q, %v", webapi.GoBytes(got), err)
	}
	if _, err := c.Read(ctx, "b", 1, 3); err == nil {
		t.Error("a read beyond a tensor's end succeeded")
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte(`{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}`), int64(12))
	f.Add([]byte(`{"__metadata__":{"a":"b"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`), int64(4))
	f.Fuzz(func(t *testing.T, header []byte, data int64) {
		if data < 0 || data > 1<<40 {
			return
		}
		size := int64(len(header)) + 8 + data
		list, err := ParseHeader(header, size)
		if err != nil {
			return
		}
		at := int64(len(header)) + 8
		for _, x := range list {
			if x.Begin != at || x.End < x.Begin || x.End > size {
				t.Fatalf("%+v is accepted after byte %d of %d", x, at, size)
			}
			at = x.End
		}
	})
}
