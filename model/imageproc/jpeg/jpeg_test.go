package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	gojpeg "image/jpeg"
	"os"
	"testing"
)

const pictures = "../../../tests/fixtures/pictures/"

// Planes come at their own sizes. What they hold is compared with PIL in package
// imageproc.
func TestPlanes(t *testing.T) {
	for name, want := range map[string][3][2]int{
		"jpeg-2x2-2x1-1x2.jpg": {{47, 35}, {47, 18}, {24, 35}},
		"jpeg-1x1-2x2-2x2.jpg": {{24, 18}, {47, 35}, {47, 35}},
		"jpeg-3x1-1x1-1x1.jpg": {{47, 35}, {16, 35}, {16, 35}},
	} {
		file, err := os.ReadFile(pictures + name)
		if err != nil {
			t.Fatal(err)
		}
		if w, h, err := Size(file); err != nil || w != 47 || h != 35 {
			t.Errorf("%s: %d × %d, %v", name, w, h, err)
		}
		p, err := Decode(file, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range p.Planes {
			if c.Width != want[i][0] || c.Height != want[i][1] || len(c.Pix) < c.Stride*c.Height {
				t.Errorf("%s: plane %d is %d × %d, want %v", name, i, c.Width, c.Height, want[i])
			}
		}
		if _, err := Decode(file, 47*35-1); err == nil {
			t.Errorf("%s is larger than allowed", name)
		}
		for cut := range file {
			if _, err := Decode(file[:cut], 1<<20); err == nil {
				t.Errorf("%s: its first %d bytes are enough", name, cut)
			}
		}
	}
}

// The usual kind decodes as Go's package decodes it, to the rounding.
func TestAsGo(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 33, 21))
	for i := range m.Pix {
		m.Pix[i] = uint8(40 + i/5)
	}
	var b bytes.Buffer
	if err := gojpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	p, err := Decode(b.Bytes(), 1<<20)
	if err != nil || p.Colour != Grey {
		t.Fatal(err)
	}
	g, err := gojpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 21 {
		for x := range 33 {
			d := int(p.Planes[0].Pix[y*p.Planes[0].Stride+x]) - int(g.At(x, y).(color.Gray).Y)
			if d < -1 || d > 1 {
				t.Fatalf("(%d, %d) differs by %d", x, y, d)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	file, err := os.ReadFile(pictures + "jpeg-arithmetic.jpg")
	if err != nil {
		t.Fatal(err)
	}
	var unsupported UnsupportedError
	if _, err := Decode(file, 1<<20); !errors.As(err, &unsupported) {
		t.Error(err)
	}
}
