package pose

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/model/imageproc"
)

const root = "../../../tests"

// network reads MoveNet from the npm package.
func network(t *testing.T) *Network {
	t.Helper()
	var files [2][]byte
	for i, ext := range []string{".json", ".bin"} {
		var err error
		if files[i], err = os.ReadFile(filepath.Join(root, "node_modules/@vladmandic/human/models/movenet-lightning"+ext)); err != nil {
			t.Fatalf("%v: run ./build.sh setup", err)
		}
	}
	n, err := Read(files[0], files[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fixture(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "fixtures/pose", name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// capsule is a line with a width and a colour.
type capsule struct {
	From, To [2]float64
	Radius   float64
	Colour   [3]uint8
}

// drawn draws a figure as tests/reference/pose.mjs does. Without one it makes a picture without a pattern.
func drawn(figure []capsule) *imageproc.Image {
	m := &imageproc.Image{Width: side, Height: side, Channels: 3, Pix: make([]uint8, side*side*3)}
	for i := range m.Pix {
		if m.Pix[i] = 200; figure == nil {
			m.Pix[i] = uint8(i * i % 1009 % 256)
		}
	}
	for _, c := range figure {
		dx, dy := c.To[0]-c.From[0], c.To[1]-c.From[1]
		for i := range side * side {
			x, y := float64(i%side)-c.From[0], float64(i/side)-c.From[1]
			along := min(max((x*dx+y*dy)/(dx*dx+dy*dy), 0), 1)
			if x, y := x-along*dx, y-along*dy; x*x+y*y <= c.Radius*c.Radius {
				copy(m.Pix[3*i:], c.Colour[:])
			}
		}
	}
	return m
}

// The joints, and the results of the network before them, are those of TensorFlow.js.
func TestAgainstTensorFlow(t *testing.T) {
	n := network(t)
	var f struct {
		Tolerance float64
		Every     int
		Cases     map[string]struct {
			Figure                                 []capsule
			Sum                                    int
			Joints                                 []float32
			Heatmaps, Centres, Regression, Offsets []float32
		}
	}
	fixture(t, "movenet.json", &f)
	for name, c := range f.Cases {
		m, sum := drawn(c.Figure), 0
		for _, v := range m.Pix {
			sum += int(v)
		}
		if sum != c.Sum {
			t.Fatalf("%s: the picture is another one", name)
		}
		made, err := n.run(n.prepare(m.Pix))
		if err != nil {
			t.Fatal(err)
		}
		joints := n.joints(made)
		for k, j := range joints {
			for i, v := range []float32{j.Y, j.X, j.Score} {
				if d := math.Abs(float64(v - c.Joints[3*k+i])); !(d <= f.Tolerance) {
					t.Errorf("%s: joint %d is %+v, %g off", name, k, j, d)
				}
			}
		}
		for part, want := range map[string][]float32{heatmaps: c.Heatmaps, centres: c.Centres, regression: c.Regression, offsets: c.Offsets} {
			got := made[part].values
			for i, v := range want {
				if d := math.Abs(float64(got[i*f.Every] - v)); !(d <= f.Tolerance*max(1, math.Abs(float64(v)))) {
					t.Errorf("%s: number %d of %s is %g, not %g", name, i*f.Every, part, got[i*f.Every], v)
				}
			}
		}
		if c.Figure == nil {
			continue
		}
		// A picture that is not square gives the same pose, where the person is.
		wide := &imageproc.Image{Width: 2 * side, Height: side, Channels: 3, Pix: make([]uint8, 2*side*side*3)}
		for y := range side {
			copy(wide.Pix[(y*2*side+side/2)*3:], m.Pix[y*side*3:][:side*3])
		}
		found, err := n.Find(wide)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int{5, 6, 11, 12} { // shoulders and hips
			if math.Abs(float64(found[k].Y-joints[k].Y)) > 0.05 || math.Abs(float64(found[k].X-(joints[k].X+0.5)/2)) > 0.05 {
				t.Errorf("%s: in a wide picture joint %d is %+v, not %+v", name, k, found[k], joints[k])
			}
		}
	}
}

// Files that are no such network are refused.
func TestDamaged(t *testing.T) {
	for graph, want := range map[string]string{
		"{":  "is damaged",
		"{}": "is damaged",
		`{"weightsManifest":[{"weights":[{"name":"a","shape":[9],"dtype":"float32"}]}]}`: "end before a",
		`{"weightsManifest":[{"weights":[]}]}`:                                           "has no StatefulPartitionedCall/",
	} {
		if _, err := Read([]byte(graph), make([]byte, 8)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", graph, err)
		}
	}
}

// The drawings are those of controlnet_aux and OpenCV, to the pixel.
func TestDraw(t *testing.T) {
	var f struct {
		Least float64
		Cases []struct {
			Width, Height int
			Joints        [Joints][3]float32
			PNG           []byte
		}
	}
	fixture(t, "drawings.json", &f)
	for i, c := range f.Cases {
		want, err := imageproc.Decode(c.PNG)
		if err != nil {
			t.Fatal(err)
		}
		var joints [Joints]Joint
		for k, j := range c.Joints {
			joints[k] = Joint{j[0], j[1], j[2]}
		}
		got, off := Draw(joints, f.Least, c.Width, c.Height), 0
		for at := 0; at < len(got.Pix); at += 3 {
			if got.Pix[at] != want.Pix[at] || got.Pix[at+1] != want.Pix[at+1] || got.Pix[at+2] != want.Pix[at+2] {
				off++
			}
		}
		if got.Width != want.Width || got.Height != want.Height || off > 0 {
			t.Errorf("drawing %d: %d pixels differ", i, off)
		}
	}
}
