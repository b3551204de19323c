package cli

import (
	"context"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/loader"
)

// hashLoRAs finds out the hashes of the LoRAs' files, by which a picture's text names them.
func (o *options) hashLoRAs(ctx context.Context, host engine.Host) error {
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
	return nil
}
