package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// packages is a Host that has the files of an npm package.
type packages struct{ Host }

func (packages) File(ctx context.Context, name string) (loader.Source, error) {
	return loader.Directory("../../tests/node_modules/@vladmandic/human/models").Open(ctx, name)
}

// A pose needs a person, unless everything may be one. Its map has the size at which the picture covers the result.
func TestPlainMap(t *testing.T) {
	grey := &imageproc.Image{Width: 60, Height: 30, Channels: 1, Pix: make([]uint8, 60*30)}
	for text, size := range map[string][2]int{"openpose": {}, "openpose:least_score=0": {128, 64}, "invert": {128, 64}} {
		p, err := maps.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := PlainMap(context.Background(), packages{}, p, grey, 64, 64)
		switch {
		case size[0] == 0 && (err == nil || !strings.Contains(err.Error(), "nobody was found")):
			t.Errorf("%s: %v", text, err)
		case size[0] > 0 && (err != nil || m.Width != size[0] || m.Height != size[1]):
			t.Errorf("%s: a map of %+v (%v)", text, m, err)
		}
	}
}
