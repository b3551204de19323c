package cli

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// models is a Host that finds folders on the disk by any name.
type models map[string]string

func (m models) Folder(_ context.Context, name string) (loader.Folder, error) {
	dir, ok := m[name]
	if !ok {
		return nil, os.ErrNotExist
	}
	return loader.Directory(dir), nil
}

func (m models) File(context.Context, string) (loader.Source, error) {
	return nil, errors.New("no file")
}

// A height or width that is not given is the start picture's, or the model's own. The two
// are independent.
func TestSize(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "unet"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "unet", "config.json"), []byte(`{"sample_size": 32}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const link = "https://hub.example/owner/model"
	host := models{"": dir, link: dir, "model.safetensors": dir, "odd": t.TempDir()}
	var start bytes.Buffer
	if err := png.Encode(&start, image.NewGray(image.Rect(0, 0, 101, 77))); err != nil {
		t.Fatal(err)
	}
	pictures := map[string][]byte{"start.png": start.Bytes()}
	for flags, want := range map[string][2]int{ // height, width
		"":                                  {256, 256},
		"--model " + link:                   {256, 256},
		"--model model.safetensors":         {256, 256},
		"--model odd":                       {512, 512},
		"--model none":                      {512, 512},
		"--width 64":                        {256, 64},
		"--height 64":                       {64, 256},
		"--height 64 --width 96":            {64, 96},
		"--init-image start.png":            {72, 96},
		"--init-image start.png --width 64": {72, 64},
		"--init-image start.png --outpaint 8,0,16,24": {96, 120},
		"--init-image start.png --height 64":          {64, 96},
		"--model odd --height 64":                     {64, 512},
		"--init-image start.png --model odd":          {72, 96},
		"--init-image start.png --height=1024":        {1024, 96},
		"--model " + link + " --width=1024":           {256, 1024},
		"--model model.safetensors --height 72":       {72, 256},
	} {
		o, err := parse(append(strings.Fields(flags), "--out", "o.png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.size(context.Background(), pictures, host); err != nil || o.Height != want[0] || o.Width != want[1] {
			t.Errorf("%q: %d × %d, %v; want %v", flags, o.Height, o.Width, err, want)
		}
	}
	o, _ := parse(strings.Fields("--init-image start.avif --out o.png"))
	if err := o.size(context.Background(), map[string][]byte{"start.avif": []byte("\x00\x00\x00\x18ftypavif")}, host); err == nil || !strings.Contains(err.Error(), "start.avif: ") {
		t.Errorf("a start picture that cannot be read: %v", err)
	}
}

// Whether a picture can be written is checked before it is drawn.
func TestOutput(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, want := range map[string]string{
		in("a/b/c.png"): "", in("x.jpg"): "", in("x.JPEG"): "", in("plain"): "",
		in("x.webp"): "not as .webp", in("x.tiff"): ".png or .jpg", dir: "is a folder",
	} {
		o, err := parse([]string{"--out", name})
		if err != nil {
			t.Fatal(err)
		}
		err = o.prepareOutput()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
	if err := os.WriteFile(in("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o, _ := parse([]string{"--out", in("file/x.png")})
	if err := o.prepareOutput(); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("a folder that is a file: %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d entries are left, %v", len(left), err)
	}

	r := engine.Result{RGBA: make([]byte, 4*8*8), Width: 8, Height: 8, Settings: settings.Default()}
	r.Settings.Prompt = "a fox"
	for name, start := range map[string]string{"a/b/c.png": "\x89PNG", "x.jpg": "\xff\xd8", "plain": "\x89PNG"} {
		o, _ := parse([]string{"--out", in(name)})
		if err := o.save(r); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(in(name))
		if err != nil || !strings.HasPrefix(string(file), start) {
			t.Errorf("%s begins with %q, %v", name, file[:min(4, len(file))], err)
		}
		if s, err := settings.Read(file); err != nil || s.Prompt != "a fox" {
			t.Errorf("%s carries %+v, %v", name, s, err)
		}
	}
	o, _ = parse([]string{"--out", in("many.png"), "--num-images", "3"})
	r.Index = 2
	if err := o.save(r); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(in("many-3.png")); err != nil {
		t.Error(err)
	}
}
