package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What belongs to an adapter goes to the one before it; several images to one.
func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("--prompt fox --ip-adapter a.safetensors --image-encoder enc --image 1.png 2.png --ip-adapter-scale 0.6 " +
		"--ip-adapter b.safetensors --image=3.png --ip-adapter-layers style --ip-adapter-start 0.2 --ip-adapter-end 0.8 --ip-adapter-mask m.png " +
		"--seed 18446744073709551615 --num-images 2 --no-f16 --width 64 --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.IPAdapters) != 2 {
		t.Fatalf("%d adapters", len(o.IPAdapters))
	}
	a, b := o.IPAdapters[0], o.IPAdapters[1]
	if a.Weights != "a.safetensors" || a.ImageEncoder != "enc" || len(a.Images) != 2 || a.Images[1].Picture != "2.png" || a.Scale != 0.6 || a.End != 1 {
		t.Errorf("the first adapter is %+v", a)
	}
	if b.Weights != "b.safetensors" || len(b.Images) != 1 || b.Layers != "style" || b.Start != 0.2 || b.End != 0.8 || b.Mask != "m.png" || b.Scale != 1 {
		t.Errorf("the second adapter is %+v", b)
	}
	if o.Seed != 1<<64-1 || o.NumImages != 2 || !o.noF16 || o.Width != 64 || !o.sized || o.Prompt != "fox" || o.out != "o.png" {
		t.Errorf("the options are %+v", o)
	}
}

// Every mistake is named, at once.
func TestParseErrors(t *testing.T) {
	_, err := parse(strings.Fields("--steps 5 --seed -1 --guidance-scale high --num-images"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"--steps", "--seed", `"high"`, "--num-images needs a value", "--out"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if _, err := parse([]string{"--help"}); err != nil {
		t.Errorf("--help: %v", err)
	}
	if !strings.Contains(usage, "--ip-adapter-scale") {
		t.Error("the usage leaves options out")
	}
}

func TestReadPictures(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "a.png")
	if err := os.WriteFile(there, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"--out", "o", "--image", there, "--init-image", there})
	if err != nil {
		t.Fatal(err)
	}
	if files, err := o.readPictures(); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
	o.Mask = filepath.Join(dir, "none.png")
	if _, err := o.readPictures(); err == nil || !strings.Contains(err.Error(), "none.png") {
		t.Errorf("a missing file gives %v", err)
	}
}
