package state

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/scheduler"
)

// Sheet is a strip laid out as one picture, as the paper's figures are: the image prompts at the left, the pictures in
// a row with what differs beneath each, and at the foot what they have in common. All places are in pixels.
type Sheet struct {
	Width, Height int
	Cells         []Cell
	Foot          string
	FootX, FootY  int // of the left end and the middle of its line
	// Settings are saved in the file, so that it can be dropped back for them: those of the first seed or, because
	// λ = 0 says little, of the greatest image weight.
	Settings settings.Settings
	FileName string
}

// Cell is one picture of a Sheet: an image prompt, as the encoder sees it, or a result.
type Cell struct {
	Picture             *Picture      // of an image prompt, or nil
	Square              settings.Crop // what of Picture is shown
	Result              *Result       // or nil
	X, Y, Width, Height int
	Label               string
	LabelX, LabelY      int // of the middle of its line
}

// The measures of a sheet.
const (
	sheetCell = 320 // the least width of a picture
	sheetGap  = 24
	sheetLine = 30
)

// NewSheet lays out what has come of a strip.
func NewSheet(shots Shots, prompts []*ImagePrompt) (Sheet, error) {
	var results []Cell
	for _, s := range shots {
		if s.Result != nil {
			results = append(results, Cell{Result: s.Result, Label: s.Label})
		}
	}
	if len(results) == 0 {
		return Sheet{}, errors.New("no picture is there yet")
	}
	first := results[0].Result.Settings
	sheet := Sheet{Settings: first, FileName: fmt.Sprintf("imprompt-strip-%d.png", first.Seed)}
	if len(first.IPAdapters()) > 0 {
		for _, im := range prompts {
			if im.Kept {
				continue // there is nothing to see
			}
			sheet.Cells = append(sheet.Cells, Cell{Picture: im.Picture, Square: im.Crop.Square(), Label: "Image prompt"})
		}
	}
	sheet.Cells = append(sheet.Cells, results...)
	if last := results[len(results)-1]; strings.HasPrefix(last.Label, weightLabel) {
		sheet.Settings = last.Result.Settings
	}

	width, height := first.Width, first.Height
	if width < sheetCell {
		width, height = sheetCell, sheetCell*height/width
	}
	for i := range sheet.Cells {
		c := &sheet.Cells[i]
		c.X, c.Y, c.Width, c.Height = sheetGap+i*(width+sheetGap), sheetGap, width, height
		c.LabelX, c.LabelY = c.X+width/2, sheetGap+height+sheetLine
		if c.Picture != nil {
			side := min(width, height)
			c.X, c.Y, c.Width, c.Height = c.X+(width-side)/2, c.Y+(height-side)/2, side, side
		}
	}
	sheet.Width, sheet.Height = sheetGap+len(sheet.Cells)*(width+sheetGap), sheetGap+height+3*sheetLine+sheetGap
	sheet.FootX, sheet.FootY = sheetGap, sheetGap+height+2*sheetLine+8
	sheet.Foot = shared(first, !strings.HasPrefix(shots[0].Label, seedLabel))
	return sheet, nil
}

// shared says what the pictures of a strip have in common.
func shared(s settings.Settings, seed bool) string {
	var parts []string
	if s.Prompt != "" {
		parts = append(parts, "“"+s.Prompt+"”")
	}
	if seed {
		parts = append(parts, fmt.Sprintf("seed %d", s.Seed))
	}
	chosen, _ := scheduler.Find(s.Scheduler)
	parts = append(parts, fmt.Sprintf("%d steps, %s, guidance %s", s.NumInferenceSteps, chosen.Label, strconv.FormatFloat(s.GuidanceScale, 'f', -1, 64)))
	return strings.Join(parts, "  ·  ")
}
