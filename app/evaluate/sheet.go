package evaluate

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/math/fixed"

	"github.com/imprompt/imprompt/model/imageproc"
)

// The sheet's sizes, in pixels.
const (
	sheetCell    = 128 // a picture
	sheetGap     = 4
	sheetLabel   = 172 // the width of the rows' names, on the left
	sheetColumns = 12  // at most
)

// sheetColours is how many colours a sheet's PNG has. With 192 colours the sheet of
// paper.json, with 3 columns and 25 rows, takes 290 kB at a PSNR of 33 dB. With all colours
// it took 1.4 MB.
const sheetColours = 192

// writeSheet draws a row for each row of the table, with the first seed's pictures,
// under the image prompts.
func (r *run) writeSheet() error {
	var prompts []*imageproc.Image
	for _, e := range r.examples {
		m, err := imagePrompt(r.pictures[e["picture"]])
		if err != nil {
			return err
		}
		prompts = append(prompts, m)
	}
	names, rows := []string{"image prompt"}, [][]*imageproc.Image{prompts}
	for i, row := range r.rows {
		names, rows = append(names, row.Name), append(rows, r.sheet[i])
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, paletted(drawSheet(names, rows), sheetColours)); err != nil {
		return err
	}
	return writeFile(filepath.Join(r.Dir, "sheet.png"), b.Bytes())
}

// drawSheet puts pictures in rows, each with its name. A nil picture leaves its place empty.
func drawSheet(names []string, rows [][]*imageproc.Image) *image.RGBA {
	columns := min(len(rows[0]), sheetColumns)
	pitch := sheetCell + sheetGap
	sheet := image.NewRGBA(image.Rect(0, 0, sheetLabel+columns*pitch, len(rows)*pitch+sheetGap))
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)
	for y, row := range rows {
		top := sheetGap + y*pitch
		drawText(sheet, names[y], sheetGap, top, sheetLabel-2*sheetGap)
		for x, m := range row[:columns] {
			if m == nil {
				continue
			}
			m = m.RGB()
			scale := float64(sheetCell) / float64(max(m.Width, m.Height))
			w, h := max(1, int(scale*float64(m.Width))), max(1, int(scale*float64(m.Height)))
			if w != m.Width || h != m.Height {
				m = m.Resize(w, h, imageproc.Lanczos)
			}
			at := image.Rect(0, 0, w, h).Add(image.Pt(sheetLabel+x*pitch, top))
			draw.Draw(sheet, at, &image.NRGBA{Pix: m.RGBA(), Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}, image.Point{}, draw.Src)
		}
	}
	return sheet
}

// drawText writes words from the upper left corner, broken into lines of a width. The
// typeface is a bitmap without Greek letters.
func drawText(sheet *image.RGBA, text string, x, y, width int) {
	face := inconsolata.Regular8x16
	d := font.Drawer{Dst: sheet, Src: image.NewUniform(color.Gray{Y: 40}), Face: face}
	line := ""
	flush := func() {
		y += face.Height
		d.Dot = fixed.P(x, y)
		d.DrawString(line)
		line = ""
	}
	for _, word := range strings.Fields(strings.ReplaceAll(text, "λ", "scale")) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && d.MeasureString(longer).Ceil() > width {
			flush()
			longer = word
		}
		line = longer
	}
	flush()
}
