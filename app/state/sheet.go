package state

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Sheet is several pictures laid out as one, as the paper's figures are: the image prompts first, the pictures in rows
// with what differs beside them, and at the foot what they have in common. All places are in pixels.
type Sheet struct {
	Width, Height int
	Cells         []Cell
	Heads         []Head // of the columns and the rows of a grid
	Foot          string
	FootX, FootY  int // of the left end and the middle of its line
	// Settings are saved in the file, so that it can be dropped back for them: those of the greatest image weight,
	// because λ = 0 says little, and of the first picture among those.
	Settings settings.Settings
	// Scores are how near its pictures are to what they were made from, as far as that was measured. They are saved in
	// the file, too.
	Scores   []Scored
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

// Head is what stands above a column or beside a row, with the middle of its line and the most room that it may take.
type Head struct {
	Text        string
	X, Y, Width int
}

// The measures of a sheet.
const (
	sheetCell   = 320 // the least width of a picture
	sheetGap    = 24
	sheetLine   = 30
	sheetHead   = 176  // the width of the heads of rows
	sheetMost   = 8192 // the greatest width of a sheet, which a canvas can have
	contactCell = 192  // the width of a picture on a contact sheet
	contactRow  = 8    // the pictures in a row of it
	contactAll  = 48   // and on the whole sheet
)

// NewSheet lays out what has come of a strip or a grid.
func NewSheet(shots Shots, grid Grid, prompts []*ImagePrompt) (Sheet, error) {
	var results []*Result
	for _, s := range shots {
		if s.Result != nil {
			results = append(results, s.Result)
		}
	}
	if len(results) == 0 {
		return Sheet{}, texts.Errorf("no picture is there yet")
	}
	sheet := sheetOf(results)
	var before []Cell
	if len(results[0].Settings.IPAdapters()) > 0 {
		for _, im := range prompts {
			if im.Kept {
				continue // there is nothing to see
			}
			before = append(before, Cell{Picture: im.Picture, Square: im.Crop.Square(), Label: texts.T("Image prompt")})
		}
	}
	l := layout{cell: sheetCell, of: results[0].Settings}
	if grid.Flat() {
		sheet.FileName = fmt.Sprintf("imprompt-strip-%d.png", results[0].Settings.Seed)
		for _, s := range shots {
			if s.Result != nil {
				before = append(before, Cell{Result: s.Result, Label: LabelText(s.Label)})
			}
		}
		l.lay(&sheet, before, len(before))
		return sheet, nil
	}
	sheet.FileName = fmt.Sprintf("imprompt-grid-%d.png", results[0].Settings.Seed)
	columns := len(grid.Columns)
	// The image prompts have rows of their own above the grid.
	for len(before)%columns != 0 {
		before = append(before, Cell{})
	}
	above := len(before) / columns
	for _, s := range shots {
		before = append(before, Cell{Result: s.Result})
	}
	l.left = sheetHead
	l.lay(&sheet, before, columns)
	for i, text := range grid.Columns {
		c := sheet.Cells[above*columns+i]
		sheet.Heads = append(sheet.Heads, Head{LabelText(text), c.X + c.Width/2, c.Y - sheetLine/2 + 2, c.Width})
	}
	for i, text := range grid.Rows {
		c := sheet.Cells[(above+i)*columns]
		sheet.Heads = append(sheet.Heads, Head{LabelText(text), sheetGap + sheetHead/2 - sheetGap/2, c.Y + c.Height/2, sheetHead - sheetGap})
	}
	sheet.Cells = slices.DeleteFunc(sheet.Cells, func(c Cell) bool { return c.Picture == nil && c.Result == nil })
	return sheet, nil
}

// SelectionSheet lays out results that the visitor picked, the first made first.
func SelectionSheet(latestFirst []*Result) Sheet {
	results := slices.Clone(latestFirst)
	slices.Reverse(results)
	sheet := sheetOf(results)
	sheet.FileName = fmt.Sprintf("imprompt-sheet-%d.png", results[0].Settings.Seed)
	columns := min(8, int(math.Ceil(math.Sqrt(float64(len(results))))))
	layout{cell: sheetCell, of: results[0].Settings}.lay(&sheet, labelled(results), columns)
	return sheet
}

// ContactSheets lays out results as small pictures, on as many sheets as they need.
func ContactSheets(results []*Result) (sheets []Sheet) {
	for part := range slices.Chunk(results, contactAll) {
		sheet := sheetOf(part)
		sheet.FileName = fmt.Sprintf("contact-sheet-%d.png", len(sheets)+1)
		square := settings.Settings{Width: contactCell, Height: contactCell}
		layout{cell: contactCell, of: square}.lay(&sheet, labelled(part), min(contactRow, len(part)))
		for i := range sheet.Cells {
			sheet.Cells[i].fit()
		}
		sheets = append(sheets, sheet)
	}
	return sheets
}

// labelled returns a cell for each result, labelled with what tells it from the others.
func labelled(results []*Result) (cells []Cell) {
	differing := parted(results, false)
	for i, r := range results {
		cells = append(cells, Cell{Result: r, Label: strings.Join(differing[i], " · ")})
	}
	return cells
}

func sheetOf(results []*Result) Sheet {
	sheet := Sheet{Settings: results[0].Settings, Foot: strings.Join(parted(results, true)[0], "  ·  ")}
	for _, r := range results {
		if weight(r.Settings) > weight(sheet.Settings) {
			sheet.Settings = r.Settings
		}
	}
	return sheet
}

// weight is the sum of the image weights.
func weight(s settings.Settings) (sum float64) {
	for _, a := range s.IPAdapters() {
		sum += a.Lambda
	}
	return sum
}

// layout is how the cells of a sheet are laid out.
type layout struct {
	cell int               // the least width of a picture
	left int               // the room for the heads of rows
	of   settings.Settings // whose size the pictures have
}

// lay gives cells their places, row by row, and the sheet its size.
func (l layout) lay(sheet *Sheet, cells []Cell, columns int) {
	width, height := l.of.Width, l.of.Height
	most := max(64, (sheetMost-sheetGap-l.left)/columns-sheetGap)
	if wanted := min(max(width, l.cell), most); wanted != width {
		width, height = wanted, wanted*height/width
	}
	sheet.Scores = scored(cells)
	rows := (len(cells) + columns - 1) / columns
	pitch := height + 2*sheetLine
	for i := range cells {
		c := &cells[i]
		c.X, c.Y, c.Width, c.Height = sheetGap+l.left+i%columns*(width+sheetGap), sheetGap+i/columns*pitch, width, height
		if l.left > 0 {
			c.Y += sheetLine // for the heads of columns
		}
		c.LabelX, c.LabelY = c.X+width/2, c.Y+height+sheetLine
		if c.Picture != nil {
			side := min(width, height)
			c.X, c.Y, c.Width, c.Height = c.X+(width-side)/2, c.Y+(height-side)/2, side, side
		}
	}
	sheet.Cells = cells
	sheet.Width, sheet.Height = sheetGap+l.left+columns*(width+sheetGap), sheetGap+rows*pitch+sheetLine+sheetGap
	sheet.FootX, sheet.FootY = sheetGap, sheetGap+rows*pitch+8
	if l.left > 0 {
		sheet.Height += sheetLine
		sheet.FootY += sheetLine
	}
}

// fit gives a cell the shape of its result, in the middle of its place.
func (c *Cell) fit() {
	w, h := c.Result.Settings.OutputSize()
	scale := min(float64(c.Width)/float64(w), float64(c.Height)/float64(h))
	width, height := max(1, int(scale*float64(w))), max(1, int(scale*float64(h)))
	c.X, c.Y, c.Width, c.Height = c.X+(c.Width-width)/2, c.Y+(c.Height-height)/2, width, height
}

// parted returns, for each result, what it has in common with all the others, or else what differs.
func parted(results []*Result, common bool) [][]string {
	places := []int{factWords, factSeed, factSteps, factScheduler, factGuidance}
	if !common || results[0].Settings.Model != "" {
		places = []int{factWords, factWeights, factModel, factSeed, factSteps, factScheduler, factGuidance}
	}
	all, parts := make([][]string, len(results)), make([][]string, len(results))
	for i, r := range results {
		all[i] = facts(r)
		all[i][factSeed] = strings.ToLower(all[i][factSeed])
		if r.Settings.Prompt != "" {
			all[i][factWords] = "“" + r.Settings.Prompt + "”"
		}
	}
	for _, p := range places {
		same := true
		for i := range all {
			same = same && all[i][p] == all[0][p]
		}
		if same != common {
			continue
		}
		for i := range all {
			parts[i] = append(parts[i], these(all[i], p)...)
		}
	}
	return parts
}
