//go:build !js

package engine

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// readings is a fullSize that counts the bytes which are read of each file of weights. "other" is
// another folder with the same files.
type readings struct {
	fullSize
	bytes map[string]int64
}

func (r readings) Folder(_ context.Context, name string) (loader.Folder, error) {
	if name == "missing" {
		return nil, errors.New("it is not here")
	}
	return readingsFolder{fullSizeFolder{r.fullSize, "sd15"}, name, r.bytes}, nil
}

type readingsFolder struct {
	loader.Folder
	name  string
	bytes map[string]int64
}

func (f readingsFolder) Open(ctx context.Context, path string) (loader.Source, error) {
	s, err := f.Folder.Open(ctx, path)
	if _, weights := s.(headerOnly); !weights {
		return s, err
	}
	return readingsFile{s, f.name + "/" + path, f.bytes}, err
}

type readingsFile struct {
	loader.Source
	name  string
	bytes map[string]int64
}

func (f readingsFile) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	f.bytes[f.name] += n
	return f.Source.ReadRange(ctx, off, n)
}

// Another VAE, and the model's own again, are all that is read when the VAE is changed. The GPU never
// holds more than it did with the first one.
func TestChangeVAE(t *testing.T) {
	const file = "/vae/diffusion_pytorch_model.fp16.safetensors"
	d := gpu.NewPlanner(true, roomy())
	host := readings{readFullSize(t), map[string]int64{}}
	e := New(d, host)
	defer e.Unload()
	s := settings.Default()
	s.Model, s.Prompt, s.NumInferenceSteps = "sd15", "a fox in the snow", 1
	draw := func(vae string) (map[string]int64, error) {
		clear(host.bytes)
		s.VAE = vae
		err := e.Generate(context.Background(), s, nil, func(Event) {}, func(Result) error { return nil })
		return maps.Clone(host.bytes), err
	}
	first, err := draw("")
	if err != nil || first["sd15"+file] == 0 || len(first) != 3 {
		t.Fatalf("the first picture reads %v, %v", first, err)
	}
	held, peak := d.MemoryBytes(), d.PeakMemoryBytes()
	for _, c := range []struct{ vae, folder string }{{"other", "other"}, {"", "sd15"}} {
		// The headers of these files are of slightly different lengths.
		read, err := draw(c.vae)
		if more := read[c.folder+file] - first["sd15"+file]; err != nil || len(read) != 1 || max(more, -more) > 1000 {
			t.Errorf("the VAE %q reads %v, after %v; %v", c.vae, read, first, err)
		}
		if d.MemoryBytes() != held || d.PeakMemoryBytes() > peak {
			t.Errorf("the VAE %q holds %d bytes, at the peak %d; before, it was %d and %d", c.vae, d.MemoryBytes(), d.PeakMemoryBytes(), held, peak)
		}
	}
	if _, err := draw("missing"); err == nil {
		t.Error("a VAE that is missing draws a picture")
	}
	if read, err := draw(""); err != nil || len(read) > 0 {
		t.Errorf("after a VAE that is missing, %v is read, %v", read, err)
	}
	e.loaded.without = &loader.WithoutVAEError{}
	if _, err := draw("other"); err != nil {
		t.Error(err)
	}
	var without *loader.WithoutVAEError
	if _, err := draw(""); !errors.As(err, &without) {
		t.Errorf("a model without a VAE of its own: %v", err)
	}
}
