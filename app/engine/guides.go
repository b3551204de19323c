package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/imageproc"
)

// makeGuide makes a guide from its settings, by kind. A kind's file adds itself.
var makeGuide = map[string]func(ctx context.Context, e *Engine, g settings.Guide, in guideInput) (guides.Guide, error){}

// guideInput is what a guide may need of a request.
type guideInput struct {
	number        int             // the guide's position in the request, counted from 1, for messages
	part          string          // which of Uni-ControlNet's maps is read
	guides        settings.Guides // all guides of the request
	pictures      *inputs
	height, width int // of the picture that is drawn
}

func (e *Engine) guide(ctx context.Context, g settings.Guide, in guideInput) (guides.Guide, error) {
	m, ok := makeGuide[g.Kind()]
	if !ok {
		return nil, fmt.Errorf("guide %d: the kind %q is unknown", in.number, g.Kind())
	}
	return m(ctx, e, g, in)
}

// mask returns the weight of every place in the picture, from the mask of that name: white
// where a guide has an effect. Without a name it returns nil.
func (in guideInput) mask(name string) (func(h, w int) []float32, error) {
	if name == "" {
		return nil, nil
	}
	p, err := in.pictures.mask(name)
	if err != nil {
		return nil, err
	}
	mask := imageproc.MaskPreprocess(p, in.height, in.width)
	return func(h, w int) []float32 { return imageproc.AttentionMask(mask, in.height, in.width, h, w) }, nil
}
