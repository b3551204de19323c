package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// What a pickle may hold. Values refer to each other, and what an opcode copies is counted like
// opcodes (charge). The number of opcodes and the length of the texts that are kept therefore
// bound the memory and the time that any file can take.
const (
	maxPickle = 64 << 20 // bytes
	maxOps    = 1_000_000
	maxLine   = 1024
	maxText   = 4096 // a longer text is passed over: it is no name
	maxTexts  = 16 << 20
)

var (
	errTooLarge = errors.New("the pickle is larger than any model's: get the .safetensors of the same model")
	errShort    = errors.New("the pickle ends early, so the file is cut off or damaged: get it again")
)

// The opcodes (CPython, Lib/pickletools.py).
const (
	opMark, opStop, opPop, opPopMark, opDup                                 = '(', '.', '0', '1', '2'
	opNone, opTrue, opFalse                                                 = 'N', 0x88, 0x89
	opInt, opBinInt, opBinInt1, opBinInt2, opLong, opLong1, opLong4         = 'I', 'J', 'K', 'M', 'L', 0x8a, 0x8b
	opFloat, opBinFloat                                                     = 'F', 'G'
	opString, opBinString, opShortBinString                                 = 'S', 'T', 'U'
	opUnicode, opBinUnicode, opShortBinUnicode, opBinUnicode8               = 'V', 'X', 0x8c, 0x8d
	opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8                  = 'B', 'C', 0x8e, 0x96
	opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3                     = ')', 't', 0x85, 0x86, 0x87
	opEmptyList, opList, opAppend, opAppends                                = ']', 'l', 'a', 'e'
	opEmptyDict, opDict, opSetItem, opSetItems                              = '}', 'd', 's', 'u'
	opEmptySet, opAddItems, opFrozenSet                                     = 0x8f, 0x90, 0x91
	opGlobal, opStackGlobal, opInst, opObj                                  = 'c', 0x93, 'i', 'o'
	opReduce, opBuild, opNewObj, opNewObjEx                                 = 'R', 'b', 0x81, 0x92
	opGet, opBinGet, opLongBinGet, opPut, opBinPut, opLongBinPut, opMemoize = 'g', 'h', 'j', 'p', 'q', 'r', 0x94
	opPersID, opBinPersID                                                   = 'P', 'Q'
	opProto, opFrame                                                        = 0x80, 0x95
	opExt1, opExt2, opExt4                                                  = 0x82, 0x83, 0x84
	opNextBuffer, opReadOnlyBuffer                                          = 0x97, 0x98
)

// A value is nil, a bool, an int64, a float64, a string, or one of these.
type (
	long   string // a whole number beyond int64, as its bytes from the lowest on
	global struct{ module, name string }
	tuple  []any
	list   struct{ items []any }
	dict   struct {
		keys, values []any
		index        map[string]int // of the keys that are strings
	}
	// object is whatever else a file may have: its class, and its content for the few classes
	// that contain tensors.
	object struct {
		class global
		state any
	}
	// opaque is a text or a set that is not kept.
	opaque struct{}
)

func (g global) String() string { return g.module + "." + g.name }

func (d *dict) get(key string) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.values[i], true
}

func (d *dict) set(key, value any) {
	if k, ok := key.(string); ok {
		if i, there := d.index[k]; there {
			d.values[i] = value
			return
		}
		if d.index == nil {
			d.index = map[string]int{}
		}
		d.index[k] = len(d.keys)
	}
	d.keys, d.values = append(d.keys, key), append(d.values, value)
}

// sequence returns the values of a tuple or a list.
func sequence(v any) (items []any, ok bool) {
	switch v := v.(type) {
	case tuple:
		return v, true
	case *list:
		return v.items, true
	}
	return nil, false
}

// machine runs pickles.
type machine struct {
	in       *bufio.Reader
	size     int64
	passed   int64 // bytes that were read
	ops      int
	texts    int
	stack    []any
	marks    []int
	memo     []any               // writers of pickles number its places from 0
	storages map[string]*storage // by key
}

func newMachine(r io.Reader, size int64) *machine {
	return &machine{in: bufio.NewReader(r), size: size, storages: map[string]*storage{}}
}

