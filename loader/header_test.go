package loader

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// What the format's own library refuses is refused, and what it reads is read (0.8.0,
// by safetensors.deserialize). One thing is stricter here: no tensor is named twice.
func TestHeaderStrictness(t *testing.T) {
	const a = `"dtype":"F16","shape":[1],"data_offsets":[0,2]`
	for _, c := range []struct{ header, fail string }{
		{`{"a":{` + a + `}}`, ""},
		{`{"a":{` + a + `}}   `, ""},
		{`{ "a" : { "shape" : [ 1 ] , "data_offsets" : [ 0 , 2 ] , "dtype" : "F16" } }`, ""},
		{`{"a":{` + a + `,"more":{"x":[1,-2.5e3,null,true,false,"\u00e9"],"y":{}}}}`, ""},
		{`{"__metadata__":null,"a":{` + a + `}}`, ""},
		{`{"__metadata__":{"k":"v","k":"w"},"a":{` + a + `}}`, ""},
		{`{"\ud83e\udd8a é":{` + a + `}}`, ""},
		{` {"a":{` + a + `}}`, ""},
		{`{"a":{"dtype":"F8_E4M3FNUZ","shape":[2],"data_offsets":[0,2]}}`, ""},
		{`{"a":{` + a + `}}x`, "behind its end"},
		{`{"a":{` + a + `}}` + "\x00", "behind its end"},
		{`{"a":{` + a + `},}`, "not a JSON object"},
		{`{"a":{` + a + `}`, "not a JSON object"},
		{`{"a":{"DType":"F16","shape":[1],"data_offsets":[0,2]}}`, "has no dtype"},
		{`{"a":{"dtype":"f16","shape":[1],"data_offsets":[0,2]}}`, `unknown type "f16"`},
		{`{"a":{` + a + `,"dtype":"F16"}}`, `has "dtype" twice`},
		{`{"a":{` + a + `,"shape":[1]}}`, `has "shape" twice`},
		{`{"a":{` + a + `,"data_offsets":[0,2]}}`, `has "data_offsets" twice`},
		{`{"__metadata__":{},"__metadata__":{},"a":{` + a + `}}`, "twice"},
		{`{"a":{"shape":[1],"data_offsets":[0,2]}}`, "has no dtype"},
		{`{"a":{"dtype":"F16","data_offsets":[0,2]}}`, "has no shape"},
		{`{"a":{"dtype":"F16","shape":[1]}}`, "has no data_offsets"},
		{`{"a":{"dtype":"F16","shape":null,"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[1.0],"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[01],"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[1e0],"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":["1"],"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[99999999999999999999],"data_offsets":[0,2]}}`, "impossible shape"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0]}}`, "1 data_offsets and not 2"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2,2]}}`, "data_offsets"},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[2,0]}}`, "outside of the file"},
		{`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, "needs"},
		{`{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}`, ""},
		{`{"a":3}`, "not an object"},
		{`{"a":[` + a + `]}`, "not an object"},
		{`{"__metadata__":{"k":1},"a":{` + a + `}}`, "map of strings"},
		{`{"__metadata__":[],"a":{` + a + `}}`, "map of strings"},
		{"{\"a\xff\":{" + a + `}}`, "UTF-8"},
		{"{\"a\xc3\":{" + a + `}}`, "UTF-8"},
		{"{\"\xed\xa0\x80\":{" + a + `}}`, "UTF-8"},
		{"{\"__metadata__\":{\"k\":\"\xff\"},\"a\":{" + a + `}}`, "UTF-8"},
		{`{"\ud800":{` + a + `}}`, "damaged"},
		{"{\"a\n\":{" + a + `}}`, "not a JSON object"},
		{`{"a":{` + a + `,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}}`, "damaged"},
	} {
		for _, chunk := range []int{1, 7, 1 << 20} {
			size := int64(len(c.header))
			_, err := ReadHeader(&slowly{strings.NewReader(c.header), chunk}, size, size+8+2)
			if c.fail == "" && err != nil || c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("%q: %v, want %q", c.header, err, c.fail)
			}
		}
	}
}

// slowly gives a few bytes at a time.
type slowly struct {
	io.Reader
	n int
}

func (s *slowly) Read(b []byte) (int, error) { return s.Reader.Read(b[:min(len(b), s.n)]) }

// A header as large as the format allows is read within a bound of memory, and one with
// too many tensors is given up early.
func TestHeaderBounds(t *testing.T) {
	const entry = `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	value := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	var parts []io.Reader
	parts = append(parts, strings.NewReader(`{"__metadata__":{"a":"b"`))
	size := int64(len(`{"__metadata__":{"a":"b"`))
	for i := range 90 {
		text := fmt.Sprintf(`,"k%d":"`, i)
		parts = append(parts, strings.NewReader(text), strings.NewReader(value), strings.NewReader(`"`))
		size += int64(len(text) + len(value) + 1)
	}
	end := `},"a":` + entry + `}`
	parts = append(parts, strings.NewReader(end))
	size += int64(len(end))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list, err := ReadHeader(io.MultiReader(parts...), size, size+8)
	runtime.ReadMemStats(&after)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d MiB were taken for a header of %d", used>>20, size>>20)
	}

	var many bytes.Buffer
	many.WriteByte('{')
	for i := range maxTensors + 1 {
		if i > 0 {
			many.WriteByte(',')
		}
		fmt.Fprintf(&many, `"tensor.%d":%s`, i, entry)
	}
	many.WriteByte('}')
	if _, err := ParseHeader(many.Bytes(), int64(many.Len())+8); err == nil || !strings.Contains(err.Error(), "more than 100000 tensors") {
		t.Errorf("%d tensors: %v", maxTensors+1, err)
	}
	// The size that is promised is not what comes.
	if _, err := ReadHeader(strings.NewReader(`{`), 100, 108); err == nil {
		t.Error("a header that is cut off is read")
	}
}
