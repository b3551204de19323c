package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Package archive/zip is not used because it does not say where an entry's header is. Without
// that, finding the data takes a read for each of a model's thousand entries, and over the network
// each read is a request.

// What a directory may hold: many times more than any model's.
const (
	maxEntries   = 200_000
	maxDirectory = 64 << 20
)

const (
	localHeader     = 30 // bytes, without the name and what comes after it
	centralHeader   = 46
	endOfDirectory  = 22
	endOfDirectory6 = 56
	locator         = 20
	hasDescriptor   = 1 << 3 // flag: the sizes come again after the data
	isEncrypted     = 1 << 0
	torchAlignment  = 64 // torch puts an entry's data at a multiple of this
)

// entry is a file in a zip archive.
type entry struct {
	name   string
	header int64 // where its local header begins
	end    int64 // where the next header begins
	size   int64 // of its data, uncompressed
	packed int64 // of its data as it is in the archive
	method uint16
	flags  uint16
	data   int64 // where its data begins; -1 before locate has found it
}

// archive is the directory of a zip archive.
type archive struct {
	file    file
	entries map[string]*entry
}

var (
	errNoZip      = errors.New("the file begins as a zip archive and has no directory at its end, so it is cut off: get it again")
	errDamagedZip = errors.New("the directory of the zip archive is damaged: get the file again")
)

// openArchive reads the directory of a zip archive, in zip64 format or not.
func openArchive(f file) (*archive, error) {
	n := min(f.size, endOfDirectory+1<<16)
	tail, err := f.read(f.size-n, n)
	if err != nil {
		return nil, err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < endOfDirectory {
		return nil, errNoZip
	}
	le := binary.LittleEndian
	end := tail[at:]
	count, size, start := uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	if at >= locator && bytes.HasPrefix(tail[at-locator:], []byte("PK\x06\x07")) {
		record := le.Uint64(tail[at-locator+8:])
		if record > uint64(f.size) || f.size-int64(record) < endOfDirectory6 {
			return nil, errDamagedZip
		}
		b, err := f.read(int64(record), endOfDirectory6)
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(b, []byte("PK\x06\x06")) {
			return nil, errDamagedZip
		}
		count, size, start = le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])
	}
	if start > uint64(f.size) || size > uint64(f.size)-start {
		return nil, errNoZip
	}
	if count > maxEntries || size > maxDirectory {
		return nil, fmt.Errorf("the zip archive has %d entries, more than any model's: get the .safetensors of the same model", count)
	}
	directory := tail
	if from := int64(start) - (f.size - n); from >= 0 {
		directory = tail[from : from+int64(size)]
	} else if directory, err = f.read(int64(start), int64(size)); err != nil {
		return nil, err
	}
	a := &archive{f, map[string]*entry{}}
	var list []*entry
	for range count {
		e, rest, err := readEntry(directory)
		if err != nil {
			return nil, err
		}
		if _, twice := a.entries[e.name]; twice {
			return nil, fmt.Errorf("the zip archive names %q twice, and programs differ in which one they read: get the file again", e.name)
		}
		a.entries[e.name] = e
		list = append(list, e)
		directory = rest
	}
	sort.Slice(list, func(i, j int) bool { return list[i].header < list[j].header })
	for i, e := range list {
		e.end = int64(start)
		if i+1 < len(list) {
			e.end = list[i+1].header
		}
		if e.end-e.header < localHeader+e.packed {
			return nil, errDamagedZip
		}
	}
	return a, nil
}

// readEntry reads the first entry of a directory, and returns the rest of the directory.
func readEntry(b []byte) (*entry, []byte, error) {
	le := binary.LittleEndian
	if len(b) < centralHeader || !bytes.HasPrefix(b, []byte("PK\x01\x02")) {
		return nil, nil, errDamagedZip
	}
	name, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	if len(b) < centralHeader+name+extra+comment {
		return nil, nil, errDamagedZip
	}
	e := &entry{name: string(b[centralHeader : centralHeader+name]), flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), data: -1}
	sizes := [3]uint64{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	fields := b[centralHeader+name : centralHeader+name+extra]
	for len(fields) >= 4 {
		id, n := le.Uint16(fields), int(le.Uint16(fields[2:]))
		if n > len(fields)-4 {
			break
		}
		if id == 1 { // zip64: those of the sizes that need it, in this order
			long := fields[4 : 4+n]
			for i := range sizes {
				if sizes[i] == 1<<32-1 && len(long) >= 8 {
					sizes[i], long = le.Uint64(long), long[8:]
				}
			}
		}
		fields = fields[4+n:]
	}
	for _, s := range sizes {
		if s > 1<<62 {
			return nil, nil, errDamagedZip
		}
	}
	e.size, e.packed, e.header = int64(sizes[0]), int64(sizes[1]), int64(sizes[2])
	return e, b[centralHeader+name+extra+comment:], nil
}

