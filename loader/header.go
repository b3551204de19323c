package loader

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"sort"
	"unicode/utf16"
	"unicode/utf8"
)

// What a header may hold. A header is read as it comes and only its tensors are kept, so
// these limits bound the memory that any file can take.
const (
	maxTensors    = 100_000
	maxDimensions = 64
	maxNames      = 16 << 20 // bytes of all names together
	maxName       = 4096
	maxDepth      = 100     // of values that are skipped
	maxMetadata   = 4 << 20 // bytes of a field of the metadata that is kept; a longer one is not
)

// ReadHeader reads the JSON header of a safetensors file by the rules of the format's own
// library: known types, no name or field twice, valid UTF-8, every tensor as long as its
// shape says, and together they cover the file without a hole or an overlap. size is the
// header's, fileSize the file's. The tensors come in the order of their bytes.
func ReadHeader(r io.Reader, size, fileSize int64) ([]Tensor, error) {
	list, _, err := readHeader(r, size, fileSize)
	return list, err
}

// readHeader is ReadHeader, and returns those fields of the metadata that are in keptMetadata.
func readHeader(r io.Reader, size, fileSize int64) ([]Tensor, map[string]string, error) {
	h := &header{in: r, buffer: make([]byte, 64<<10), left: size, data: size + 8, fileSize: fileSize, seen: map[string]bool{}, kept: map[string]string{}}
	if err := h.read(); err != nil {
		return nil, nil, err
	}
	return h.list, h.kept, h.cover()
}

// header is a header under way.
type header struct {
	in       io.Reader
	buffer   []byte
	at, end  int
	left     int64 // bytes that are not in buffer yet
	data     int64 // where the tensors' bytes begin in the file
	fileSize int64
	list     []Tensor
	seen     map[string]bool
	names    int
	kept     map[string]string // fields of the metadata
	scratch  []byte
}

var errJSON = errors.New("the safetensors header is not a JSON object: the file is damaged")

// next takes a byte; io.EOF at the header's end.
func (h *header) next() (byte, error) {
	if h.at == h.end {
		if h.left == 0 {
			return 0, io.EOF
		}
		n, err := io.ReadFull(h.in, h.buffer[:min(int64(len(h.buffer)), h.left)])
		if err != nil {
			return 0, err
		}
		h.at, h.end = 0, n
		h.left -= int64(n)
	}
	h.at++
	return h.buffer[h.at-1], nil
}

// must takes a byte where the header must not end.
func (h *header) must() (byte, error) {
	c, err := h.next()
	if err == io.EOF {
		err = errJSON
	}
	return c, err
}

