package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// prepareOutput makes the folders of the files to write, and tries to write there, so
// that an hour of drawing does not end with a missing folder.
func (o *options) prepareOutput() error {
	if _, err := encoderFor(o.out); err != nil {
		return err
	}
	names := []string{o.out, o.preview, o.dumpLatents, o.dumpMap}
	for _, name := range o.embeds {
		names = append(names, name)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder. Give the name of a file in it, as in %s", name, filepath.Join(name, "picture.png"))
		}
		dir := filepath.Dir(name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("the folder %s cannot be made: %w", dir, err)
		}
		f, err := os.CreateTemp(dir, ".imprompt-*")
		if err != nil {
			return fmt.Errorf("nothing can be written into the folder %s: %w", dir, err)
		}
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// encode writes a picture with its settings.
type encode func(b *bytes.Buffer, r engine.Result) error

// encoderFor chooses an encoder by a file's name. A name without an extension means PNG.
func encoderFor(name string) (encode, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".png", "":
		return func(b *bytes.Buffer, r engine.Result) error {
			return settings.EncodePNG(b, r.RGBA, r.Width, r.Height, r.Settings)
		}, nil
	case ".jpg", ".jpeg":
		return func(b *bytes.Buffer, r engine.Result) error {
			return settings.EncodeJPEG(b, r.RGBA, r.Width, r.Height, r.Settings)
		}, nil
	default:
		return nil, fmt.Errorf("--out %s: pictures are written as .png or .jpg, not as %s", name, ext)
	}
}

// writeMap writes the map of a guide. part names a map of Uni-ControlNet.
func (o *options) writeMap(guide int, part string, m *imageproc.Image) error {
	name := o.dumpMap
	if o.preprocessed() > 1 {
		name = numbered(name, guide)
		if part != "" {
			ext := filepath.Ext(name)
			name = strings.TrimSuffix(name, ext) + "-" + part + ext
		}
	}
	b, err := m.PNG(nil)
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}

// preprocessed counts the maps that are made by a preprocessor.
func (o *options) preprocessed() (n int) {
	for _, g := range o.Guides {
		if s, ok := structureOf(g); ok && s.preprocessor != nil && *s.preprocessor != "" && *s.preprocessor != maps.None {
			n++
		}
		if u, ok := g.(*settings.UniControlNet); ok {
			for _, text := range u.Preprocessors {
				if text != "" && text != maps.None {
					n++
				}
			}
		}
	}
	return n
}

// numbered adds a number to a file's name.
func numbered(name string, n int) string {
	ext := filepath.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
}

// save writes a picture. If there are several, it adds a number to the name.
func (o *options) save(r engine.Result) error {
	name := o.out
	if o.NumImages > 1 {
		name = numbered(name, r.Index+1)
	}
	write, err := encoderFor(name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(&b, r); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}
