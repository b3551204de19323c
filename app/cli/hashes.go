package cli

import (
	"context"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/loader"
)

// hash finds out the hashes of the files of LoRAs, textual inversions and a VAE, by which a
// picture's text names them. A VAE's folder has none.
func (o *options) hash(ctx context.Context, host engine.Host) error {
	for i := range o.LoRAs {
		l := &o.LoRAs[i]
		if l.Hash != "" {
			continue
		}
		s, err := host.File(ctx, l.Weights)
		if err != nil {
			return err
		}
		about, err := loader.ReadLoRAInfo(ctx, s)
		if err != nil {
			return err
		}
		l.Hash = about.Hash
	}
	for _, name := range o.TextualInversions {
		if o.TextualInversionHashes[name] != "" {
			continue
		}
		hash, err := hashOf(ctx, host, name)
		if err != nil {
			return err
		}
		if o.TextualInversionHashes == nil {
			o.TextualInversionHashes = map[string]string{}
		}
		o.TextualInversionHashes[name] = hash
	}
	if o.VAEHash == "" && loader.IsWeights(o.VAE) {
		hash, err := hashOf(ctx, host, o.VAE)
		if err != nil {
			return err
		}
		o.VAEHash = hash[:10]
	}
	return nil
}

// hashOf is the SHA-256 of a file.
func hashOf(ctx context.Context, host engine.Host, name string) (string, error) {
	s, err := host.File(ctx, name)
	if err != nil {
		return "", err
	}
	return loader.SHA256(ctx, s, 0)
}
