package engine

import (
	"context"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/pipeline"
	"github.com/imprompt/imprompt/model/random"
)

// twice draws the pictures, and draws them again from their enlarged latents (A1111's "Hires. fix": sample_hr_pass of
// modules/processing.py). The noise of the second pass begins anew from the seeds.
func (d *drawing) twice(ctx context.Context) error {
	first := d.settings
	second := first.Second()
	// A step takes about as long as it has pixels.
	ratio := float64(second.Width*second.Height) / float64(first.Width*first.Height)
	images := float64(first.NumImages)
	before := images * float64(first.NumInferenceSteps)
	after := images * float64(int(float64(second.NumInferenceSteps)*second.Strength)+1) // with the decoder

	req, err := d.request(ctx, first)
	if err != nil {
		return err
	}
	req.LatentsOnly = true
	f := d.loaded.pipeline.VAE.Config.Factor()
	how := second.HiresUpscaler
	if how == "" {
		how = settings.HiresUpscalers[0]
	}
	var drawn []int // the pictures that were not skipped
	var latents [][]float32
	err = d.run(ctx, req, overlay{}, pass{number: 0, of: 2, after: after * ratio}, func(r pipeline.Result) error {
		drawn = append(drawn, r.Index)
		latents = append(latents, pipeline.Enlarge(r.Latents, first.Height/f, first.Width/f, second.Height/f, second.Width/f, how))
		return nil
	})
	if err != nil || len(drawn) == 0 {
		return err
	}
	if req, err = d.request(ctx, second); err != nil {
		return err
	}
	req.InitLatents, req.NumImages = latents, len(drawn)
	req.Sources, req.Variation = those(req.Sources, drawn), those(req.Variation, drawn)
	at := pass{number: 1, of: 2, before: before / ratio, image: func(i int) int { return drawn[i] }, images: first.NumImages}
	return d.run(ctx, req, overlay{}, at, func(r pipeline.Result) error {
		r.Index = drawn[r.Index]
		return d.finish(overlay{})(r)
	})
}

// those are the generators of some of the pictures.
func those(list []random.Source, of []int) (some []random.Source) {
	for _, i := range of {
		if list != nil {
			some = append(some, list[i])
		}
	}
	return some
}
