package texts

import (
	"sort"
	"strconv"
	"strings"
)

// Pattern is a text that Translate finds, with what was filled into it for each %s.
type Pattern string

// Translate translates a text that was made elsewhere: an error of the engine, or a name that another program gave. What
// was filled into it, such as a name or another error, is found by the verbs of the text in English. A text that the
// language does not have is returned as it is.
func Translate(message string) string {
	if len(current.Texts) == 0 || message == "" {
		return message
	}
	if s := T(Text(message)); s != message {
		return s
	}
	if current.patterns == nil {
		p := patternsOf(current.Texts)
		current.patterns = &p
	}
	for _, p := range *current.patterns {
		if parts, ok := split(message, p.literals); ok {
			return p.fill(parts)
		}
	}
	return message
}

// pattern is a text with verbs.
type pattern struct {
	literals []string       // what is between its verbs, before the first and behind the last
	forms    map[string]any // of a text that counts something
	message  string         // the translation of any other
}

// patternsOf returns the texts of a language that are made elsewhere, or count something. A text in which more is said
// comes first, so that "%s: %s" is the last one.
func patternsOf(texts map[string]any) (list []pattern) {
	for english, value := range texts {
		forms, ok := value.(map[string]any)
		if !ok || !strings.Contains(english, "%") {
			continue
		}
		p := pattern{literals: literals(english), forms: forms}
		if p.message, ok = forms["message"].(string); ok {
			p.forms = nil
		}
		list = append(list, p)
	}
	said := func(p pattern) int { return len(strings.Join(p.literals, "")) }
	sort.Slice(list, func(i, j int) bool { // slices.SortFunc adds 5 kB to the program for each type
		if a, b := said(list[i]), said(list[j]); a != b {
			return a > b
		}
		return strings.Join(list[i].literals, "%") < strings.Join(list[j].literals, "%")
	})
	return list
}

// literals cuts a text at its verbs, which are single letters here.
func literals(text string) (list []string) {
	part := ""
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '%' || i+1 == len(text):
			part += text[i : i+1]
		case text[i+1] == '%':
			part += "%"
			i++
		default:
			list = append(list, part)
			part = ""
			i++
		}
	}
	return append(list, part)
}

// split finds what stands between literals, as little as possible in each place.
func split(message string, literals []string) (parts []string, ok bool) {
	rest, ok := strings.CutPrefix(message, literals[0])
	if !ok || len(literals) == 1 {
		return nil, ok && rest == ""
	}
	for _, l := range literals[1 : len(literals)-1] {
		part, after, ok := strings.Cut(rest, l)
		if !ok || l == "" {
			return nil, false
		}
		parts, rest = append(parts, part), after
	}
	last, ok := strings.CutSuffix(rest, literals[len(literals)-1])
	return append(parts, last), ok && last != ""
}

// fill fills the parts into the translation, translated in their turn.
func (p pattern) fill(parts []string) string {
	if p.forms != nil {
		n, err := strconv.Atoi(parts[0])
		if err != nil {
			return p.english(parts)
		}
		text, ok := p.forms[current.Plural(n)].(string)
		if !ok {
			text, _ = p.forms["other"].(string)
		}
		return fillIn(text, parts)
	}
	return fillIn(p.message, parts)
}

// english is the text as it was.
func (p pattern) english(parts []string) string {
	s := p.literals[0]
	for i, part := range parts {
		s += part + p.literals[i+1]
	}
	return s
}

// fillIn replaces the verbs of a text, which may be numbered.
func fillIn(text string, parts []string) string {
	var s strings.Builder
	at := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			s.WriteByte(text[i])
			continue
		}
		i++
		if text[i] == '%' {
			s.WriteByte('%')
			continue
		}
		if end := strings.IndexByte(text[i:], ']'); text[i] == '[' && end > 0 {
			if n, err := strconv.Atoi(text[i+1 : i+end]); err == nil {
				at = n - 1
			}
			i += end + 1
		}
		if at >= 0 && at < len(parts) {
			s.WriteString(Translate(parts[at]))
		}
		at++
	}
	return s.String()
}
