package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

const (
	defaultMaxLength = 77 // CLIP's; tokenizer_config.json may lack model_max_length
	startOfText      = "<|startoftext|>"
	endOfText        = "<|endoftext|>"
)

// New reads a tokenizer from the contents of its files: vocab.json, merges.txt
// and tokenizer_config.json (nil where a model has none: then CLIP's values
// hold). All that is wrong in the configuration comes in one error.
func New(vocab, merges, config []byte) (*Tokenizer, error) {
	model, err := newBPE(vocab, merges)
	if err != nil {
		return nil, err
	}
	c, err := readConfig(config)
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

// configFile is what counts in tokenizer_config.json. CLIPTokenizer takes no
// notice of the rest (do_lower_case, errors, add_prefix_space).
type configFile struct {
	ModelMaxLength *float64              `json:"model_max_length"` // transformers writes 1e30 for "no limit"
	Bos            *addedToken           `json:"bos_token"`
	Eos            *addedToken           `json:"eos_token"`
	Unk            *addedToken           `json:"unk_token"`
	Pad            *addedToken           `json:"pad_token"`
	Additional     []addedToken          `json:"additional_special_tokens"`
	Decoder        map[string]addedToken `json:"added_tokens_decoder"`

	PaddingSide    string `json:"padding_side"`
	TruncationSide string `json:"truncation_side"`
}

func readConfig(text []byte) (*configFile, error) {
	c := &configFile{}
	if text != nil {
		if err := json.Unmarshal(text, c); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json%s: %w", lineOf(text, err), err)
		}
	}
	var problems []error
	if c.PaddingSide != "" && c.PaddingSide != "right" {
		problems = append(problems, fmt.Errorf("tokenizer_config.json: padding_side %q is not supported; CLIP's text encoders are padded on the right", c.PaddingSide))
	}
	if c.TruncationSide != "" && c.TruncationSide != "right" {
		problems = append(problems, fmt.Errorf("tokenizer_config.json: truncation_side %q is not supported; CLIP's prompts are cut on the right", c.TruncationSide))
	}
	for _, d := range []struct {
		token **addedToken
		name  string
	}{{&c.Bos, startOfText}, {&c.Eos, endOfText}, {&c.Unk, endOfText}, {&c.Pad, endOfText}} {
		if *d.token == nil {
			*d.token = &addedToken{Content: d.name, isString: true}
		}
	}
	return c, errors.Join(problems...)
}

func (c *configFile) maxLength() int {
	if c.ModelMaxLength == nil || *c.ModelMaxLength > math.MaxInt32 {
		return defaultMaxLength
	}
	return int(*c.ModelMaxLength)
}

// addedToken is a special token, written as a string or as an object.
type addedToken struct {
	Content    string `json:"content"`
	Normalized bool   `json:"normalized"` // look for it after NFC and lower case
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`

	isString bool
}

func (a *addedToken) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		*a = addedToken{isString: true}
		return json.Unmarshal(text, &a.Content)
	}
	if text[0] != '{' {
		return fmt.Errorf("a token is a text or an object with its content, not %s", text)
	}
	type plain addedToken
	return json.Unmarshal(text, (*plain)(a))
}