// token takes the next byte that is no blank.
func (h *header) token() (byte, error) {
	for {
		c, err := h.must()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (h *header) expect(want byte) error {
	c, err := h.token()
	if err == nil && c != want {
		err = errJSON
	}
	return err
}

func (h *header) read() error {
	if err := h.expect('{'); err != nil {
		return err
	}
	metadata := false
	err := h.object(func(name string) error {
		if name == "__metadata__" {
			if metadata {
				return fmt.Errorf("the safetensors header names %q twice", name)
			}
			metadata = true
			return h.metadata()
		}
		return h.entry(name)
	})
	if err != nil {
		return err
	}
	for {
		c, err := h.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return errors.New("the safetensors header has bytes behind its end: the file is damaged")
		}
	}
}

// object reads an object's fields; the brace before them was taken.
func (h *header) object(field func(name string) error) error {
	c, err := h.token()
	if err != nil || c == '}' {
		return err
	}
	for {
		if c != '"' {
			return errJSON
		}
		name, err := h.text(maxName)
		if err != nil {
			return err
		}
		if err := h.expect(':'); err != nil {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
		if c, err = h.token(); err != nil || c == '}' {
			return err
		}
		if c != ',' {
			return errJSON
		}
		if c, err = h.token(); err != nil {
			return err
		}
	}
}

// metadata reads a map of strings, or null, and keeps some of its fields.
func (h *header) metadata() error {
	wrong := errors.New("the safetensors header's __metadata__ is not a map of strings")
	c, err := h.token()
	if err != nil {
		return err
	}
	if c == 'n' {
		return h.word("ull")
	}
	if c != '{' {
		return wrong
	}
	c, err = h.token()
	for err == nil && c != '}' {
		if c != '"' {
			return errJSON
		}
		var name string
		if name, _, err = h.textUpTo(maxName); err != nil {
			return err
		}
		if err = h.expect(':'); err != nil {
			return err
		}
		if c, err = h.token(); err != nil {
			return err
		}
		if c != '"' {
			return wrong
		}
		if slices.Contains(keptMetadata, name) {
			value, whole, err := h.textUpTo(maxMetadata)
			if err != nil {
				return err
			}
			if whole {
				h.kept[name] = value
			}
		} else if err = h.skipText(); err != nil {
			return err
		}
		if c, err = h.token(); err != nil || c == '}' {
			return err
		}
		if c != ',' {
			return errJSON
		}
		if c, err = h.token(); c == '}' {
			return errJSON
		}
	}
	return err
}

func (h *header) word(rest string) error {
	for i := range len(rest) {
		c, err := h.must()
		if err != nil {
			return err
		}
		if c != rest[i] {
			return errJSON
		}
	}
	return nil
}

// entry reads a tensor's dtype, shape and data_offsets. Other fields are skipped, as the
// format's library does.
func (h *header) entry(name string) error {
	if h.seen[name] {
		return fmt.Errorf("the safetensors header names %q twice", name)
	}
	h.seen[name] = true
	if h.names += len(name); len(h.list) == maxTensors || h.names > maxNames {
		return fmt.Errorf("the file has more than %d tensors or names that are longer than any model's: it is no model that Imprompt reads", maxTensors)
	}
	if c, err := h.token(); err != nil {
		return err
	} else if c != '{' {
		return fmt.Errorf("the safetensors header's entry %q is not an object", name)
	}
	t := Tensor{Name: name}
	var offsets []int64
	fields := map[string]bool{}
	err := h.object(func(field string) error {
		known := field == "dtype" || field == "shape" || field == "data_offsets"
		if known && fields[field] {
			return fmt.Errorf("the safetensors header's entry %q has %q twice", name, field)
		}
		var err error
		switch field {
		case "dtype":
			t.DType, err = h.dtype(name)
		case "shape":
			var shape []int64
			if shape, err = h.numbers(name, field, maxDimensions); err == nil {
				t.Shape, err = dimensionsOf(name, shape)
			}
		case "data_offsets":
			offsets, err = h.numbers(name, field, 2)
			if err == nil && len(offsets) != 2 {
				err = fmt.Errorf("the safetensors header's entry %q has %d data_offsets and not 2", name, len(offsets))
			}
		default:
			return h.skip(0)
		}
		fields[field] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		if !fields[field] {
			return fmt.Errorf("the safetensors header's entry %q has no %s", name, field)
		}
	}
	return h.add(t, offsets[0], offsets[1])
}

// add checks a tensor against its type, its shape and the file.
func (h *header) add(t Tensor, from, to int64) error {
	width, ok := dtypeBits[t.DType]
	if !ok {
		return fmt.Errorf("tensor %q has the unknown type %q", t.Name, t.DType)
	}
	count := uint64(1)
	for _, s := range t.Shape {
		high, low := bits.Mul64(count, uint64(s))
		if high != 0 || low > math.MaxInt64/64 {
			return fmt.Errorf("tensor %q has the impossible shape %v", t.Name, t.Shape)
		}
		count = low
	}
	if to < from || to > h.fileSize-h.data {
		return fmt.Errorf("tensor %q is outside of the file: the file is cut off or damaged", t.Name)
	}
	if n := int64(count) * width; n%8 != 0 || to-from != n/8 {
		return fmt.Errorf("tensor %q takes %d bytes, but its shape %v of %s needs %d", t.Name, to-from, t.Shape, t.DType, n/8)
	}
	t.Begin, t.End = h.data+from, h.data+to
	h.list = append(h.list, t)
	return nil
}

func dimensionsOf(name string, sizes []int64) ([]int, error) {
	var shape []int
	for _, s := range sizes {
		if s > math.MaxInt32 {
			return nil, fmt.Errorf("tensor %q has the impossible shape %v", name, sizes)
		}
		shape = append(shape, int(s))
	}
	return shape, nil
}

func (h *header) dtype(name string) (string, error) {
	c, err := h.token()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", fmt.Errorf("the safetensors header's entry %q has a dtype that is no text", name)
	}
	return h.text(64)
}

// numbers reads a list of at most most whole numbers.
func (h *header) numbers(name, field string, most int) ([]int64, error) {
	wrong := fmt.Errorf("the safetensors header's entry %q has a %s that is no list of whole numbers", name, field)
	if field == "shape" {
		wrong = fmt.Errorf("tensor %q has an impossible shape: it should be a list of whole numbers", name)
	}
	c, err := h.token()
	if err != nil {
		return nil, err
	}
	if c != '[' {
		return nil, wrong
	}
	var list []int64
	if c, err = h.token(); err != nil || c == ']' {
		return list, err
	}
	for {
		if c < '0' || c > '9' || len(list) == most {
			return nil, wrong
		}
		first, n := c, int64(c-'0')
		for digits := 1; ; digits++ {
			if c, err = h.must(); err != nil {
				return nil, err
			}
			if c < '0' || c > '9' {
				break
			}
			if first == '0' || n > (math.MaxInt64-9)/10 {
				return nil, wrong
			}
			n = 10*n + int64(c-'0')
		}
		list = append(list, n)
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			if c, err = h.token(); err != nil {
				return nil, err
			}
		}
		switch c {
		case ']':
			return list, nil
		case ',':
			if c, err = h.token(); err != nil {
				return nil, err
			}
		default:
			return nil, wrong
		}
	}
}

// skip reads any value.
func (h *header) skip(depth int) error {
	c, err := h.token()
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return errJSON
	}
	switch c {
	case '"':
		return h.skipText()
	case '{':
		return h.object(func(string) error { return h.skip(depth + 1) })
	case '[':
		if c, err = h.token(); err != nil || c == ']' {
			return err
		}
		h.at-- // token took it from this buffer
		for {
			if err := h.skip(depth + 1); err != nil {
				return err
			}
			if c, err = h.token(); err != nil || c == ']' {
				return err
			}
			if c != ',' {
				return errJSON
			}
		}
	case 't':
		return h.word("rue")
	case 'f':
		return h.word("alse")
	case 'n':
		return h.word("ull")
	}
	return h.skipNumber(c)
}