// run reads one pickle, and returns the value that it stands for.
func (m *machine) run() (value any, err error) {
	if m.size > maxPickle {
		return nil, errTooLarge
	}
	m.stack, m.marks, m.memo = nil, nil, nil
	for {
		op, err := m.byte()
		if err != nil {
			return nil, err
		}
		if err := m.charge(1); err != nil {
			return nil, err
		}
		if op == opStop {
			return m.pop()
		}
		if err := m.step(op); err != nil {
			return nil, err
		}
	}
}

// charge counts opcodes, and values that one opcode copies.
func (m *machine) charge(n int) error {
	if m.ops += n; m.ops > maxOps {
		return errTooLarge
	}
	return nil
}

func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		v, err := m.byte()
		if err == nil && v > 5 {
			err = fmt.Errorf("the pickle has protocol %d, and 0 to 5 are read", v)
		}
		return err
	case opFrame:
		_, err := m.bytes(8)
		return err
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return nil
	case opPop:
		if len(m.marks) > 0 && m.marks[len(m.marks)-1] == len(m.stack) {
			m.marks = m.marks[:len(m.marks)-1]
			return nil
		}
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	case opDup:
		v, err := m.top()
		m.push(v)
		return err
	case opNone:
		m.push(nil)
	case opTrue, opFalse:
		m.push(op == opTrue)
	case opInt, opLong, opFloat, opString, opUnicode:
		return m.line(op)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return m.number(op)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return m.text(op)
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3, opEmptyList, opList, opAppend, opAppends,
		opEmptyDict, opDict, opSetItem, opSetItems, opEmptySet, opAddItems, opFrozenSet:
		return m.container(op)
	case opGlobal, opStackGlobal, opInst, opObj, opReduce, opNewObj, opNewObjEx, opBuild, opPersID, opBinPersID:
		return m.construct(op)
	case opGet, opBinGet, opLongBinGet, opPut, opBinPut, opLongBinPut, opMemoize:
		return m.remember(op)
	case opExt1, opExt2, opExt4:
		return errors.New("the pickle refers to a registry of extensions, which files of weights do not do: get the .safetensors of the same model")
	case opNextBuffer, opReadOnlyBuffer:
		return errors.New("the pickle refers to buffers outside of the file, which files of weights do not do: get the .safetensors of the same model")
	default:
		return errDamaged
	}
	return nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the height of the stack above the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errDamaged
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popMark takes all values above the last mark, and the mark. They are valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errDamaged
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

// popN takes the last n values.
func (m *machine) popN(n int) ([]any, error) {
	at := len(m.stack) - n
	if at < m.floor() {
		return nil, errDamaged
	}
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) byte() (byte, error) {
	c, err := m.in.ReadByte()
	if err == nil {
		m.passed++
	}
	return c, short(err)
}

// bytes reads up to 255 bytes.
func (m *machine) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(m.in, b)
	m.passed += int64(n)
	return b, short(err)
}

// uint reads a whole number of n bytes.
func (m *machine) uint(n int) (uint64, error) {
	b, err := m.bytes(n)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(append(b, make([]byte, 8-n)...)), nil
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}

// keep returns the next n bytes as a text, or passes over them if they are too long for a name.
func (m *machine) keep(n uint64) (any, error) {
	if n > maxPickle {
		return nil, errShort
	}
	if n > maxText {
		_, err := m.in.Discard(int(n))
		m.passed += int64(n)
		return opaque{}, short(err)
	}
	if m.texts += int(n); m.texts > maxTexts {
		return nil, errTooLarge
	}
	b, err := m.bytes(int(n))
	return string(b), err
}

func (m *machine) readLine() (string, error) {
	var b []byte
	for {
		c, err := m.byte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return strings.TrimSuffix(string(b), "\r"), nil
		}
		if b = append(b, c); len(b) > maxLine {
			return "", errDamaged
		}
	}
}

// line reads the values of the protocols 0 and 1 that are lines of text.
func (m *machine) line(op byte) error {
	s, err := m.readLine()
	if err != nil {
		return err
	}
	if m.texts += len(s); m.texts > maxTexts {
		return errTooLarge
	}
	var v any = s
	switch op {
	case opInt, opLong:
		switch n, wrong := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64); {
		case op == opInt && (s == "00" || s == "01"):
			v = s == "01"
		case wrong != nil:
			v = opaque{}
		default:
			v = n
		}
	case opFloat:
		v, _ = strconv.ParseFloat(s, 64)
	case opString:
		v = strings.Trim(s, `'"`)
	}
	m.push(v)
	return nil
}

