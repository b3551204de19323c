package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// magic is the value of the first pickle in torch's format from before 1.6: the number
// 0x1950a86a20f9469cfc6c, as its bytes from the lowest on.
const magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

var (
	errBigEndian = errors.New("the file was saved on a big-endian machine: open it with torch and save it again on another one")
	errNoTorch   = errors.New("this is a pickle that torch did not write, so it has no tensors: get the .safetensors of the same model")
)

// openLegacy reads torch's format from before version 1.6: pickles of the magic number, the
// version, what the machine was like, the object, and the list of the storages' keys; then, for
// each key, the number of its elements in 8 bytes and the elements
// (torch/serialization.py, _legacy_load).
func openLegacy(f file) (*File, error) {
	n := min(f.size, maxPickle)
	m := newMachine(f.open(0, n), n)
	first, err := m.run()
	if err != nil {
		return nil, err
	}
	if first != long(magic) {
		return nil, errNoTorch
	}
	version, err := m.run()
	if err != nil {
		return nil, err
	}
	switch v, ok := version.(int64); {
	case !ok: // it is not printed, because a value may be endless
		return nil, errDamaged
	case v != 1001:
		return nil, fmt.Errorf("this file has version %d of torch's old format, and 1001 is read: open it with torch and save it again", v)
	}
	system, err := m.run()
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*dict); !ok {
		return nil, errDamaged
	} else if little, _ := d.get("little_endian"); little == false {
		return nil, errBigEndian
	}
	value, err := m.run()
	if err != nil {
		return nil, err
	}
	keys, err := m.run()
	if err != nil {
		return nil, err
	}
	order, ok := keys.(*list)
	if !ok {
		return nil, errDamaged
	}
	tensors, texts, err := tensorsOf(value)
	if err != nil {
		return nil, err
	}
	at := m.passed
	places := map[string]int64{}
	last, count := int64(-1), int64(0)
	for _, k := range order.items {
		key, ok := k.(string)
		s := m.storages[key]
		if !ok || s == nil || len(places) == len(m.storages) {
			return nil, errDamaged
		}
		if _, twice := places[key]; twice || s.bytes() > f.size-8-at {
			return nil, errCutOff
		}
		last, count = at, s.count
		places[key] = at + 8
		at += 8 + s.bytes()
	}
	if last >= 0 {
		b, err := f.read(last, 8)
		if err != nil {
			return nil, err
		}
		if int64(binary.LittleEndian.Uint64(b)) != count {
			return nil, errDamaged
		}
	}
	for _, t := range tensors {
		if t.count() == 0 {
			continue
		}
		s := t.storage
		whole := m.storages[s.key]
		if _, ok := places[s.key]; !ok || (s.from+s.count)*s.width() > whole.bytes() {
			return nil, fmt.Errorf("the numbers of the tensor %q are missing: %w", t.name, errDamaged)
		}
	}
	return place(tensors, texts, func(s *storage) int64 { return places[s.key] + s.from*s.width() }), nil
}
