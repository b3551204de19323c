package prompt

import (
	"slices"
	"strings"

	"github.com/imprompt/imprompt/model/tokenizer"
)

// Use is a place in a prompt where the name of an embedding stands.
type Use struct {
	Name     int // which of the names
	From, To int // in bytes of the prompt as it was typed
}

// Find finds the places where a Reader would read one of the names as an embedding. It needs no tokenizer's files:
// names are compared by the words that CLIP's tokenizer cuts a text into. weights says that the prompt is read with
// its markup.
func Find(text string, weights bool, names []string) []Use {
	wanted := make([][]word, len(names))
	for i, name := range names {
		wanted[i] = wordsOf(plain(name, 0))
	}
	var list []Use
	for _, part := range typed(text, weights) {
		words := wordsOf(part)
		for len(words) > 0 {
			best := -1
			for i, name := range wanted {
				if len(name) > 0 && (best < 0 || len(name) > len(wanted[best])) && begins(words, name) {
					best = i
				}
			}
			if best < 0 {
				words = words[1:]
				continue
			}
			n := len(wanted[best])
			list = append(list, Use{best, words[0].from, words[n-1].to})
			words = words[n:]
		}
	}
	return list
}

// word is a word as CLIP's tokenizer cuts it, in lower case, and where it was typed.
type word struct {
	text     string
	from, to int
}

// characters are a part of a prompt, without its markup, and where each byte was typed.
type characters struct {
	text string
	at   []int
}

func plain(text string, from int) characters {
	at := make([]int, len(text))
	for i := range at {
		at[i] = from + i
	}
	return characters{text, at}
}

// typed cuts a prompt into the parts that are tokenized apart, as Parse does.
func typed(text string, weights bool) (list []characters) {
	if !weights {
		return []characters{plain(text, 0)}
	}
	var before piece
	for i, p := range pieces(text) {
		if !p.Break {
			// A sign behind a backslash was typed with two bytes.
			c := plain(p.Text, p.to-len(p.Text))
			if i > 0 && !before.Break && before.Weight == p.Weight {
				last := &list[len(list)-1]
				last.text, last.at = last.text+c.text, append(last.at, c.at...)
			} else {
				list = append(list, c)
			}
		}
		before = p
	}
	return list
}

func wordsOf(c characters) (list []word) {
	at := 0
	for w := range tokenizer.Words(c.text) {
		at += strings.Index(c.text[at:], w)
		list = append(list, word{strings.ToLower(w), c.at[at], c.at[at+len(w)-1] + 1})
		at += len(w)
	}
	return list
}

func begins(words, name []word) bool {
	return len(name) <= len(words) && slices.EqualFunc(words[:len(name)], name, func(a, b word) bool { return a.text == b.text })
}
