package texts

import (
	"errors"
	"fmt"
	"io"
)

// Language is what the page is translated to.
type Language struct {
	Code string // such as "de"

	// Texts has the translations, by the English text. A text that counts something has a form for each category of
	// Plural, in a map[string]any. What is missing is shown in English.
	Texts map[string]any

	Number func(v float64, decimals int) string // writes a number
	Plural func(n int) string                   // the category of a count by the Unicode CLDR, such as "one" or "other"

	patterns *[]pattern // of Texts, made by Translate
}

// current is the language that the page speaks.
var current = English

// Use translates to a language from now on.
func Use(l Language) {
	current = l
}

// Code returns the code of the language that the page speaks. A component that is not drawn with the page has it among
// its exported fields, so that it is drawn anew in another language.
func Code() string { return current.Code }

// T translates a text.
func T(english Text) string {
	switch t := current.Texts[string(english)].(type) {
	case string:
		return t
	case map[string]any:
		if s, ok := t["message"].(string); ok {
			return s
		}
	}
	return string(english)
}

// F translates a text and then fills in the verbs, which are those of package fmt. Only %d, %s, %q and %v may stand in
// a text: a number with a fraction is written by Number. A translation may order the verbs in its own way: "%[2]s %[1]s".
func F(english Text, args ...any) string { return fmt.Sprintf(T(english), args...) }

// Errorf returns an error with a text as F returns it.
func Errorf(english Text, args ...any) error { return errors.New(F(english, args...)) }

// N translates a text that counts something. The text has a form for one and another one for any other count, both with
// a %d for the count; the other arguments are filled in after it.
func N(n int, one, other Text, args ...any) string {
	category := current.Plural(n)
	text := string(other)
	if category == "one" {
		text = string(one)
	}
	if forms, ok := current.Texts[string(other)].(map[string]any); ok {
		if s, ok := forms[category].(string); ok {
			text = s
		} else if s, ok := forms["other"].(string); ok {
			text = s
		}
	}
	return fmt.Sprintf(text, append([]any{count(n)}, args...)...)
}

// count is a number that %d writes as the language does.
type count int

func (c count) Format(s fmt.State, _ rune) { io.WriteString(s, Number(float64(c), 0)) }

// Text is a text in English that is translated when it is drawn. What the source assigns to a Text, or passes as one, is
// found there, so that a function or a field that takes a text to be shown has this type.
type Text string

// String translates the text. string(t) is the text itself, which does not depend on the language.
func (t Text) String() string { return T(t) }
