package engine

import (
	"fmt"
	"math"

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
	if s.ResizeMode == "" && stretched(p, s) {
		in.warnOnce(fmt.Sprintf("The start picture %s has %d × %d pixels and is stretched to %d × %d. Choose a size of its proportions or another resize mode: crop, fill or outpaint.",
			s.InitImage, p.Width, p.Height, s.Width, s.Height))
	}
	mode, outpaint := imageproc.ResizeMode(s.ResizeMode), s.ResizeMode == settings.ResizeOutpaint
	if outpaint {
		mode = imageproc.ResizeFill
	}
	original := p.RGB().Fit(s.Width, s.Height, mode)
	req.Init = imageproc.VAEPreprocess(original, s.Height, s.Width)
	var mask []float32
	if s.Mask != "" {
		m, err := in.mask(s.Mask)
		if err != nil {
			return o, err
		}
		mask = imageproc.MaskPreprocess(m.Fit(s.Width, s.Height, mode), s.Height, s.Width)
	}
	if outpaint {
		mask = either(mask, p.FillBorders(s.Width, s.Height))
	}
	if mask == nil {
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

// stretched reports whether a picture's proportions are not those of the result. A size in multiples of 8 can be off
// by a few pixels, which nobody sees.
func stretched(p *imageproc.Image, s settings.Settings) bool {
	ratio := float64(p.Width) * float64(s.Height) / (float64(p.Height) * float64(s.Width))
	return math.Abs(math.Log(ratio)) > 0.1
}

// either joins two masks. The first may be nil. Borders without a pixel in them are no mask.
func either(mask, borders []float32) []float32 {
	any := false
	for i, v := range borders {
		any = any || v > 0
		if mask != nil {
			borders[i] = max(v, mask[i])
		}
	}
	if !any {
		return mask
	}
	return borders
}