func (m *machine) number(op byte) error {
	width := 4
	switch op {
	case opLong1:
		return m.long(1)
	case opLong4:
		return m.long(4)
	case opBinInt1:
		width = 1
	case opBinInt2:
		width = 2
	case opBinFloat:
		b, err := m.bytes(8)
		if err != nil {
			return err
		}
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		return nil
	}
	v, err := m.uint(width)
	if op == opBinInt { // the only one with a sign
		m.push(int64(int32(v)))
	} else {
		m.push(int64(v))
	}
	return err
}

// long reads a whole number of any length, whose length takes n bytes.
func (m *machine) long(n int) error {
	length, err := m.uint(n)
	if err != nil {
		return err
	}
	v, err := m.keep(length)
	if err != nil {
		return err
	}
	if s, ok := v.(string); ok && len(s) <= 8 {
		b := append([]byte(s), make([]byte, 8-len(s))...)
		if len(s) > 0 && s[len(s)-1] >= 0x80 { // negative
			for i := len(s); i < 8; i++ {
				b[i] = 0xff
			}
		}
		v = int64(binary.LittleEndian.Uint64(b))
	} else if ok {
		v = long(s)
	}
	m.push(v)
	return nil
}

func (m *machine) text(op byte) error {
	width := 4
	switch op {
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		width = 1
	case opBinUnicode8, opBinBytes8, opByteArray8:
		width = 8
	}
	n, err := m.uint(width)
	if err != nil {
		return err
	}
	v, err := m.keep(n)
	m.push(v)
	return err
}

func (m *machine) container(op byte) error {
	switch op {
	case opEmptyTuple:
		m.push(tuple{})
	case opTuple1, opTuple2, opTuple3:
		items, err := m.popN(int(op-opTuple1) + 1)
		if err != nil {
			return err
		}
		m.push(copied(items))
	case opEmptyList:
		m.push(&list{})
	case opEmptyDict:
		m.push(&dict{})
	case opEmptySet:
		m.push(opaque{})
	case opAppend:
		items, err := m.popN(1)
		if err != nil {
			return err
		}
		return m.extend(items)
	case opSetItem:
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		return m.setItems(items)
	default:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		switch op {
		case opTuple:
			m.push(copied(items))
		case opList:
			m.push(&list{copied(items)})
		case opAppends:
			return m.extend(items)
		case opDict:
			items = copied(items)
			m.push(&dict{})
			return m.setItems(items)
		case opSetItems:
			return m.setItems(items)
		case opAddItems:
			_, err := m.top()
			return err
		case opFrozenSet:
			m.push(opaque{})
		}
	}
	return nil
}

// copied takes values off the stack, whose place the next push uses again.
func copied(items []any) tuple { return append(tuple{}, items...) }

func (m *machine) extend(items []any) error {
	v, err := m.top()
	if l, ok := v.(*list); ok {
		l.items = append(l.items, items...)
	}
	return err
}

func (m *machine) setItems(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errDamaged
	}
	if o, ok := v.(*object); ok {
		if o.state == nil {
			o.state = &dict{}
		}
		v = o.state
	}
	if d, ok := v.(*dict); ok {
		for i := 0; i < len(items); i += 2 {
			d.set(items[i], items[i+1])
		}
	}
	return nil
}

func (m *machine) remember(op byte) error {
	var at int64
	var err error
	switch op {
	case opGet, opPut:
		var s string
		if s, err = m.readLine(); err == nil {
			if at, err = strconv.ParseInt(s, 10, 64); err != nil {
				err = errDamaged
			}
		}
	case opBinGet, opBinPut:
		var n uint64
		n, err = m.uint(1)
		at = int64(n)
	case opLongBinGet, opLongBinPut:
		var n uint64
		n, err = m.uint(4)
		at = int64(n)
	case opMemoize:
		at = int64(len(m.memo))
	}
	if err != nil {
		return err
	}
	if op == opGet || op == opBinGet || op == opLongBinGet {
		if at < 0 || at >= int64(len(m.memo)) {
			return errDamaged
		}
		m.push(m.memo[at])
		return nil
	}
	v, err := m.top()
	if err != nil || at < 0 || at >= maxOps {
		return errDamaged
	}
	for int64(len(m.memo)) <= at {
		m.memo = append(m.memo, nil)
	}
	m.memo[at] = v
	return nil
}
