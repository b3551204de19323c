package settings

import (
	"bytes"
	"errors"
	"strings"

	"github.com/imprompt/imprompt/model/imageproc/exif"
)

// ErrNoSettings says that a picture is undamaged but carries no settings.
var ErrNoSettings = errors.New("this picture carries no settings: it was made by another program, or a site removed them")

// Read reads the settings that a PNG, JPEG or WebP file carries, without decoding its
// pixels: this program's own, or those of A1111, Forge, Fooocus, Civitai, ComfyUI,
// SwarmUI or InvokeAI. With a *Partial the settings are good. With any other error they
// are the defaults.
func Read(file []byte) (Settings, error) {
	if bytes.HasPrefix(file, []byte(signature)) {
		s, err := ReadPNG(bytes.NewReader(file))
		if !errors.Is(err, ErrNoSettings) {
			return s, err
		}
	}
	f := exif.Read(file)
	for _, c := range f.Comments {
		if whole, ok := bytes.CutPrefix(c, []byte(keyJSON+"\x00")); ok {
			return fromPicture(whole)
		}
	}
	for _, tag := range []uint16{exif.UserComment, exif.Description, exif.XPComment, exif.Model, exif.Make} {
		text, ok := f.Tags.Text(tag)
		if !ok {
			continue
		}
		// ComfyUI writes a name before its graph.
		if graph, ok := strings.CutPrefix(text, "prompt:"); ok {
			text = graph
		} else if graph, ok := strings.CutPrefix(text, "workflow:"); ok {
			text = graph
		} else if tag == exif.Model || tag == exif.Make {
			continue // a camera's text
		}
		if isSettings(text) {
			return Parse(text)
		}
	}
	return Default(), ErrNoSettings
}

// isSettings reports whether a text, from a field that may hold anything, is settings.
func isSettings(text string) bool {
	s, n := Default(), &notes{}
	if readJSON(text, &s, n) {
		return s.Prompt != "" || s.NumInferenceSteps != Default().NumInferenceSteps
	}
	_, parameters := splitText(text)
	return parameters != ""
}

// fromPicture reads this program's own settings from a picture, which anyone may have
// changed.
func fromPicture(text []byte) (Settings, error) {
	s, err := FromJSON(text)
	n := &notes{}
	var partial *Partial
	switch {
	case errors.As(err, &partial):
		for _, what := range partial.LeftOut {
			n.add("%s", what)
		}
	case err != nil:
		return s, err
	}
	s.bound(n)
	return s, n.partial()
}