// check returns an error for an entry that cannot be read in its place.
func (e *entry) check() error {
	switch {
	case e.flags&isEncrypted != 0:
		return fmt.Errorf("the entry %q is encrypted: unpack the archive with its password and use the file in it", e.name)
	case e.method != 0:
		return fmt.Errorf("the entry %q is compressed, which torch does not do: another program has packed the file anew. Get the original file, or open it with torch and save it again", e.name)
	case e.size != e.packed:
		return errDamagedZip
	}
	return nil
}

// locate finds where the data of entries begins. Only the header before the data says it, so
// strictly every header has to be read. torch puts all data at multiples of 64, however, and if
// that leaves one possibility for each entry, then only the headers at both ends are read to make
// sure.
func (a *archive) locate(list []*entry) error {
	const few = 8
	if len(list) > few && placeAll(list) {
		for _, e := range []*entry{list[0], list[len(list)-1]} {
			placed := e.data
			if err := a.readHeader(e); err != nil {
				return err
			}
			if e.data != placed {
				return errDamagedZip
			}
		}
		return nil
	}
	for _, e := range list {
		if err := a.readHeader(e); err != nil {
			return err
		}
	}
	return nil
}

// placeAll sets data of all entries, and returns false where one has several possibilities.
func placeAll(list []*entry) bool {
	for _, e := range list {
		data, found := int64(-1), 0
		descriptors := []int64{0}
		if e.flags&hasDescriptor != 0 {
			descriptors = []int64{12, 16, 20, 24}
		}
		for _, d := range descriptors {
			at := e.end - d - e.packed
			if at%torchAlignment == 0 && at >= e.header+localHeader+int64(len(e.name)) {
				data = at
				found++
			}
		}
		if found != 1 {
			return false
		}
		e.data = data
	}
	return true
}

func (a *archive) readHeader(e *entry) error {
	b, err := a.file.read(e.header, localHeader)
	if err != nil {
		return err
	}
	return e.place(b)
}

// place finds where the entry's data begins, by its local header.
func (e *entry) place(header []byte) error {
	if !bytes.HasPrefix(header, []byte("PK\x03\x04")) {
		return errDamagedZip
	}
	e.data = e.header + localHeader + int64(binary.LittleEndian.Uint16(header[26:])) + int64(binary.LittleEndian.Uint16(header[28:]))
	if e.data > e.end-e.packed {
		return errDamagedZip
	}
	return nil
}

// openZip reads a zip archive of torch's.
func openZip(f file) (*File, error) {
	a, err := openArchive(f)
	if err != nil {
		return nil, err
	}
	var root string
	var main *entry
	for name, e := range a.entries {
		if folder, ok := strings.CutSuffix(name, "data.pkl"); ok && (folder == "" || strings.Count(folder, "/") == 1 && strings.HasSuffix(folder, "/")) {
			if main != nil {
				return nil, fmt.Errorf("the zip archive has two pickles, %s and %s, so the file is damaged: get it again", main.name, name)
			}
			root, main = folder, e
		}
	}
	if main == nil {
		return nil, errors.New("this is a zip archive that torch did not write: if there is a file of weights in it, unpack the archive and use that file")
	}
	if _, is := a.entries[root+"constants.pkl"]; is {
		return nil, errors.New("this is a TorchScript program and not a file of weights: get the weights of the same model, as .safetensors")
	}
	if err := main.check(); err != nil {
		return nil, err
	}
	if e := a.entries[root+"byteorder"]; e != nil {
		order, err := a.text(e)
		if err != nil {
			return nil, err
		}
		if order != "little" {
			return nil, errBigEndian
		}
	}
	if err := a.readHeader(main); err != nil {
		return nil, err
	}
	m := newMachine(f.open(main.data, main.size), main.size)
	value, err := m.run()
	if err != nil {
		return nil, err
	}
	tensors, texts, err := tensorsOf(value)
	if err != nil {
		return nil, err
	}
	used := map[*storage]*entry{}
	var list []*entry
	for _, t := range tensors {
		s := t.storage
		if used[s] != nil || t.count() == 0 {
			continue
		}
		e := a.entries[root+"data/"+s.key]
		if e == nil {
			return nil, fmt.Errorf("the numbers of the tensor %q are missing: the archive has no %s. Get the file again", t.name, root+"data/"+s.key)
		}
		if err := e.check(); err != nil {
			return nil, err
		}
		if e.size < s.bytes() {
			return nil, fmt.Errorf("the tensor %q is cut off: %s has %d bytes and should have %d. Get the file again", t.name, e.name, e.size, s.bytes())
		}
		used[s] = e
		list = append(list, e)
	}
	if err := a.locate(list); err != nil {
		return nil, err
	}
	return place(tensors, texts, func(s *storage) int64 {
		if e := used[s]; e != nil {
			return e.data
		}
		return 0
	}), nil
}

// text reads a short entry and its header in one read.
func (a *archive) text(e *entry) (string, error) {
	if err := e.check(); err != nil {
		return "", err
	}
	const longest = 4096
	if e.end-e.header > longest {
		return "", errDamagedZip
	}
	b, err := a.file.read(e.header, e.end-e.header)
	if err != nil {
		return "", err
	}
	if err := e.place(b); err != nil {
		return "", err
	}
	return string(b[e.data-e.header:][:e.size]), nil
}
