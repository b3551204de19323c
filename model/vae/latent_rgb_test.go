package vae

import (
	"os"
	"slices"
	"testing"
)

func TestLatentRGB(t *testing.T) {
	m, err := ParseLatentRGB([]byte(`{"latent_rgb_factors": [[1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1]], "latent_rgb_factors_bias": [0.5, 0, 0]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Pixels([]float32{1, 1, 1, 0, 0, 0, 0, -1}); !slices.Equal(got, []float32{1.5, 2, 3, -0.5, -1, -1}) {
		t.Errorf("the colours are %v", got)
	}
	for _, text := range []string{"{}", "[", `{"latent_rgb_factors": [["red"]]}`} {
		if _, err := ParseLatentRGB([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// The model that ships has factors of its own.
func TestShippedLatentRGB(t *testing.T) {
	b, err := os.ReadFile("../../web/model/" + LatentRGBFile)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := ParseLatentRGB(b); err != nil || m == SD15LatentRGB {
		t.Errorf("%+v, %v", m, err)
	}
}
