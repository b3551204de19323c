package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/pipeline"
)

// overlay is the part of the start picture that is put back after the rest of it was repainted. Its zero value puts
// nothing back.
type overlay struct {
	original *imageproc.Image // at the result's size
	opacity  []float32        // of the result, see imageproc.Feather
}

func (o overlay) apply(p *imageproc.Image) {
	if o.original != nil {
		imageproc.Overlay(p, o.original, o.opacity)
	}
}

// start puts the start picture and its mask into a request, if the settings name them.
func (in *inputs) start(req *pipeline.Request, s settings.Settings, factor int) (o overlay, err error) {
	if s.InitImage == "" {
		return o, nil
	}
	p, err := in.picture(s.InitImage)
	if err != nil {
		return o, err
	}
	width, height := s.InitSize()
	if s.ResizeMode == "" && stretched(p, width, height) {
		in.warnOnce(fmt.Sprintf("The start picture %s has %d × %d pixels and is stretched to %d × %d. Choose a size of its proportions or another resize mode: crop, fill or outpaint.",
			s.InitImage, p.Width, p.Height, width, height))
	}
	mode, fitted := imageproc.ResizeMode(s.ResizeMode), s.ResizeMode == settings.ResizeOutpaint
	if fitted {
		mode = imageproc.ResizeFill
	}
	borders := imageproc.Borders(s.Outpaint)
	original := p.RGB().Fit(width, height, mode).Extend(borders)
	req.Init = imageproc.VAEPreprocess(original, s.Height, s.Width)
	mask := make([]float32, width*height)
	if s.Mask != "" {
		m, err := in.mask(s.Mask)
		if err != nil {
			return o, err
		}
		mask = imageproc.MaskPreprocess(m.Fit(width, height, mode), height, width)
	}
	if fitted {
		for i, v := range p.FillBorders(width, height) {
			mask[i] = max(v, mask[i])
		}
	}
	mask = imageproc.ExtendMask(mask, height, width, borders)
	// Where a picture fits without borders, nothing is asked for.
	if s.Mask == "" && !slices.Contains(mask, 1) {
		return o, nil
	}
	req.Mask = mask
	req.MaskedImage = imageproc.MaskedImage(req.Init, mask)
	req.LatentMask = imageproc.LatentMask(mask, s.Height, s.Width, s.Height/factor, s.Width/factor)
	if s.MaskOverlay {
		o = overlay{original, imageproc.Feather(mask, s.Height, s.Width, s.MaskFeather)}
	}
	return o, nil
}

// stretched reports whether a picture's proportions are not those of its size in the result. A size in multiples of 8 can be
// off by a few pixels, which nobody sees.
func stretched(p *imageproc.Image, width, height int) bool {
	ratio := float64(p.Width) * float64(height) / (float64(p.Height) * float64(width))
	return math.Abs(math.Log(ratio)) > 0.1
}