// skipNumber reads the rest of a number by JSON's grammar.
func (h *header) skipNumber(c byte) error {
	var err error
	digits := func() error {
		if c < '0' || c > '9' {
			return errJSON
		}
		for err == nil && c >= '0' && c <= '9' {
			c, err = h.must()
		}
		return err
	}
	if c == '-' {
		if c, err = h.must(); err != nil {
			return err
		}
	}
	if c == '0' {
		c, err = h.must()
	} else {
		err = digits()
	}
	if err == nil && c == '.' {
		if c, err = h.must(); err == nil {
			err = digits()
		}
	}
	if err == nil && (c == 'e' || c == 'E') {
		if c, err = h.must(); err == nil && (c == '+' || c == '-') {
			c, err = h.must()
		}
		if err == nil {
			err = digits()
		}
	}
	if err == nil {
		h.at-- // the byte behind the number
	}
	return err
}

// text reads the rest of a string of at most most bytes.
func (h *header) text(most int) (string, error) {
	text, whole, err := h.textUpTo(most)
	if err == nil && !whole {
		err = errors.New("the safetensors header has a name that is longer than any model's: it is no model that Imprompt reads")
	}
	return text, err
}

// textUpTo reads the rest of a string of any length, and keeps about its first most bytes.
func (h *header) textUpTo(most int) (text string, whole bool, err error) {
	h.scratch = h.scratch[:0]
	whole = true
	for {
		c, err := h.must()
		if err != nil {
			return "", false, err
		}
		if c == '"' {
			return string(h.scratch), whole, nil
		}
		r, err := h.char(c)
		if err != nil {
			return "", false, err
		}
		if whole = len(h.scratch) <= most; whole {
			h.scratch = utf8.AppendRune(h.scratch, r)
		}
	}
}

// skipText reads the rest of a string of any length.
func (h *header) skipText() error {
	for {
		c, err := h.must()
		if err != nil || c == '"' {
			return err
		}
		if c >= ' ' && c < utf8.RuneSelf && c != '\\' {
			continue
		}
		if _, err := h.char(c); err != nil {
			return err
		}
	}
}

var errUTF8 = errors.New("the safetensors header is not valid UTF-8: the file is damaged")

// char reads the rest of a character within a string, which may be escaped.
func (h *header) char(c byte) (rune, error) {
	switch {
	case c == '\\':
		return h.escaped()
	case c < ' ':
		return 0, errJSON
	case c < utf8.RuneSelf:
		return rune(c), nil
	}
	b := [utf8.UTFMax]byte{c}
	for n := 1; n < len(b); n++ {
		if utf8.FullRune(b[:n]) {
			break
		}
		var err error
		if b[n], err = h.must(); err != nil {
			return 0, err
		}
		if utf8.FullRune(b[:n+1]) {
			r, size := utf8.DecodeRune(b[:n+1])
			if r == utf8.RuneError && size <= 1 {
				return 0, errUTF8
			}
			return r, nil
		}
	}
	return 0, errUTF8
}

func (h *header) escaped() (rune, error) {
	c, err := h.must()
	if err != nil {
		return 0, err
	}
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := h.hex()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if err := h.word(`\u`); err != nil {
			return 0, err
		}
		low, err := h.hex()
		if err != nil {
			return 0, err
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return 0, errUTF8
		}
		return r, nil
	}
	return 0, errJSON
}

func (h *header) hex() (rune, error) {
	var r rune
	for range 4 {
		c, err := h.must()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errJSON
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

// cover sorts the tensors, and checks that they cover the file.
func (h *header) cover() error {
	sort.Slice(h.list, func(i, j int) bool {
		a, b := h.list[i], h.list[j]
		if a.Begin != b.Begin {
			return a.Begin < b.Begin
		}
		return a.End < b.End
	})
	at := h.data
	for _, t := range h.list {
		if t.Begin != at {
			return fmt.Errorf("tensor %q begins at byte %d and the one before it ends at %d: the file is damaged", t.Name, t.Begin, at)
		}
		at = t.End
	}
	if at != h.fileSize {
		return fmt.Errorf("the tensors end at byte %d and the file at %d: the file is cut off or damaged", at, h.fileSize)
	}
	return nil
}
