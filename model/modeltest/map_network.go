package modeltest

import (
	"testing"

	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
)

// MapNetwork is a network that makes maps, in a fixture of tests/reference/preprocessors.py.
type MapNetwork struct {
	Model     Model            `json:"-"` // the small network, which is the only part and has the fixture's name
	Channels  [5]int           // of HED's blocks
	Keys      map[string][]int // the shapes of the small network
	Published map[string][]int // those of the network as it is published
	Shape     []int
	Values    []float32
	F16Error  float64 `json:"f16_error"`
}

// ReadMapNetwork reads the fixture of that name.
func ReadMapNetwork(t *testing.T, name string) (f MapNetwork) {
	t.Helper()
	Fixture(t, "preprocessors/"+name+".json", &f)
	f.Model = Model{Name: name, Keys: map[string]map[string][]int{name: f.Keys}}
	return f
}

// Picture is what the network reads: hashed numbers from 0 to 2 · scale.
func (f MapNetwork) Picture(scale float64) *imageproc.Image {
	h, w := f.Shape[0], f.Shape[1]
	m := &imageproc.Image{Width: w, Height: h, Channels: 3}
	for _, v := range Picture(f.Model.Name, h, w) {
		m.Pix = append(m.Pix, uint8((float64(v)+1)*scale))
	}
	return m
}

// OpenPublished opens the network as it is published, without its numbers, and checks that it has just the tensors of
// the file.
func OpenPublished[N nn.Network](t *testing.T, f MapNetwork, open func(nn.Checkpoint) (N, error)) N {
	t.Helper()
	c := Zeros(f.Published)
	n, err := open(c)
	if err != nil {
		t.Fatal(err)
	}
	unused := func(_ string, keys []string) { t.Errorf("not used: %v", keys) }
	if err := (&nn.Memory{Unused: unused}).Add(n, c, 0); err != nil {
		t.Error(err)
	}
	return n
}
