package engine

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// A preprocessor makes the map in the size of the result, which the network reads then, and tells of it. Without one the
// picture is read as it is.
func TestControlMap(t *testing.T) {
	disc := image.NewGray(image.Rect(0, 0, 32, 24))
	for y := range 24 {
		for x := range 32 {
			if (x-15)*(x-15)+(y-12)*(y-12) < 60 {
				disc.SetGray(x, y, color.Gray{200})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, disc); err != nil {
		t.Fatal(err)
	}
	picture, err := imageproc.Decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var made *imageproc.Image
	e := &Engine{MadeMap: func(guide int, part string, m *imageproc.Image) { made = m }}
	in := guideInput{number: 2, pictures: &inputs{engine: e, files: Pictures{"disc.png": b.Bytes()}}, width: 64, height: 48}
	for preprocessor, want := range map[string]*imageproc.Image{
		"": picture, "none": picture,
		"canny:high_threshold=120": maps.Canny(picture.Resize(64, 48, imageproc.Lanczos), 100, 120, false),
	} {
		made = nil
		values, err := in.controlMap("disc.png", preprocessor, "", 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range imageproc.ControlPreprocess(want, 48, 64) {
			if values[i] != v {
				t.Fatalf("%q: value %d is %g, not %g", preprocessor, i, values[i], v)
			}
		}
		if (made != nil) != (want != picture) {
			t.Errorf("%q: it tells of the map %v", preprocessor, made)
		}
	}
	if _, err := in.controlMap("disc.png", "cany", "", 3); err == nil {
		t.Error("an unknown preprocessor is no error")
	}
}
