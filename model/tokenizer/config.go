package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

const (
	defaultMaxLength = 77   // CLIP's; tokenizer_config.json may lack model_max_length
	mostLength       = 8192 // a higher value means no limit, because no text encoder of this family reads that many tokens
	startOfText      = "<|startoftext|>"
	endOfText        = "<|endoftext|>"
)

// configFile holds the fields of tokenizer_config.json that matter. CLIPTokenizer ignores
// the rest (do_lower_case, errors, add_prefix_space).
type configFile struct {
	ModelMaxLength *float64 `json:"model_max_length"` // transformers writes 1e30 for "no limit"
	specialTokensMap
	Decoder map[string]addedToken `json:"added_tokens_decoder"`

	PaddingSide    string `json:"padding_side"`
	TruncationSide string `json:"truncation_side"`

	added []declaration
}

// specialTokensMap holds the fields of special_tokens_map.json, which tokenizer_config.json
// has, too.
type specialTokensMap struct {
	Bos        *addedToken  `json:"bos_token"`
	Eos        *addedToken  `json:"eos_token"`
	Unk        *addedToken  `json:"unk_token"`
	Pad        *addedToken  `json:"pad_token"`
	Additional []addedToken `json:"additional_special_tokens"`
}

// readConfig reads everything that a folder says about special and added tokens, in the order
// of transformers' PreTrainedTokenizerBase._from_pretrained: added_tokens_decoder, or, in
// older folders without it, special_tokens_map.json, added_tokens.json and tokenizer.json.
func readConfig(f Files, fromTokenizer []declaration) (*configFile, error) {
	c := &configFile{}
	if err := readJSON("tokenizer_config.json", f.Config, c); err != nil {
		return nil, err
	}
	var problems []error
	if c.PaddingSide != "" && c.PaddingSide != "right" {
		problems = append(problems, fmt.Errorf("tokenizer_config.json: padding_side %q is not supported; CLIP's text encoders are padded on the right", c.PaddingSide))
	}
	if c.TruncationSide != "" && c.TruncationSide != "right" {
		problems = append(problems, fmt.Errorf("tokenizer_config.json: truncation_side %q is not supported; CLIP's prompts are cut on the right", c.TruncationSide))
	}
	if c.Decoder == nil {
		// The map's tokens replace the configuration's tokens of the same name.
		if err := readJSON("special_tokens_map.json", f.SpecialTokensMap, &c.specialTokensMap); err != nil {
			return nil, err
		}
	}
	for _, d := range []struct {
		token **addedToken
		name  string
	}{{&c.Bos, startOfText}, {&c.Eos, endOfText}, {&c.Unk, endOfText}, {&c.Pad, endOfText}} {
		if *d.token == nil {
			*d.token = &addedToken{addedTokenFields: addedTokenFields{Content: d.name}}
		}
	}
	problems = append(problems, c.declare(f.AddedTokens, fromTokenizer))
	return c, errors.Join(problems...)
}

// mayHaveOlderFiles reports whether special_tokens_map.json and added_tokens.json can matter.
// added_tokens_decoder replaces them, and transformers 5, which names its backend, does not
// write them. Requesting a file that does not exist shows an error in the browser's console.
func mayHaveOlderFiles(config []byte) bool {
	var c struct {
		Backend string
		Decoder map[string]json.RawMessage `json:"added_tokens_decoder"`
	}
	return json.Unmarshal(config, &c) != nil || c.Backend == "" && c.Decoder == nil
}

// declare lists the added tokens.
func (c *configFile) declare(addedTokens []byte, fromTokenizer []declaration) error {
	if c.Decoder != nil {
		var problems []error
		for _, key := range slices.Sorted(maps.Keys(c.Decoder)) {
			id, err := strconv.ParseInt(key, 10, 32)
			if err != nil || id < 0 {
				problems = append(problems, fmt.Errorf("tokenizer_config.json: added_tokens_decoder has the key %q, which is not a token's number", key))
				continue
			}
			c.added = append(c.added, declaration{"added_tokens_decoder of tokenizer_config.json", int32(id), c.Decoder[key]})
		}
		return errors.Join(problems...)
	}
	var old map[string]int32
	if err := readJSON("added_tokens.json", addedTokens, &old); err != nil {
		return err
	}
	special := map[string]bool{}
	for _, t := range []*addedToken{c.Bos, c.Eos, c.Unk, c.Pad} {
		special[t.Content] = true
	}
	for _, t := range c.Additional {
		special[t.Content] = true
	}
	for _, content := range slices.Sorted(maps.Keys(old)) {
		if old[content] < 0 {
			return fmt.Errorf("added_tokens.json gives %q the number %d; expected a whole number of at least 0", content, old[content])
		}
		token := addedToken{addedTokenFields: addedTokenFields{Content: content, Normalized: !special[content]}}
		c.added = append(c.added, declaration{"added_tokens.json", old[content], token})
	}
	c.added = append(c.added, fromTokenizer...)
	return nil
}

// readJSON reads a file into v. A file that is not there changes nothing.
func readJSON(name string, text []byte, v any) error {
	if text == nil {
		return nil
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s%s: %w", name, lineOf(text, err), err)
	}
	return nil
}

func (c *configFile) maxLength() int {
	if c.ModelMaxLength == nil || *c.ModelMaxLength > mostLength {
		return defaultMaxLength
	}
	return int(*c.ModelMaxLength)
}

// addedToken is a special or an added token, written as a string or as an object.
type addedToken struct{ addedTokenFields }

type addedTokenFields struct {
	Content    string `json:"content"`
	Normalized bool   `json:"normalized"` // look for it after NFC and lower case
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
}

func (a *addedToken) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		*a = addedToken{}
		return json.Unmarshal(text, &a.Content)
	}
	if text[0] != '{' {
		return fmt.Errorf("a token is a text or an object with its content, not %s", text)
	}
	return json.Unmarshal(text, &a.addedTokenFields)
}
