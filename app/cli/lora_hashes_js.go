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
		file, err := loader.OpenLoRA(ctx, s)
		if err != nil {
			return err
		}
		if l.Hash = file.About.Hash; l.Hash == "" {
			if l.Hash, err = loader.LoRAHash(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}
