package settings

import (
	"strings"
	"testing"
)

// A1111's text carries the VAE with its hash, in both directions.
func TestVAEInA1111Text(t *testing.T) {
	s := Default()
	s.Prompt, s.VAE, s.VAEHash = "a fox", "folder/mse.safetensors", "735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75"
	text := s.Public().Format()
	if want := ", VAE hash: 735e4c3a44, VAE: mse.safetensors, "; !strings.Contains(text, want) {
		t.Errorf("%q is missing in\n%s", want, text)
	}
	if back, err := Parse(text); err != nil || back.VAE != "mse.safetensors" || back.VAEHash != "735e4c3a44" {
		t.Errorf("%q %q, %v", back.VAE, back.VAEHash, err)
	}
	// The hash of the model's own VAE says nothing, and neither does A1111's choice of it.
	for _, text := range []string{"a\nSteps: 2, Seed: 1, Size: 8x8, VAE hash: 735e4c3a44, VAE: Automatic", "a\nSteps: 2, Seed: 1, Size: 8x8, VAE hash: 735e4c3a44"} {
		if s, _ := Parse(text); s.VAE != "" || s.VAEHash != "" {
			t.Errorf("%s: the VAE is %q %q", text, s.VAE, s.VAEHash)
		}
	}
}
