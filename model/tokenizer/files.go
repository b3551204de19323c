package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

func newBPE(vocab, merges []byte) (bpe, error) {
	ids, err := readVocab(vocab)
	if err != nil {
		return bpe{}, err
	}
	m := bpe{ids: ids, names: make(map[int32]string, len(ids))}
	for name, id := range ids {
		if other, taken := m.names[id]; taken {
			return m, fmt.Errorf("vocab.json gives the number %d both to %q and to %q; the file is damaged", id, min(name, other), max(name, other))
		}
		m.names[id] = name
		m.size = max(m.size, id+1)
	}
	m.merges, err = readMerges(merges, ids)
	return m, err
}

// readVocab reads vocab.json: an object of token text to number. It reads token
// by token, to be able to say which line is wrong.
func readVocab(text []byte) (map[string]int32, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	wrong := func(what string) error {
		return fmt.Errorf("vocab.json, line %d: %s", lineAt(text, d.InputOffset()), what)
	}
	if open, err := d.Token(); err != nil {
		return nil, wrong("this is not JSON: " + err.Error())
	} else if open != json.Delim('{') {
		return nil, wrong("expected an object that gives each token its number")
	}
	ids := map[string]int32{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, wrong("this is not JSON: " + err.Error())
		}
		name, _ := key.(string) // an object's keys are strings, or Token fails
		value, err := d.Token()
		if err != nil {
			return nil, wrong("this is not JSON: " + err.Error())
		}
		number, ok := value.(json.Number)
		if !ok {
			return nil, wrong(fmt.Sprintf("the token %q has %v for a number", name, value))
		}
		id, err := number.Int64()
		if err != nil || id < 0 || id >= 1<<30 {
			return nil, wrong(fmt.Sprintf("the token %q has the number %s; expected a whole number from 0", name, number))
		}
		ids[name] = int32(id)
	}
	if _, err := d.Token(); err != nil {
		return nil, wrong("the file ends before the object does; it may have been cut off")
	}
	if len(ids) == 0 {
		return nil, errors.New("vocab.json has no tokens")
	}
	return ids, nil
}

// readMerges reads merges.txt: two tokens a line, the first merges first. A
// line that begins with #version is a heading.
func readMerges(text []byte, ids map[string]int32) (map[[2]int32]merge, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("merges.txt is not UTF-8 text; the file is damaged, or another kind of file")
	}
	merges := map[[2]int32]merge{}
	lines := strings.Split(string(text), "\n")
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "#version") {
			continue
		}
		wrong := func(what string) error { return fmt.Errorf("merges.txt, line %d: %s", i+1, what) }
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, wrong(fmt.Sprintf("expected two tokens with one blank between them, found %q", line))
		}
		var id [3]int32
		for j, name := range []string{left, right, left + right} {
			if id[j], ok = ids[name]; !ok {
				return nil, wrong(fmt.Sprintf("the token %q is not in vocab.json; the two files belong to different models, or one is damaged", name))
			}
		}
		merges[[2]int32{id[0], id[1]}] = merge{rank: i, id: id[2]}
	}
	return merges, nil
}

// lineAt returns the number, from 1, of the line that holds the byte at offset.
func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
}

// lineOf names the line that a JSON error is about, where the error knows it.
func lineOf(text []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf(", line %d", lineAt(text, syntax.Offset))
	case errors.As(err, &kind):
		return fmt.Sprintf(", line %d", lineAt(text, kind.Offset))
	}
	return ""
}
