package tokenizer

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words cuts a text into what is split into tokens by itself, as CLIP's pattern does,
//
//	<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
//
// and leaves the white space out. transformers cuts every match once more, by GPT-2's
// pattern. That changes only the first two alternatives, which it splits into <|, the word,
// and |>. (Special tokens that must not be split were separated before.)
func Words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			r, size := utf8.DecodeRuneInString(text)
			if unicode.IsSpace(r) {
				text = text[size:]
				continue
			}
			if name, ok := spelledToken(text); ok {
				if !yield("<|") || !yield(name) || !yield("|>") {
					return
				}
				text = text[len(name)+len("<||>"):]
				continue
			}
			n := wordLength(text)
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

func spelledToken(text string) (string, bool) {
	for _, token := range []string{startOfText, endOfText} {
		if strings.HasPrefix(text, token) {
			return token[2 : len(token)-2], true
		}
	}
	return "", false
}

// wordLength returns the length in bytes of the word that text begins with.
func wordLength(text string) int {
	for _, contraction := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, contraction) {
			return len(contraction)
		}
	}
	first, size := utf8.DecodeRuneInString(text)
	if isNumber(first) {
		return size
	}
	same := isLetter
	if !isLetter(first) {
		same = isOther
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !same(r) })
	if end < 0 {
		return len(text)
	}
	return end
}

func isOther(r rune) bool { return !unicode.IsSpace(r) && !isLetter(r) && !isNumber(r) }
