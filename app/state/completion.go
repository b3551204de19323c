package state

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imprompt/imprompt/app/settings"
)

// Suggestion is a name that what is being typed may become.
type Suggestion struct {
	Name  string
	About string
	Text  string // what is put into the prompt
}

// Completion is what is suggested while a prompt is typed.
type Completion struct {
	Field    string // the prompt in which it is typed
	List     []Suggestion
	Selected int // -1 for none
	from, to int // what a suggestion takes the place of, in bytes
}

// maxSuggestions is how many names are suggested at once.
const maxSuggestions = 8

// Typed looks for names that complete what stands before the cursor: those of LoRAs behind <lora: and, anywhere else,
// those of embeddings from two characters on.
func (c *Completion) Typed(field, text string, at int, from *Chooser) {
	*c = Completion{Field: field, Selected: -1, to: at}
	before := text[:at]
	if open := openTag.FindStringSubmatchIndex(before); open != nil {
		c.from = open[0]
		query := ""
		if open[2] >= 0 {
			query = before[open[2]:open[3]]
		}
		for _, l := range from.LoRAs() {
			c.List = append(c.List, Suggestion{l.Name, l.Title, settings.LoRA{Weights: l.Name, Scale: 1}.Tag()})
		}
		c.match(query)
		return
	}
	if i := strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,()[]:\`, r) }); i >= 0 {
		_, size := utf8.DecodeRuneInString(before[i:])
		c.from = i + size
	}
	query := before[c.from:]
	if utf8.RuneCountInString(query) < 2 {
		return
	}
	for _, e := range from.Embeddings() {
		c.List = append(c.List, Suggestion{e.Name, e.About(), e.Name})
	}
	c.match(query)
	if len(c.List) == 1 && strings.EqualFold(c.List[0].Name, query) {
		c.Close() // it is there
	}
}

var openTag = regexp.MustCompile(`<(?:l|lo|lor|lora|lora:([^<>:]*))?$`)

// match keeps the names that have what was typed, first those that begin with it.
func (c *Completion) match(query string) {
	query = strings.ToLower(query)
	var begin, have []Suggestion
	for _, s := range c.List {
		switch name := strings.ToLower(s.Name); {
		case strings.HasPrefix(name, query):
			begin = append(begin, s)
		case strings.Contains(name, query):
			have = append(have, s)
		}
	}
	c.List = append(begin, have...)
	c.List = c.List[:min(len(c.List), maxSuggestions)]
}

// Close takes the suggestions away.
func (c *Completion) Close() { c.List, c.Selected = nil, -1 }

// Open reports whether there are suggestions for a prompt.
func (c *Completion) Open(field string) bool { return c.Field == field && len(c.List) > 0 }

// Move selects the next suggestion, or the one before. From the last it goes on with the first.
func (c *Completion) Move(by int) {
	n := len(c.List)
	if c.Selected < 0 && by < 0 {
		by = 0
	}
	c.Selected = (c.Selected + by + n) % n
}

// Pick takes a suggestion.
func (c *Completion) Pick(i int) Edit {
	text := c.List[i].Text
	e := Edit{From: c.from, To: c.to, Text: text, Select: c.from + len(text), SelectEnd: c.from + len(text)}
	c.Close()
	return e
}
