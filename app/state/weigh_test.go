package state

import (
	"strings"
	"testing"
)

// apply puts an edit into a text, and the selection into bars.
func (e Edit) apply(text string) string {
	text = text[:e.From] + e.Text + text[e.To:]
	return text[:e.Select] + "|" + text[e.Select:e.SelectEnd] + "|" + text[e.SelectEnd:]
}

// Words weigh more or less with each press, as in A1111.
func TestWeigh(t *testing.T) {
	for _, c := range []struct{ text, more, less string }{
		{"a |red fox|, snow", "a (|red fox|:1.1), snow", "a (|red fox|:0.9), snow"},
		{"a |red fox |, snow", "a (|red fox|:1.1) , snow", "a (|red fox|:0.9) , snow"},
		{"a red f||ox, snow", "a red (|fox|:1.1), snow", "a red (|fox|:0.9), snow"},
		{"fox||", "(|fox|:1.1)", "(|fox|:0.9)"},
		{"a (|red fox|:1.1), b", "a (|red fox|:1.2), b", "a |red fox|, b"},
		{"a (red ||fox:1.25)", "a (|red fox|:1.35)", "a (|red fox|:1.15)"},
		{"a (red ||fox:0.9) b", "a |red fox| b", "a (|red fox|:0.8) b"},
		{"a ((red ||fox))", "a (|red fox|:1.3)", "a (|red fox|:1.1)"},
		{"a [red ||fox]", "a |red fox|", "a (|red fox|:0.8)"},
		{"(|雪|:1.9)", "(|雪|:2.0)", "(|雪|:1.8)"},
		{"<lora:i||nk:0.8> fox", "<lora:i||nk:0.85> fox", "<lora:i||nk:0.75> fox"},
		{"a , || b", "", ""},
		{"<lora:i||nk>", "", ""},
		{`a \(||x\)`, `a \((|x|:1.1)\)`, `a \((|x|:0.9)\)`},
	} {
		from := strings.IndexByte(c.text, '|')
		to := strings.LastIndexByte(c.text, '|') - 1
		plain := strings.ReplaceAll(c.text, "|", "")
		for more, want := range map[bool]string{true: c.more, false: c.less} {
			got := ""
			if e, ok := Weigh(plain, from, to, more, true); ok {
				got = e.apply(plain)
			}
			if got != want {
				t.Errorf("%s: %t gives %q, want %q", c.text, more, got, want)
			}
		}
	}
	if _, ok := Weigh("a fox", 3, 3, true, false); ok {
		t.Error("words are given brackets where those are read literally")
	}
	if e, ok := Weigh("<lora:ink:1>", 7, 7, true, false); !ok || e.Text != "1.05" {
		t.Errorf("a tag read literally: %+v", e)
	}
}
