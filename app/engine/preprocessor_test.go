package engine

import (
	"os"
	"testing"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// The engine can open the network of each preprocessor that needs weights, and the catalogue has them.
func TestMapNetworks(t *testing.T) {
	text, err := os.ReadFile("../../web/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := loader.ParseCatalogue(text)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range maps.Methods {
		if m.Weights == "" {
			continue
		}
		used[m.Network] = true
		if e, ok := catalogue.Entry(m.Weights); openMapNetwork[m.Network] == nil || !ok || string(e.Kind) != m.Network {
			t.Errorf("%s: the catalogue has %+v, and the engine knows the network: %t", m.Name, e, openMapNetwork[m.Network] != nil)
		}
	}
	for network := range openMapNetwork {
		if !used[network] {
			t.Errorf("no preprocessor uses the network %s", network)
		}
	}
	if len(used) < 3 {
		t.Errorf("only %v are used", used)
	}
}
