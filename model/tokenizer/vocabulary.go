package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// vocabulary holds the tokens and merges that the files declare.
type vocabulary struct {
	file   string // the file that has the tokens
	ids    map[string]int32
	merges []mergeRule // in order of priority
	added  []declaration
}

// mergeRule is one merge, with its place in the file for errors.
type mergeRule struct {
	left, right string
	at          string
}

// declaration is an added token with its number, and the file that declares it.
type declaration struct {
	file  string
	id    int32
	token addedToken
}

// bpe translates the merges to token numbers.
func (v *vocabulary) bpe() (bpe, error) {
	m := bpe{ids: v.ids, names: make(map[int32]string, len(v.ids)), merges: make(map[[2]int32]merge, len(v.merges))}
	for name, id := range v.ids {
		if other, taken := m.names[id]; taken {
			return m, fmt.Errorf("%s gives the number %d both to %q and to %q; the file is damaged", v.file, id, min(name, other), max(name, other))
		}
		m.names[id] = name
		m.size = max(m.size, id+1)
	}
	for rank, p := range v.merges {
		var id [3]int32
		for j, name := range []string{p.left, p.right, p.left + p.right} {
			var ok bool
			if id[j], ok = v.ids[name]; !ok {
				return m, fmt.Errorf("%s: the token %q is not in %s; they belong to different models, or one is damaged", p.at, name, v.file)
			}
		}
		m.merges[[2]int32{id[0], id[1]}] = merge{rank: rank, id: id[2]}
	}
	return m, nil
}

func readVocabAndMerges(vocab, merges []byte) (*vocabulary, error) {
	v := &vocabulary{file: "vocab.json"}
	var err error
	v.ids, err = readVocab(vocab, func(offset int64) string { return fmt.Sprintf("vocab.json, line %d", lineAt(vocab, offset)) })
	if err != nil {
		return nil, err
	}
	v.merges, err = readMerges(merges)
	return v, err
}

// readVocab reads an object of token text to number. It reads token by token, so that it
// can say where a mistake is.
func readVocab(text []byte, at func(offset int64) string) (map[string]int32, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	wrong := func(what string) error { return fmt.Errorf("%s: %s", at(d.InputOffset()), what) }
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
			return nil, wrong(fmt.Sprintf("the token %q has the number %s; expected a whole number of at least 0", name, number))
		}
		ids[name] = int32(id)
	}
	if _, err := d.Token(); err != nil {
		return nil, wrong("the file ends before the object does; it may have been cut off")
	}
	if len(ids) == 0 {
		return nil, wrong("there are no tokens")
	}
	return ids, nil
}

// readMerges reads merges.txt: two tokens per line, in order of priority. A line that begins
// with #version is a heading.
func readMerges(text []byte) ([]mergeRule, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("merges.txt is not UTF-8 text; the file is damaged, or a different kind of file")
	}
	var merges []mergeRule
	lines := strings.Split(string(text), "\n")
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "#version") {
			continue
		}
		p, err := splitRule(line, fmt.Sprintf("merges.txt, line %d", i+1))
		if err != nil {
			return nil, err
		}
		merges = append(merges, p)
	}
	return merges, nil
}

func splitRule(text, at string) (mergeRule, error) {
	left, right, ok := strings.Cut(text, " ")
	if !ok || left == "" || right == "" || strings.Contains(right, " ") {
		return mergeRule{}, fmt.Errorf("%s: expected two tokens with one blank between them, found %q", at, text)
	}
	return mergeRule{left, right, at}, nil
}

// readTokenizerJSON reads the vocabulary, the merges and the added tokens from
// tokenizer.json. As in transformers' CLIPTokenizer, everything else is as in CLIP, whatever
// the file says. But a different kind of tokenizer is an error.
func readTokenizerJSON(text []byte) (*vocabulary, error) {
	var file struct {
		Model struct {
			Type   string
			Suffix string `json:"end_of_word_suffix"`
			Vocab  json.RawMessage
			Merges []json.RawMessage
		}
		Added []struct {
			addedTokenFields
			ID int32
		} `json:"added_tokens"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("tokenizer.json%s: %w", lineOf(text, err), err)
	}
	m := file.Model
	if m.Type != "BPE" || m.Suffix != endOfWord {
		return nil, fmt.Errorf("tokenizer.json holds a tokenizer of type %q with the end-of-word suffix %q; CLIP's is BPE with %q", m.Type, m.Suffix, endOfWord)
	}
	v := &vocabulary{file: "tokenizer.json"}
	var err error
	if v.ids, err = readVocab(m.Vocab, func(int64) string { return "tokenizer.json, model.vocab" }); err != nil {
		return nil, err
	}
	for i, merge := range m.Merges {
		at := fmt.Sprintf("tokenizer.json, merge %d", i+1)
		p := mergeRule{at: at}
		var one string
		var two [2]string
		switch {
		case json.Unmarshal(merge, &one) == nil:
			if p, err = splitRule(one, at); err != nil {
				return nil, err
			}
		case json.Unmarshal(merge, &two) == nil && two[0] != "" && two[1] != "":
			p.left, p.right = two[0], two[1]
		default:
			return nil, fmt.Errorf("%s: expected two tokens, found %s", at, merge)
		}
		v.merges = append(v.merges, p)
	}
	for _, a := range file.Added {
		v.added = append(v.added, declaration{"added_tokens of tokenizer.json", a.ID, addedToken{addedTokenFields: a.addedTokenFields}})
	}
	return v, nil
}

// lineAt returns the number, from 1, of the line that holds the byte at offset.
func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
}

// lineOf names the line that a JSON error is about, if the error has an offset.
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
