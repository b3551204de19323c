package web

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/loader"
)

func TestShipsListsWhatIsBesideTheModel(t *testing.T) {
	found, err := filepath.Glob("model/*.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, a := range Ships.Adapters {
		listed = append(listed, "model/"+a.File)
		if a.Name == "" || !Ships.Has(a.File) {
			t.Errorf("%+v has no name, or Has does not know it", a)
		}
	}
	for _, l := range Ships.LoRAs {
		listed = append(listed, "model/"+l.File)
		if l.Name == "" || !Ships.Has(l.File) {
			t.Errorf("%+v has no name, or Has does not know it", l)
		}
		file, err := loader.OpenFile("model/" + l.File)
		if err != nil {
			t.Fatal(err)
		}
		info, err := loader.ReadLoRAInfo(context.Background(), file)
		if err != nil || info.Title == "" || !slices.Equal(info.Triggers, l.Triggers) {
			t.Errorf("%+v, and its file says %+v, %v", l, info, err)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, found) {
		t.Errorf("ships.json lists %v, and there are %v", listed, found)
	}
	for _, file := range []string{"config.json", "diffusion_pytorch_model.safetensors"} {
		if _, err := os.Stat("model/controlnet/" + file); (err == nil) != (Ships.ControlNet != "") {
			t.Errorf("ships.json names the ControlNet %q, and its %s: %v", Ships.ControlNet, file, err)
		}
	}
	if _, err := os.Stat("model/model_index.json"); err != nil || Ships.Size == 0 || Ships.NumInferenceSteps == 0 {
		t.Errorf("%+v: %v", Ships, err)
	}
}
