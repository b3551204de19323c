package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// specialTokens are tokens with a meaning of their own. A text may spell them out, and they
// are then not cut into pieces.
type specialTokens struct {
	ids   map[string]int32
	names map[int32]string
	model *bpe

	// The tokens to look for in the text as it was typed, and those to look for in the
	// normalized text. The longest comes first.
	raw, normalized []string
}

// specialTokens collects the tokens that the configuration names. As in transformers, a
// later mention replaces an earlier one, so a pad_token that is a plain string makes an
// eos_token of the same name raw.
func (c *configFile) specialTokens(model *bpe) (specialTokens, error) {
	s := specialTokens{ids: map[string]int32{}, names: map[int32]string{}, model: model}
	normalized := map[string]bool{}
	var problems []error

	add := func(field string, a addedToken, id int32) {
		switch {
		case a.Content == "":
			problems = append(problems, fmt.Errorf("%s is empty. Give the token's text", field))
			return
		case a.SingleWord || a.LStrip || a.RStrip:
			problems = append(problems, fmt.Errorf("%s %q asks for single_word, lstrip or rstrip, which are not supported. Set them to false", field, a.Content))
			return
		}
		s.ids[a.Content], s.names[id] = id, a.Content
		normalized[a.Content] = a.Normalized
	}

	declared := map[string]addedToken{}
	for _, d := range c.added {
		content := d.token.Content
		if known, ok := model.ids[content]; ok && known != d.id {
			problems = append(problems, fmt.Errorf("%s gives %q the number %d, but the vocabulary gives it %d; the files belong to different models", d.file, content, d.id, known))
			continue
		}
		declared[content] = d.token
		add(d.file, d.token, d.id)
	}

	named := []struct {
		field string
		token addedToken
	}{{"bos_token", *c.Bos}, {"eos_token", *c.Eos}, {"unk_token", *c.Unk}, {"pad_token", *c.Pad}}
	for _, n := range named {
		id, ok := model.ids[n.token.Content]
		if !ok {
			id, ok = s.ids[n.token.Content]
		}
		if !ok && n.token.Content != "" {
			problems = append(problems, fmt.Errorf("%s %q is not in the vocabulary; the vocabulary and tokenizer_config.json belong to different models, or one is damaged", n.field, n.token.Content))
			continue
		}
		add(n.field, like(declared, n.token), id)
	}
	next := model.size
	for _, token := range c.Additional {
		id, ok := model.ids[token.Content]
		if !ok {
			id, ok = s.ids[token.Content]
		}
		if !ok {
			id, next = next, next+1
		}
		add("additional_special_tokens", like(declared, token), id)
	}
	if err := errors.Join(problems...); err != nil {
		return s, err
	}

	for content, after := range normalized {
		if after {
			s.normalized = append(s.normalized, content)
		} else {
			s.raw = append(s.raw, content)
		}
	}
	longestFirst := func(a, b string) int { return len(b) - len(a) }
	slices.SortFunc(s.raw, longestFirst)
	slices.SortFunc(s.normalized, longestFirst)
	return s, nil
}

// like returns the declaration of a token, or the token itself if there is none.
func like(declared map[string]addedToken, a addedToken) addedToken {
	if d, ok := declared[a.Content]; ok {
		return d
	}
	return a
}

func (s *specialTokens) id(content string) int32 { return s.ids[content] }

// name returns the text of a token, special or not.
func (s *specialTokens) name(id int32) string {
	if name, ok := s.names[id]; ok {
		return name
	}
	return s.model.names[id]
}

// A part is a part of a text: a special token, or the text between two of them.
type part struct {
	text      string
	id        int32
	isSpecial bool
}

func (s *specialTokens) splitRaw(text string) []part {
	return s.split(text, s.raw, func(t string) string { return t })
}

func (s *specialTokens) splitNormalized(text string) []part {
	return s.split(text, s.normalized, normalize)
}

// split separates the tokens from the text, leftmost first. At the same place it takes the
// longest.
func (s *specialTokens) split(text string, tokens []string, form func(string) string) []part {
	var parts []part
	for text != "" {
		at, found := len(text), ""
		var id int32
		for _, token := range tokens {
			pattern := form(token)
			if i := strings.Index(text, pattern); i >= 0 && (i < at || i == at && len(pattern) > len(found)) {
				at, found, id = i, pattern, s.ids[token]
			}
		}
		if at > 0 {
			parts = append(parts, part{text: text[:at]})
		}
		if found == "" {
			break
		}
		parts = append(parts, part{id: id, isSpecial: true})
		text = text[at+len(found):]
	}
	return parts
}
