package maps

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"testing"

	"github.com/imprompt/imprompt/model/imageproc"
)

// scene draws the picture of the same name in tests/reference/maps.py.
func scene(width, height, channels int) *imageproc.Image {
	m := imageOf(width, height, channels)
	discs := [...][4]int{{30, 35, 22, 90}, {62, 40, 30, -55}, {48, 75, 18, 120}, {80, 82, 12, 60}, {15, 85, 9, -40}}
	square := func(v int) int { return v * v }
	for i := range m.Pix {
		c, x, y := i%channels, i/channels%width, i/channels/width
		v := 40 + x*90/width + y*60/height + c*9
		for k, d := range discs {
			if square((x*100-d[0]*width)*height)+square((y*100-d[1]*height)*width) < square(d[2]*width*height) {
				v += d[3] + (c-1)*20*(k%3)
			}
		}
		v += (x*374761393 + y*668265263 + c*2246822519) >> 13 & 7
		m.Pix[i] = uint8(min(max(v, 0), 255))
	}
	return m
}

// noise draws pattern() of tests/reference/patterns.py.
func noise(width, height, channels int) *imageproc.Image {
	m := imageOf(width, height, channels)
	for i := range m.Pix {
		c, x, y := uint32(i%channels), uint32(i/channels%width), uint32(i/channels/width)
		m.Pix[i] = uint8(x*3 + y*5 + c*70 + (x*374761393+y*668265263+c*2246822519)>>13)
	}
	return m
}

func TestMapsEqualTheReference(t *testing.T) {
	text, err := os.ReadFile("../../../tests/fixtures/maps/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Cases []struct {
			Map     string
			Options []float64
			Picture string
			Size    [3]int
			Shape   [2]int
			CRC     uint32
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	for _, tc := range reference.Cases {
		m := scene(tc.Size[0], tc.Size[1], tc.Size[2])
		if tc.Picture == "noise" {
			m = noise(tc.Size[0], tc.Size[1], tc.Size[2])
		}
		o := append(tc.Options, 0, 0, 0)
		var got *imageproc.Image
		switch tc.Map {
		case "canny":
			got = Canny(m, o[0], o[1], o[2] == 1)
		case "scribble":
			got = Scribble(Canny(m, o[0], o[1], false))
		case "softedge":
			got = SoftEdge(Canny(m, o[0], o[1], false))
		case "tile":
			got = Tile(m, o[0])
		case "shuffle":
			got = Shuffle(m, uint32(o[0]), int(o[1]))
		case "recolor_luminance":
			got = Luminance(m, o[0])
		case "recolor_intensity":
			got = Intensity(m, o[0])
		case "color":
			got = Palette(m)
		case "invert":
			got = Invert(m)
		default:
			t.Fatalf("there is no map %s", tc.Map)
		}
		if [2]int{got.Width, got.Height} != tc.Shape || crc32.ChecksumIEEE(got.Pix) != tc.CRC {
			t.Errorf("%s with %v of %s %v: the map differs", tc.Map, tc.Options, tc.Picture, tc.Size)
		}
	}
}

// Strokes along the edges of a picture are those of controlnet_aux's nms.
func TestThinEqualsTheReference(t *testing.T) {
	text, err := os.ReadFile("../../../tests/fixtures/preprocessors/hed.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Strokes []struct {
			Size        [2]int
			Edges, Thin uint32
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	for _, s := range reference.Strokes {
		edges := blur(noise(s.Size[0], s.Size[1], 1), 2)
		if crc32.ChecksumIEEE(edges.Pix) != s.Edges {
			t.Fatalf("%v: the edges themselves differ", s.Size)
		}
		if crc32.ChecksumIEEE(Thin(edges, 127, 3).Pix) != s.Thin {
			t.Errorf("%v: the strokes differ", s.Size)
		}
	}
	if len(reference.Strokes) == 0 {
		t.Error("there are no strokes")
	}
}
