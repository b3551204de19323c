package evaluate

import (
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
)

// The mean is over all, the spread over the seeds' means.
func TestMeasure(t *testing.T) {
	m := measure([][]float64{{0, 1}, {0.5, 1.5}, {0, 0}})
	if m.Mean != 0.5 || m.Spread == nil || math.Abs(*m.Spread-0.5) > 1e-12 {
		t.Errorf("%g ± %v", m.Mean, m.Spread)
	}
	if m := measure([][]float64{{1, 2}}); m.Mean != 1.5 || m.Spread != nil {
		t.Errorf("one seed: %+v", m)
	}
}

// A seed counts once all its pictures are there.
func TestLine(t *testing.T) {
	s := func(v float64) Score { return Score{CLIPI: v, CLIPT: 2 * v} }
	l, ok := line(Row{Name: "r"}, map[int][]Score{0: {s(0), s(1)}, 1: {s(1), s(2)}, 2: {s(9)}}, 2)
	if !ok || l.Seeds != 2 || l.CLIPI.Mean != 1 || l.CLIPT.Mean != 2 || l.Other != nil {
		t.Errorf("%+v", l)
	}
	if _, ok := line(Row{}, map[int][]Score{0: {s(1)}}, 2); ok {
		t.Error("half a seed makes a line")
	}
}

func TestMarkdown(t *testing.T) {
	other, spread := 0.25, 0.0125
	table := &Table{Judge: "clip-vit-large-patch14", Pictures: 4, Settings: settings.Default(),
		Own: Baseline{CLIPI: 1, CLIPT: 0.5, Other: &other}, Another: &Baseline{CLIPI: 0.5, CLIPT: 0.25, Other: &other},
		Lines: []Line{{Row: Row{Name: "words"}, Seeds: 2, CLIPI: Measure{0.625, &spread}, CLIPT: Measure{0.5, &spread}, Other: &Measure{0.75, &spread}}}}
	got := table.Markdown()
	for _, want := range []string{"| CLIP-T, other words |\n|---|---|---|---|\n", "| *the pictures themselves* | 1.000 | 0.500 | 0.250 |",
		"| words | 0.625 ± 0.013 | 0.500 ± 0.013 | 0.750 ± 0.013 |", "4 pictures and 2 seeds", "clip-vit-large-patch14", "2.5 times"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
}

// Results survive a line that was cut off.
func TestResults(t *testing.T) {
	dir := t.TempDir()
	r, err := openResults(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if err := r.add(Score{Key: key, CLIP: "c", CLIPI: 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "results.jsonl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b[:len(b)-5], 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err = openResults(dir); err != nil {
		t.Fatal(err)
	}
	if s, ok := r.find("a", "c"); !ok || s.CLIPI != 0.5 {
		t.Error("a whole line is lost")
	}
	if _, ok := r.find("b", "c"); ok {
		t.Error("half a line counts")
	}
	if _, ok := r.find("a", "d"); ok {
		t.Error("another CLIP's score counts")
	}
	if err := r.add(Score{Key: "b", CLIP: "c"}); err != nil {
		t.Fatal(err)
	}
	if r, err = openResults(dir); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.find("b", "c"); !ok {
		t.Error("a line behind half a line is lost")
	}
}

// Pictures are at their row and column, and larger ones are made smaller.
func TestSheet(t *testing.T) {
	grey := func(side int, v uint8) *imageproc.Image {
		m := &imageproc.Image{Width: side, Height: side, Channels: 1, Pix: make([]uint8, side*side)}
		for i := range m.Pix {
			m.Pix[i] = v
		}
		return m
	}
	sheet := drawSheet([]string{"first", "λ 0.5"}, [][]*imageproc.Image{{grey(64, 10), grey(256, 20)}, {nil, grey(128, 40)}})
	centre := func(x, y int) image.Point {
		return image.Pt(sheetLabel+x*(sheetCell+sheetGap)+sheetCell/2, sheetGap+y*(sheetCell+sheetGap)+sheetCell/2)
	}
	for _, want := range []struct{ x, y, v int }{{0, 0, 10}, {1, 0, 20}, {0, 1, 255}, {1, 1, 40}} {
		if got := sheet.RGBAAt(centre(want.x, want.y).X, centre(want.x, want.y).Y); int(got.R) != want.v {
			t.Errorf("row %d, column %d is %d, not %d", want.y, want.x, got.R, want.v)
		}
	}
	ink := 0
	for y := range sheetCell {
		for x := range sheetLabel - sheetGap {
			if sheet.RGBAAt(x, y).R < 128 {
				ink++
			}
		}
	}
	if ink < 50 {
		t.Errorf("the row's name has %d dark pixels", ink)
	}
}
