package engine

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// sticker is a picture of 2 × 1 pixels: a red one, and a transparent one with a hidden
// colour.
func sticker(t *testing.T, alpha uint8, hidden color.NRGBA) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	m.SetNRGBA(0, 0, color.NRGBA{255, 0, 0, 255})
	hidden.A = alpha
	m.SetNRGBA(1, 0, hidden)
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The colours that a file hides under its transparency make no difference, and the
// background that is seen instead can be chosen.
func TestTransparentPictures(t *testing.T) {
	black, green := color.NRGBA{}, color.NRGBA{0, 255, 0, 0}
	for _, tc := range []struct {
		name, background string
		file             []byte
		want             []uint8
		said             string
	}{
		{"black below", "", sticker(t, 0, black), []uint8{255, 0, 0, 255, 255, 255}, "is partly transparent. The transparent parts are read as white"},
		{"green below", "", sticker(t, 0, green), []uint8{255, 0, 0, 255, 255, 255}, "read as white"},
		{"half", "", sticker(t, 128, black), []uint8{255, 0, 0, 127, 127, 127}, "read as white"},
		{"on black", "#000", sticker(t, 0, green), []uint8{255, 0, 0, 0, 0, 0}, "read as black"},
		{"on blue", "#0000ff", sticker(t, 0, green), []uint8{255, 0, 0, 0, 0, 255}, "read as #0000ff"},
		{"opaque", "", sticker(t, 255, green), []uint8{255, 0, 0, 0, 255, 0}, ""},
	} {
		var said []string
		e := New(nil, nil)
		e.Warn = func(text string) { said = append(said, text) }
		in, err := e.inputs(context.Background(), settings.Settings{Background: tc.background}, Pictures{"a.png": tc.file})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			m, err := in.picture("a.png")
			if err != nil || !slices.Equal(m.Pix, tc.want) {
				t.Errorf("%s: %v, %v; want %v", tc.name, m, err, tc.want)
			}
		}
		if tc.said == "" && said != nil || tc.said != "" && (len(said) != 1 || !strings.Contains(said[0], tc.said)) {
			t.Errorf("%s: said %q", tc.name, said)
		}
	}
}

func TestMasksWithTransparency(t *testing.T) {
	var said []string
	e := New(nil, nil)
	e.Warn = func(text string) { said = append(said, text) }
	files := Pictures{"alpha.png": sticker(t, 0, color.NRGBA{255, 255, 255, 0}), "opaque.png": sticker(t, 255, color.NRGBA{255, 255, 255, 0})}
	in, err := e.inputs(context.Background(), settings.Settings{}, files)
	if err != nil {
		t.Fatal(err)
	}
	m, err := in.mask("alpha.png")
	if err != nil || !slices.Equal(m.Grey().Pix, []uint8{255, 0}) {
		t.Errorf("%v, %v", m, err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "Its opaque parts are read as white") {
		t.Errorf("said %q", said)
	}
	if m, err = in.mask("opaque.png"); err != nil || !slices.Equal(m.Grey().Pix, []uint8{76, 255}) || len(said) != 1 {
		t.Errorf("%v, %v, said %q", m, err, said)
	}
}

// If there is a browser, it reads the pictures that imageproc does not read.
func TestTheHostsDecoderStepsIn(t *testing.T) {
	e := New(nil, nil)
	in, err := e.inputs(context.Background(), settings.Settings{}, Pictures{"a.avif": []byte("\x00\x00\x00\x18ftypavif")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.picture("a.avif"); err == nil || !strings.Contains(err.Error(), "a.avif: this is a file of the kind AVIF") {
		t.Error(err)
	}
	e.ToPNG = func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") }
	if _, err := in.picture("a.avif"); err == nil || !strings.Contains(err.Error(), "AVIF") {
		t.Error(err)
	}
	e.ToPNG = func(context.Context, []byte) ([]byte, error) { return sticker(t, 255, color.NRGBA{}), nil }
	if m, err := in.picture("a.avif"); err != nil || m.Width != 2 {
		t.Errorf("%v, %v", m, err)
	}
}
