package state

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// wholes returns a reader of whole numbers, which are labelled by a format and put into settings by set.
func wholes(label string, set func(*settings.Settings, int)) func(string, settings.Settings) ([]point, error) {
	return func(text string, _ settings.Settings) (points []point, err error) {
		list, err := numbers(text, true)
		for _, v := range list {
			n := int(v)
			points = append(points, point{fmt.Sprintf(label, n), func(s *settings.Settings) { set(s, n) }})
		}
		return points, err
	}
}

// decimals returns a reader of numbers, which are labelled by what stands before them and put into settings by set.
func decimals(label string, set func(*settings.Settings, float64)) func(string, settings.Settings) ([]point, error) {
	return func(text string, _ settings.Settings) (points []point, err error) {
		list, err := numbers(text, false)
		for _, v := range list {
			points = append(points, point{label + trimmed(v), func(s *settings.Settings) { set(s, v) }})
		}
		return points, err
	}
}

// span is a range of numbers: from, to, and then a step in brackets or a count in square ones.
var span = regexp.MustCompile(`^([+-]?[\d.]+)\s*[-–]\s*([+-]?[\d.]+)\s*(?:\(\s*([+-]?[\d.]+)\s*\)|\[\s*(\d+)\s*\])?$`)

// numbers reads numbers and ranges of them as the X/Y/Z plot of AUTOMATIC1111's web UI does (scripts/xyz_grid.py): "1, 2,
// 5", "1-5", "0-1 (+0.25)" with a step, "0-1 [5]" with a count. Whole numbers of a count are rounded down, as there.
func numbers(text string, whole bool) (list []float64, err error) {
	for _, part := range commas(text) {
		m := span.FindStringSubmatch(part)
		if m == nil {
			v, err := number(part, whole)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			continue
		}
		from, err := number(m[1], whole)
		if err != nil {
			return nil, err
		}
		to, err := number(m[2], whole)
		if err != nil {
			return nil, err
		}
		step, count := math.Copysign(1, to-from), 0
		switch {
		case m[3] != "":
			if step, err = number(m[3], whole); err != nil {
				return nil, err
			}
			if step == 0 || (to-from)/step < 0 {
				return nil, texts.Errorf("%q never arrives: its step leads the other way", part)
			}
		case m[4] != "":
			count, _ = strconv.Atoi(m[4]) // more than fits is too many below
			if count < 2 {
				return nil, texts.Errorf("%q needs a count of 2 or more", part)
			}
			step = (to - from) / float64(count-1)
		}
		if count == 0 {
			if count = maxGrid + 1; (to-from)/step < maxGrid {
				count = int((to-from)/step+1e-9) + 1
			}
		}
		if count > maxGrid {
			return nil, texts.Errorf("%q has too many values: a grid has at most %d pictures", part, maxGrid)
		}
		for i := range count {
			v := math.Round((from+float64(i)*step)*1e9) / 1e9
			if whole {
				v = math.Trunc(v)
			}
			list = append(list, v)
		}
	}
	return list, nil
}

func number(text string, whole bool) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1<<53:
		return 0, texts.Errorf("%q is not a number", text)
	case whole && v != math.Trunc(v):
		return 0, texts.Errorf("%q is not a whole number", text)
	}
	return v, nil
}

// commas cuts a text at its commas, apart from those between quotation marks.
func commas(text string) (list []string) {
	quoted, part := false, strings.Builder{}
	end := func() {
		if p := strings.TrimSpace(part.String()); p != "" {
			list = append(list, p)
		}
		part.Reset()
	}
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			end()
		default:
			part.WriteRune(r)
		}
	}
	end()
	return list
}
