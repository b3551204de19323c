package maps

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "none": "", "canny": "canny", "canny:": "canny", "canny:low_threshold=100,high_threshold=150.5": "canny:high_threshold=150.5",
		"canny:l2_gradient=1,low_threshold=50": "canny:low_threshold=50,l2_gradient=1", "shuffle:seed=4294967295": "shuffle:seed=4294967295",
	} {
		p, err := Parse(text)
		if err != nil || p.String() != want {
			t.Errorf("%q is read as %q, %v", text, p, err)
		}
	}
	for text, want := range map[string]string{
		"cannny": "Choose one of none, canny, scribble", "canny:low=3": "It has low_threshold, high_threshold, l2_gradient", "invert:by=3": "no options",
		"tile:down_sampling_rate=9": "from 1 to 8", "shuffle:seed=1.5": "must be a whole number", "canny:l2_gradient=0.5": "must be a whole number", "tile:down_sampling_rate=": "must be a number", "tile:down_sampling_rate=NaN": "must be a number",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v", text, err)
		}
	}
}

// Every method makes maps of any picture that cover the result, and a picture of the result's size is not resized before.
func TestMapsCoverTheResult(t *testing.T) {
	for _, k := range Methods {
		p, err := Parse(k.Name)
		if err != nil {
			t.Fatal(err)
		}
		if k.Network != "" {
			continue // its package makes the map
		}
		for _, size := range [][2]int{{1, 1}, {40, 3}, {64, 128}, {90, 70}, {1, 20000}} {
			m := scene(size[0], size[1], 3)
			got := p.Map(m, 64, 128)
			if k.Name == None && got != m {
				t.Error("a map is changed")
			}
			if k.Name != None && k.Name != "tile" && (got.Width < 64 || got.Height < 128 || got.Width > 64 && got.Height > 128) {
				t.Errorf("%s of %v has %d × %d pixels", k.Name, size, got.Width, got.Height)
			}
		}
	}
	p, _ := Parse("canny")
	m := scene(64, 128, 3)
	if string(p.Map(m, 64, 128).Pix) != string(Canny(m, 100, 200, false).Pix) {
		t.Error("a picture of the result's size is resized")
	}
}
