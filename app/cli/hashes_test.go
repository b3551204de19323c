package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// oneFile is a host that has the same bytes under every name.
type oneFile struct {
	engine.Host
	read int
}

func (h *oneFile) File(_ context.Context, name string) (loader.Source, error) {
	h.read++
	return loader.Memory(name, []byte("abc")), nil
}

// The files of a VAE and of embeddings are hashed once, and a picture's text has their hashes, from
// which they are read back. A VAE's folder has no hash.
func TestHashes(t *testing.T) {
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2: of "abc"
	o, err := parse(strings.Fields("--prompt easy --vae folder/mse.safetensors --textual-inversion easy.pt --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	h := &oneFile{}
	for range 2 {
		if err := o.hash(context.Background(), h); err != nil {
			t.Fatal(err)
		}
	}
	if h.read != 2 {
		t.Errorf("%d files are read, want 2", h.read)
	}
	text := o.Public().Format()
	for _, want := range []string{"VAE hash: " + sum[:10] + ", VAE: mse.safetensors", "TI hashes: easy: " + sum[:12]} {
		if !strings.Contains(strings.ReplaceAll(text, `"`, ""), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if back, err := settings.Parse(text); err != nil || back.VAE != "mse.safetensors" || back.VAEHash != sum[:10] {
		t.Errorf("%q %q is read, %v", back.VAE, back.VAEHash, err)
	}
	o = &options{}
	o.VAE = "folder/mse"
	if err := o.hash(context.Background(), h); err != nil || o.VAEHash != "" {
		t.Errorf("a folder has the hash %q, %v", o.VAEHash, err)
	}
}
