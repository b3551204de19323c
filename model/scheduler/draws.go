package scheduler

import "slices"

// Kind is one of diffusers' pipelines, as far as its random numbers go.
type Kind string

// The kinds: StableDiffusionPipeline, StableDiffusionImg2ImgPipeline, and
// StableDiffusionInpaintPipeline with a UNet of four or of nine channels.
const (
	TextToImage     Kind = "text2img"
	ImageToImage    Kind = "img2img"
	Inpaint         Kind = "inpaint"
	InpaintChannels Kind = "inpaint9"
)

// What a Draw is for.
const (
	ImageLatents       = "image_latents"        // sampling the VAE's posterior of the start picture
	InitialNoise       = "noise"                // the sample at the start, or what the picture is mixed with
	MaskedImageLatents = "masked_image_latents" // sampling the posterior of the picture with the mask cut out
	StepNoise          = "step"                 // a step's fresh noise
	ReferenceLatents   = "reference_latents"    // sampling the posterior of a picture that a guide reads
	ReferenceNoise     = "reference_noise"      // what that picture is mixed with in a step
)

// Draw is one call of torch.randn.
type Draw struct {
	Name  string
	Step  int    // of a StepNoise or a ReferenceNoise, counted from 0 over the steps that are run; else 0
	Shape [4]int // [N, C, h, w]; picture i takes the i-th of N, and all the only one of 1
	// Unused tells that diffusers draws the numbers and nothing depends on them. They
	// have to be drawn: those after them do.
	Unused bool
}

// Count is how many numbers are drawn. torch.randn draws fewer than 16 in another way
// than more, so that two draws must never be joined to one.
func (d Draw) Count() int { return d.Shape[0] * d.Shape[1] * d.Shape[2] * d.Shape[3] }

// PlanDraws lists all draws of a pipeline's run of s, in diffusers' order, from the one
// generator of a seed. numImages is num_images_per_prompt (of one prompt), latents are
// the channels, height and width of the latents, and strength is as it was given (1
// decides over more than the number of steps). Texts, image prompts, guidance and the
// VAE's decoder draw nothing.
//
// Source: prepare_latents of the three pipelines, prepare_mask_latents, and the step of
// each scheduler.
func PlanDraws(kind Kind, s *Schedule, numImages int, latents [3]int, strength float64) []Draw {
	one := [4]int{1, latents[0], latents[1], latents[2]}
	all := one
	all[0] = numImages
	var plan []Draw
	// The picture is encoded where its latents are mixed with the noise, or put back
	// outside of the mask after every step.
	if kind == ImageToImage || kind == Inpaint || kind == InpaintChannels && strength != 1 {
		plan = append(plan, Draw{Name: ImageLatents, Shape: one})
	}
	plan = append(plan, Draw{Name: InitialNoise, Shape: all})
	// A UNet of four channels does not see the masked picture; it is encoded all the same.
	if kind == Inpaint || kind == InpaintChannels {
		plan = append(plan, Draw{Name: MaskedImageLatents, Shape: one, Unused: kind == Inpaint})
	}
	for i, st := range s.Steps {
		if st.DrawsNoise {
			plan = append(plan, Draw{Name: StepNoise, Step: i, Shape: all, Unused: st.Next.Noise == 0})
		}
	}
	return plan
}

// WithReference adds to a plan the draws for a picture that a guide reads as noisy as the
// sample: its latents after everything that is drawn before the steps, and its noise in every
// step, before the step's own.
//
// Source: diffusers' examples/community/stable_diffusion_reference.py.
func WithReference(plan []Draw, s *Schedule, numImages int, latents [3]int) []Draw {
	all := [4]int{numImages, latents[0], latents[1], latents[2]}
	first := slices.IndexFunc(plan, func(d Draw) bool { return d.Name == StepNoise })
	if first < 0 {
		first = len(plan)
	}
	out := append(slices.Clone(plan[:first]), Draw{Name: ReferenceLatents, Shape: all})
	steps := plan[first:]
	for i := range s.Steps {
		out = append(out, Draw{Name: ReferenceNoise, Step: i, Shape: all})
		for len(steps) > 0 && steps[0].Step == i {
			out = append(out, steps[0])
			steps = steps[1:]
		}
	}
	return out
}
