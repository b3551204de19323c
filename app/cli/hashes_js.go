package cli

import (
	"context"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/loader"
)

// hash finds out the hashes of the files of LoRAs and textual inversions, by which a picture's
// text names them.
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
		s, err := host.File(ctx, name)
		if err != nil {
			return err
		}
		hash, err := loader.SHA256(ctx, s, 0)
		if err != nil {
			return err
		}
		if o.TextualInversionHashes == nil {
			o.TextualInversionHashes = map[string]string{}
		}
		o.TextualInversionHashes[name] = hash
	}
	return nil
}
