package tokenizer

import (
	"strings"
	"unicode"
)

// Tokenizer holds one vocabulary. It is read-only after New, and safe for concurrent use.
type Tokenizer struct {
	// MaxLength is the length of every encoding in tokens, start, end and
	// padding included: model_max_length of tokenizer_config.json (77 for
	// Stable Diffusion).
	MaxLength int

	bos, eos, pad int32
	model         bpe
	special       specialTokens
}

// Encoding is one prompt, ready for the text encoder.
type Encoding struct {
	// IDs has the Tokenizer's MaxLength: start token, text, end token, padding.
	IDs []int32

	// Count is how many tokens the prompt has before anything is cut, including the start
	// and end tokens but not the padding. If it is more than MaxLength, words were left out.
	Count int

	// Overflow is the text of the tokens that did not fit, as diffusers shows it: lower case,
	// with blanks between words and punctuation. It may begin in the middle of a word that was
	// cut in two. It is empty if everything fits.
	Overflow string
}

// Size is the number of rows that a text encoder for this vocabulary has: one more than the
// highest token id, added tokens included.
func (t *Tokenizer) Size() int {
	size := t.model.size
	for id := range t.special.names {
		size = max(size, id+1)
	}
	return int(size)
}

// Encode tokenizes a prompt as tokenizer(text, padding="max_length", truncation=True) does.
// Bytes that are not UTF-8 count as U+FFFD.
func (t *Tokenizer) Encode(text string) Encoding {
	tokens := t.Tokens(text)
	room := t.MaxLength - 2
	kept := tokens[:min(room, len(tokens))]
	return Encoding{
		IDs:      t.Pad(kept),
		Count:    len(tokens) + 2,
		Overflow: t.Decode(tokens[len(kept):]),
	}
}

// Pad puts the start token before ids, of which there are at most MaxLength - 2, and the end
// token and padding behind them.
func (t *Tokenizer) Pad(ids []int32) []int32 {
	padded := make([]int32, 0, t.MaxLength)
	padded = append(padded, t.bos)
	padded = append(padded, ids...)
	padded = append(padded, t.eos)
	for len(padded) < t.MaxLength {
		padded = append(padded, t.pad)
	}
	return padded
}

// Tokens returns the ids of the text alone, without start and end, and without cutting it.
func (t *Tokenizer) Tokens(text string) []int32 {
	var ids []int32
	for _, part := range t.special.splitRaw(strings.ToValidUTF8(text, "\uFFFD")) {
		if part.isSpecial {
			ids = append(ids, part.id)
			continue
		}
		for _, part := range t.special.splitNormalized(normalize(part.text)) {
			if part.isSpecial {
				ids = append(ids, part.id)
				continue
			}
			for word := range Words(part.text) {
				ids = t.model.encode(ids, word)
			}
		}
	}
	return ids
}

// Decode returns the text of ids as tokenizer.decode does: the bytes that the tokens stand
// for, with a blank where a word ends. Bytes that are not UTF-8 because a character was cut
// become U+FFFD.
func (t *Tokenizer) Decode(ids []int32) string {
	var b []byte
	for _, id := range ids {
		b = t.model.appendBytes(b, t.special.name(id))
	}
	text := strings.ReplaceAll(lossyUTF8(b), endOfWord, " ")
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' // Python strips the separators too
	})
}
