package tokenizer

import (
	"errors"
	"fmt"
	"os"
)

// Files are the contents of the files that a tokenizer is read from. A file that the
// folder does not have is nil.
type Files struct {
	Vocab  []byte // vocab.json, with Merges
	Merges []byte // merges.txt

	// Tokenizer is tokenizer.json, which holds vocabulary, merges and added tokens. It is
	// all that transformers 5 writes beside tokenizer_config.json.
	Tokenizer []byte

	Config           []byte // tokenizer_config.json; without it CLIP's values apply
	SpecialTokensMap []byte // special_tokens_map.json, which older versions wrote
	AddedTokens      []byte // added_tokens.json, which older versions wrote
}

// Open reads a tokenizer from a folder. read returns the content of a file in that folder,
// or, if there is no such file, an error that is os.ErrNotExist.
func Open(read func(name string) ([]byte, error)) (*Tokenizer, error) {
	var f Files
	var problems []error
	file := func(name string) []byte {
		text, err := read(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
		return text
	}
	f.Vocab, f.Merges = file("vocab.json"), file("merges.txt")
	if f.Vocab == nil || f.Merges == nil {
		f.Vocab, f.Merges = nil, nil
		f.Tokenizer = file("tokenizer.json")
	}
	f.Config = file("tokenizer_config.json")
	if mayHaveOlderFiles(f.Config) {
		f.SpecialTokensMap, f.AddedTokens = file("special_tokens_map.json"), file("added_tokens.json")
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return New(f)
}

// New reads a tokenizer from the contents of its files. One error names everything that is
// wrong in the configuration.
func New(f Files) (*Tokenizer, error) {
	var v *vocabulary
	var err error
	switch {
	case f.Vocab != nil && f.Merges != nil:
		v, err = readVocabAndMerges(f.Vocab, f.Merges)
	case f.Tokenizer != nil:
		v, err = readTokenizerJSON(f.Tokenizer)
	default:
		err = errors.New("the tokenizer has neither vocab.json and merges.txt nor tokenizer.json")
	}
	if err != nil {
		return nil, err
	}
	model, err := v.bpe()
	if err != nil {
		return nil, err
	}
	c, err := readConfig(f, v.added)
	if err != nil {
		return nil, err
	}

	t := &Tokenizer{MaxLength: c.maxLength(), model: model}
	if t.MaxLength < 3 {
		return nil, fmt.Errorf("tokenizer_config.json: model_max_length is %d; a prompt needs room for its start, its end and at least one token", t.MaxLength)
	}
	if t.special, err = c.specialTokens(&t.model); err != nil {
		return nil, err
	}
	t.bos = t.special.id(c.Bos.Content)
	t.eos = t.special.id(c.Eos.Content)
	t.pad = t.special.id(c.Pad.Content)
	t.model.unknown = t.special.id(c.Unk.Content)
	return t, nil
}
