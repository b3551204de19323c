package evaluate

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

func TestPalettedKeepsFewColoursAsTheyAre(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		m.SetRGBA(i%16, i/16, color.RGBA{uint8(i % 4 * 60), uint8(i / 64 * 50), 200, 255})
	}
	p := paletted(m, 16)
	for y := range 16 {
		for x := range 16 {
			if got, want := color.RGBAModel.Convert(p.At(x, y)), m.RGBAAt(x, y); got != want {
				t.Fatalf("the pixel (%d, %d) is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestPalettedMakesTheSameFileEachTime(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		x, y := i%64, i/64
		m.SetRGBA(x, y, color.RGBA{uint8(4 * x), uint8(4 * y), uint8(x * y / 16), 255})
	}
	var files [2]bytes.Buffer
	for i := range files {
		p := paletted(m, 32)
		if len(p.Palette) != 32 {
			t.Errorf("the palette has %d colours, want 32", len(p.Palette))
		}
		if err := png.Encode(&files[i], p); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two files of one picture differ")
	}
}

// The error of a smooth picture in n colours is about that of n equal boxes. 64 boxes in a
// square of 256 by 256 are 32 wide, and the colours within a box are uniform, which gives
// an error of 32²/12 per axis.
func TestPalettedSpreadsItsColours(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 128, 128))
	for i := range 128 * 128 {
		m.SetRGBA(i%128, i/128, color.RGBA{uint8(i % 128 * 2), uint8(i / 128 * 2), 0, 255})
	}
	p := paletted(m, 64)
	sum := 0.0
	for y := range 128 {
		for x := range 128 {
			a, b := m.RGBAAt(x, y), color.RGBAModel.Convert(p.At(x, y)).(color.RGBA)
			dr, dg := float64(a.R)-float64(b.R), float64(a.G)-float64(b.G)
			sum += dr*dr + dg*dg
		}
	}
	if mean, even := sum/(128*128), 2*32.0*32/12; mean > 1.1*even {
		t.Errorf("the mean squared error is %.0f, that of even boxes %.0f", mean, even)
	}
}
