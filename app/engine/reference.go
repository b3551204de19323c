package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/reference"
	"github.com/imprompt/imprompt/model/imageproc"
)

func init() {
	makeGuide[settings.KindReference] = func(_ context.Context, _ *Engine, g settings.Guide, in guideInput) (guides.Guide, error) {
		r := g.(*settings.Reference)
		p, err := in.pictures.picture(r.Picture)
		if err != nil {
			return nil, fmt.Errorf("reference picture (guide %d): %w", in.number, err)
		}
		guide := reference.NewGuide(imageproc.VAEPreprocess(p, in.height, in.width), r.Fidelity)
		guide.Attention, guide.AdaIN = r.Attention, r.AdaIN
		return guide, nil
	}
}
