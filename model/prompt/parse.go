package prompt

import (
	"regexp"
	"strconv"
)

// Part is a piece of a prompt whose words weigh the same.
type Part struct {
	Text   string
	Weight float64
	Break  bool // a BREAK, which has no text
}

// Mark is a piece of a prompt as it was typed, markup included.
type Mark struct {
	Text   string
	Weight float64 // 1 for markup
	Break  bool
}

var (
	token = regexp.MustCompile(`\\[()\[\]\\]|\\|\(|\[|:\s*[+-]?[.\d]+\s*\)|\)|\]|[^\\()\[\]:]+|:`)
	// explicit is a token that ends a bracket with a weight.
	explicit = regexp.MustCompile(`^:\s*([+-]?[.\d]+)\s*\)$`)
	breaks   = regexp.MustCompile(`\s*\bBREAK\b\s*`)
)

// piece is a part before parts of the same weight are joined, and where it was typed.
type piece struct {
	Part
	from, to int // in bytes
}

// pieces applies all brackets. A bracket that is not closed holds to the end, and one that was
// not opened is text.
func pieces(text string) []piece {
	var list []piece
	var round, square []int // for each open bracket, how many pieces came before it
	weigh := func(open *[]int, by float64) {
		last := len(*open) - 1
		for i := (*open)[last]; i < len(list); i++ {
			list[i].Weight *= by
		}
		*open = (*open)[:last]
	}
	const more, less = 1.1, 1 / 1.1
	for _, at := range token.FindAllStringIndex(text, -1) {
		t := text[at[0]:at[1]]
		word := func(s string, from, to int) { list = append(list, piece{Part{Text: s, Weight: 1}, from, to}) }
		if m := explicit.FindStringSubmatch(t); m != nil && len(round) > 0 {
			if w, err := strconv.ParseFloat(m[1], 64); err == nil {
				weigh(&round, w)
				continue
			}
		}
		switch {
		case t[0] == '\\':
			word(t[1:], at[0], at[1])
		case t == "(":
			round = append(round, len(list))
		case t == "[":
			square = append(square, len(list))
		case t == ")" && len(round) > 0:
			weigh(&round, more)
		case t == "]" && len(square) > 0:
			weigh(&square, less)
		default:
			from := 0
			for _, b := range breaks.FindAllStringIndex(t, -1) {
				if from < b[0] {
					word(t[from:b[0]], at[0]+from, at[0]+b[0])
				}
				list = append(list, piece{Part{Break: true}, at[0] + b[0], at[0] + b[1]})
				from = b[1]
			}
			if from < len(t) {
				word(t[from:], at[0]+from, at[1])
			}
		}
	}
	for len(round) > 0 {
		weigh(&round, more)
	}
	for len(square) > 0 {
		weigh(&square, less)
	}
	return list
}

// Parse reads a prompt's markup. It returns at least one part. As in the web UI, the words of two
// parts are tokenized apart, and neighbours of the same weight are one part.
func Parse(text string) []Part {
	var list []Part
	for _, p := range pieces(text) {
		if n := len(list); n > 0 && !p.Break && !list[n-1].Break && list[n-1].Weight == p.Weight {
			list[n-1].Text += p.Text
			continue
		}
		list = append(list, p.Part)
	}
	if list == nil {
		list = []Part{{Weight: 1}}
	}
	return list
}

// Marks cuts a prompt, as it was typed, where the weight changes. The texts of all marks together
// are the prompt.
func Marks(text string) []Mark {
	var list []Mark
	add := func(m Mark) {
		n := len(list)
		switch {
		case m.Text == "":
		case n > 0 && list[n-1].Weight == m.Weight && list[n-1].Break == m.Break:
			list[n-1].Text += m.Text
		default:
			list = append(list, m)
		}
	}
	done := 0
	for _, p := range pieces(text) {
		add(Mark{Text: text[done:p.from], Weight: 1})
		m := Mark{Text: text[p.from:p.to], Weight: p.Weight, Break: p.Break}
		if p.Break {
			m.Weight = 1
		}
		add(m)
		done = p.to
	}
	add(Mark{Text: text[done:], Weight: 1})
	return list
}

// Escape writes a text so that Parse reads it literally.
func Escape(text string) string { return special.ReplaceAllString(text, `\$0`) }

var special = regexp.MustCompile(`[\\()\[\]]`)
