package state

import (
	"math"
	"strconv"
	"strings"
)

// Edit is a change of a text: what is between From and To becomes Text, of which the part from Select to SelectEnd is
// then selected. All places are in bytes, those of the selection from the beginning of the whole text.
type Edit struct {
	From, To          int
	Text              string
	Select, SelectEnd int
}

// By how much Weigh changes the weight of words, and that in a LoRA's tag.
const (
	weightStep = 0.1
	tagStep    = 0.05
)

// Weigh makes the selected words of a prompt weigh more, or less: it changes the weight in their brackets, or puts them
// into brackets. If nothing is selected, those are the words in the brackets, or the word, in which the cursor stands.
// In a tag such as <lora:ink:0.8> it changes the last number. It follows javascript/edit-attention.js of AUTOMATIC1111's
// web UI. markup says whether the prompt is read with markup; else only tags are changed. ok is false if there is nothing
// to change.
func Weigh(text string, from, to int, more, markup bool) (e Edit, ok bool) {
	up := 1.0
	if !more {
		up = -1
	}
	if start, end, in := within(text, from, to, '<', '>'); in {
		at := strings.LastIndexByte(text[start:end], ':')
		if at < 0 {
			return e, false
		}
		w, err := strconv.ParseFloat(strings.TrimSpace(text[start+at+1:end]), 64)
		if err != nil {
			return e, false
		}
		weight := weightText(w + up*tagStep)
		return Edit{start + at + 1, end, weight, from, min(to, start+at+1+len(weight))}, true
	}
	if !markup {
		return e, false
	}
	for _, brackets := range []string{"()", "[]"} {
		if start, end, in := within(text, from, to, brackets[0], brackets[1]); in && from == to {
			from, to = start, end
			if words, _, explicit := cutWeight(text[start:end]); explicit {
				to = start + len(words)
			}
			break
		}
	}
	if from == to {
		from, to = wordAt(text, from)
	}
	for to > from && text[to-1] == ' ' {
		to--
	}
	if from == to {
		return e, false
	}
	e = Edit{From: from, To: to, Text: text[from:to]}
	weight := 1.0
	if from > 0 && (text[from-1] == '(' || text[from-1] == '[') && !escaped(text, from-1) {
		e.From, e.To, weight = brackets(text, from, to)
	}
	weight = math.Round((weight+up*weightStep)*100) / 100
	e.Select = e.From
	if weight != 1 {
		e.Select++
		e.Text = "(" + e.Text + ":" + weightText(weight) + ")"
	}
	e.SelectEnd = e.Select + to - from
	return e, true
}

// brackets returns where the brackets around words begin and end, and what the words weigh by them.
func brackets(text string, from, to int) (start, end int, weight float64) {
	if rest := text[to:]; strings.HasPrefix(rest, ":") && text[from-1] == '(' {
		if at := strings.IndexByte(rest, ')'); at > 0 {
			if w, err := strconv.ParseFloat(strings.TrimSpace(rest[1:at]), 64); err == nil {
				return from - 1, to + at + 1, w
			}
		}
	}
	open, shut, by := byte('('), byte(')'), 1.1
	if text[from-1] == '[' {
		open, shut, by = '[', ']', 1/1.1
	}
	weight = 1
	for from > 0 && to < len(text) && text[from-1] == open && text[to] == shut && !escaped(text, from-1) {
		from, to, weight = from-1, to+1, weight*by
	}
	return from, to, math.Round(weight*10) / 10
}

// within finds the brackets in which a selection stands, and returns what is between them.
func within(text string, from, to int, open, shut byte) (start, end int, ok bool) {
	start = strings.LastIndexByte(text[:from], open)
	if start < 0 || escaped(text, start) || strings.LastIndexByte(text[:from], shut) > start {
		return 0, 0, false
	}
	end = strings.IndexByte(text[to:], shut)
	if again := strings.IndexByte(text[to:], open); end < 0 || again >= 0 && again < end {
		return 0, 0, false
	}
	return start + 1, to + end, true
}

func escaped(text string, at int) bool { return at > 0 && text[at-1] == '\\' }

// cutWeight cuts the weight off the words in brackets.
func cutWeight(text string) (words string, weight float64, ok bool) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return text, 0, false
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(text[at+1:]), 64)
	return text[:at], w, err == nil
}

// delimiters are what ends a word, as in A1111.
const delimiters = ".,\\/!?%^*;:{}=`~()[]<> \t\r\n"

func wordAt(text string, at int) (from, to int) {
	from = strings.LastIndexAny(text[:at], delimiters) + 1
	to = len(text)
	if n := strings.IndexAny(text[at:], delimiters); n >= 0 {
		to = at + n
	}
	return from, to
}

// weightText writes a weight with at least one decimal, as A1111 does.
func weightText(w float64) string {
	text := strconv.FormatFloat(math.Round(w*100)/100, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
