package tokenizer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalize is CLIPTokenizer's normalizer: NFC, then one blank for every run of white
// space, then lower case.
func normalize(text string) string {
	var b strings.Builder
	inSpace := false
	for _, r := range nfc(text) {
		if unicode.IsSpace(r) {
			if !inSpace {
				b.WriteByte(' ')
			}
			inSpace = true
			continue
		}
		inSpace = false
		if r == 'İ' {
			b.WriteString("i̇") // the only letter whose lower case is two characters
			continue
		}
		b.WriteRune(lower(r))
	}
	return b.String()
}

// nfc composes text. x/text's norm.NFC is not used for text that is not composed yet,
// because it follows the stream-safe format: it inserts U+034F into a run of more than 30
// combining marks, which the reference leaves unchanged.
func nfc(text string) string {
	if isASCII(text) || norm.NFC.IsNormalString(text) && !strings.ContainsFunc(text, isNewMark) {
		return text
	}
	var decomposed []rune
	for _, r := range text {
		if r == divesAkuruO {
			decomposed = append(decomposed, r)
			continue
		}
		decomposed = append(decomposed, []rune(norm.NFD.String(string(r)))...)
	}
	sortMarks(decomposed)
	return string(compose(decomposed))
}

// sortMarks puts each run of combining marks into canonical order.
func sortMarks(runes []rune) {
	for start := 0; start < len(runes); {
		if combiningClass(runes[start]) == 0 {
			start++
			continue
		}
		end := start
		for end < len(runes) && combiningClass(runes[end]) != 0 {
			end++
		}
		slices.SortStableFunc(runes[start:end], func(a, b rune) int {
			return int(combiningClass(a)) - int(combiningClass(b))
		})
		start = end
	}
}

// compose joins each mark with the character before it where Unicode has one
// character for both (UAX #15, D117).
func compose(runes []rune) []rune {
	out := runes[:0]
	starter := -1 // index in out of the last character of class 0
	blocker := -1 // class of the last character after it, -1 if there is none
	for _, r := range runes {
		class := int(combiningClass(r))
		if starter >= 0 && blocker < class {
			if joined, ok := pair(out[starter], r); ok {
				out[starter] = joined
				continue
			}
		}
		out = append(out, r)
		if class == 0 {
			starter, blocker = len(out)-1, -1
		} else {
			blocker = class
		}
	}
	return out
}

func pair(a, b rune) (rune, bool) {
	var buffer [2 * utf8.UTFMax]byte
	two := utf8.AppendRune(utf8.AppendRune(buffer[:0], a), b)
	one := norm.NFC.Bytes(two)
	r, n := utf8.DecodeRune(one)
	return r, n == len(one) && r != divesAkuruO
}

func combiningClass(r rune) uint8 {
	if isNewMark(r) {
		return 0
	}
	return norm.NFC.PropertiesString(string(r)).CCC()
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
