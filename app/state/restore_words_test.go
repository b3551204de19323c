package state

import (
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader/store"
)

// The VAE and the embeddings of a picture are those that are here, under whatever name. What is not here is named, and
// not asked for again.
func TestRestoreWeights(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model", wide(768)), stored("mse.safetensors", "vae", sha("735e4c3a447a")), stored("easy.safetensors", "textual_inversion", wide(768), sha("c74b4e810b03")))
	f.Choose("sd15")
	for _, c := range []struct {
		vae, hash, embedding, vaeNow string
		leftOut                      []string
	}{
		{"mse.safetensors", "", "Easy", "mse.safetensors", nil},
		{"mse", "", "easy.pt", "mse.safetensors", nil},
		{"renamed.pt", "735e4c3a44", "renamed", "mse.safetensors", []string{"the embedding renamed, which is called easy here"}},
		{"gone.pt", "000000000000", "missing", "", []string{"the embedding missing, which is not here", "the VAE gone.pt, which is not here"}},
	} {
		s := settings.Default()
		s.VAE, s.VAEHash, s.TextualInversions, s.TextualInversionHashes = c.vae, c.hash, []string{c.embedding}, map[string]string{"renamed": "c74b4e810b03"}
		leftOut := f.RestoreWeights(&s)
		if s.VAE != c.vaeNow || len(leftOut) != len(c.leftOut) {
			t.Errorf("%s: the VAE is %q, left out %q", c.vae, s.VAE, leftOut)
			continue
		}
		for i, want := range c.leftOut {
			if !strings.Contains(leftOut[i], want) {
				t.Errorf("%q, want %q", leftOut[i], want)
			}
		}
		composer := NewComposer()
		if composer.RestoreFile("a.png", s, leftOut); composer.Settings.VAE != c.vaeNow || composer.Settings.TextualInversions != nil {
			t.Errorf("the composer has %q and %q", composer.Settings.VAE, composer.Settings.TextualInversions)
		}
	}
}

func wide(dim int) func(*store.Item)      { return func(i *store.Item) { i.CrossDim = dim } }
func sha(digits string) func(*store.Item) { return func(i *store.Item) { i.Files[0].SHA256 = digits } }
