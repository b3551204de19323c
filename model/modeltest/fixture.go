package modeltest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/imprompt/imprompt/model/nn"
)

// Model is one of the small models of tests/fixtures/pipelines/pipelines.json.
type Model struct {
	Name    string
	Keys    map[string]map[string][]int // the shapes of every part: unet, vae, global …
	Configs map[string]json.RawMessage  // the config.json of every part
}

// Models reads the small models.
func Models(t *testing.T) map[string]Model { return ModelsOf(t, "pipelines/pipelines.json") }

// ModelsOf reads the small models of another fixture.
func ModelsOf(t *testing.T, fixture string) map[string]Model {
	t.Helper()
	var f struct{ Models map[string]Model }
	Fixture(t, fixture, &f)
	for name, m := range f.Models {
		m.Name = name
		f.Models[name] = m
	}
	return f.Models
}

// Checkpoint is a part's weights. f32 says that the file holds F32; the numbers are the same.
func (m Model) Checkpoint(part string, f32 bool) nn.Checkpoint {
	return synthetic{m.Name + "/" + part + "/", m.Keys[part], f32}
}

// Fixture reads a JSON file below tests/fixtures.
func Fixture(t *testing.T, name string, v any) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	b, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../tests/fixtures", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
