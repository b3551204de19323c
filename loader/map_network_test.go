package loader

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Networks that make maps are told by their published tensors, and are not taken for each other or for a model.
func TestMapNetworks(t *testing.T) {
	for name, kind := range map[string]Kind{"hed": KindHED, "lineart": KindLineart, "depth": KindDepthAnything} {
		text, err := os.ReadFile("../tests/fixtures/preprocessors/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Published map[string][]int }
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		file := makeHeader(t, f.Published)
		for _, asked := range []Kind{KindHED, KindLineart, KindDepthAnything} {
			c, err := OpenMapNetwork(context.Background(), file, asked)
			if asked == kind && (err != nil || len(c.Names()) != len(f.Published)) {
				t.Errorf("%s: %v", name, err)
			}
			if asked != kind && (err == nil || !strings.Contains(err.Error(), "of the kind "+`"`+kind.Name())) {
				t.Errorf("%s as %s: %v", name, asked, err)
			}
		}
		if _, err := OpenSingleFile(context.Background(), file, nil); err == nil || !strings.Contains(err.Error(), "makes maps from pictures") {
			t.Errorf("%s as a model: %v", name, err)
		}
	}
}
