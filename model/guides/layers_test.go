package guides

import (
	"math"
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// In a UNet of Stable Diffusion 1.5's form, the layers have IPAdapter_plus's weights, and
// InstantStyle's: tests/reference/adapters.py.
func TestLayerChoices(t *testing.T) {
	var f struct {
		Tables map[string]struct {
			Weights []float64
			Opposed []bool
		}
	}
	modeltest.Fixture(t, "adapters/adapters.json", &f)
	config, err := unet.ParseConfig(modeltest.Models(t)["b"].Configs["unet"])
	if err != nil {
		t.Fatal(err)
	}
	u := unet.New(config)
	places := layersOf(u)
	if len(places) != 16 {
		t.Fatalf("the UNet has %d cross-attentions", len(places))
	}
	checked := map[string]bool{}
	for name, want := range f.Tables {
		if name == "linear" {
			name = "all"
		}
		checked[name] = true
		got, err := Layers(u, 2, name)
		if err != nil {
			t.Error(err)
			continue
		}
		opposed, err := Opposed(u, name)
		if err != nil {
			t.Error(err)
		}
		for i, p := range places {
			if math.Abs(got[i]-2*want.Weights[p.index]) > 1e-12 {
				t.Errorf("%s: layer %d has %g, want %g", name, p.index, got[i]/2, want.Weights[p.index])
			}
			if away := opposed != nil && opposed[i]; away != want.Opposed[p.index] && want.Weights[p.index] != 0 {
				t.Errorf("%s: layer %d is opposed: %t", name, p.index, away)
			}
		}
	}
	for _, c := range LayerChoices() {
		if c.Label != "" && !checked[c.Name] {
			t.Errorf("%s has no table", c.Name)
		}
	}
	if _, err := Layers(u, 1, "some"); err == nil {
		t.Error("an unknown choice is no error")
	}
}
