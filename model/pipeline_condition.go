package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// encode turns the words and the image prompts into hidden states and tokens.
func (r *run) encode(ctx context.Context) error {
	r.encoded.trim()
	ids := [][]int32{r.req.IDs}
	if r.batch == 2 {
		ids = [][]int32{r.req.NegativeIDs, r.req.IDs}
	}
	var err error
	r.text, err = r.encoded.get(fmt.Sprint("words ", ids), func() (*gpu.Tensor, error) {
		if err := r.Memory.Need(ctx, r.Text); err != nil {
			return nil, err
		}
		return r.Text.Encode(ctx, r.Device, ids)
	})
	if err != nil {
		return err
	}
	for _, im := range r.req.Images {
		list, err := r.encodeImages(ctx, im)
		if err != nil {
			return err
		}
		r.images = append(r.images, list...)
	}
	return nil
}

// encodeImages turns the pictures of one adapter into tokens, [B, T, D]. Without a
// mask all pictures share one softmax; with one each has its own, as in diffusers.
func (r *run) encodeImages(ctx context.Context, im ImagePrompt) ([]imageTokens, error) {
	groups := [][][]float32{im.Pixels}
	if im.Mask != nil {
		groups = nil
		for _, p := range im.Pixels {
			groups = append(groups, [][]float32{p})
		}
	}
	var out []imageTokens
	for _, pixels := range groups {
		tokens, err := r.encoded.get(imageKey(im, pixels, r.batch), func() (*gpu.Tensor, error) { return r.encodeImage(ctx, im, pixels) })
		if err != nil {
			return nil, err
		}
		out = append(out, imageTokens{prompt: im, tokens: tokens.Reshape(r.batch, tokens.Shape[1]/r.batch, tokens.Shape[2])})
	}
	return out, nil
}

// encodeImage makes the tokens of pictures that share one softmax, [1, B·T, D]: with
// guidance those of no picture first.
func (r *run) encodeImage(ctx context.Context, im ImagePrompt, pixels [][]float32) (*gpu.Tensor, error) {
	d := r.Device
	stream := r.Memory.crowded(im.Vision)
	if err := r.Memory.Need(ctx, im.Adapter); err != nil {
		return nil, err
	}
	size := im.Vision.Config.ImageSize
	n := len(pixels)
	in := d.NewTensor("pixel_values", gpu.Act, n, size, size, 3)
	defer in.Release()
	var flat []float32
	for _, p := range pixels {
		flat = append(flat, p...)
	}
	in.SetFloat32(flat)
	// Without a picture the global adapters see an embedding of zeros, Plus the
	// hidden states of a picture of zeros (encode_image of diffusers' pipelines).
	var zero *gpu.Tensor
	if im.Adapter.Plus != nil {
		zero = d.NewTensor("zero pixel_values", gpu.Act, 1, size, size, 3)
	} else {
		zero = d.NewTensor("zero image_embeds", gpu.Act, 1, 1, im.Vision.Config.ProjectionDim)
	}
	defer zero.Release()
	if stream {
		var err error
		plus := im.Adapter.Plus != nil
		if in, err = im.Vision.streamed(ctx, r.Memory, in, plus); err != nil {
			return nil, err
		}
		defer in.Release()
		if plus && r.batch == 2 {
			nothing := zero
			zero, err = r.encoded.get(fmt.Sprintf("no picture %p", im.Vision), func() (*gpu.Tensor, error) {
				return im.Vision.streamed(ctx, r.Memory, nothing, plus)
			})
			if err != nil {
				return nil, err
			}
		}
	} else if err := r.Memory.Need(ctx, im.Vision, im.Adapter); err != nil {
		return nil, err
	}
	return once(ctx, d, "image encoder", func(p *gpu.Program) *gpu.Tensor {
		project := func(x *gpu.Tensor, negative bool) *gpu.Tensor {
			switch {
			case stream:
			case im.Adapter.Plus != nil:
				x = im.Vision.penultimate(p, x)
			case !negative:
				x = im.Vision.imageEmbeds(p, x)
			}
			return im.Adapter.record(p, x)
		}
		t := im.Adapter.NumTokens()
		dim := r.UNet.Config.CrossAttentionDim
		with := project(in, false).Reshape(1, n*t, dim)
		if r.batch == 1 {
			return gpu.SliceTokens(p, with, 0, n*t)
		}
		without := project(zero, true)
		parts := make([]*gpu.Tensor, 0, n+1)
		for range n {
			parts = append(parts, without)
		}
		return gpu.ConcatTokens(p, append(parts, with)...)
	})
}

// condition computes what the steps share: for both branches of guidance at once, or
// for each by itself.
func (r *run) condition(ctx context.Context) error {
	networks := []Network{r.UNet}
	for _, im := range r.images {
		if !slices.Contains(networks, Network(im.prompt.Adapter)) {
			networks = append(networks, im.prompt.Adapter)
		}
	}
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	if !r.split {
		return r.conditionBranch(ctx, r.text, r.images)
	}
	for b := range r.batch {
		text, err := entry(ctx, r.Device, r.text, b)
		if err != nil {
			return err
		}
		r.later(text.Release)
		images := slices.Clone(r.images)
		for i := range images {
			if images[i].tokens, err = entry(ctx, r.Device, images[i].tokens, b); err != nil {
				return err
			}
			r.later(images[i].tokens.Release)
		}
		if err := r.conditionBranch(ctx, text, images); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) conditionBranch(ctx context.Context, text *gpu.Tensor, images []imageTokens) error {
	timesteps := make([]float64, len(r.schedule.Steps))
	for i, s := range r.schedule.Steps {
		timesteps[i] = s.Timestep
	}
	c, err := r.UNet.newConditioning(ctx, r.Device, timesteps, r.req.GuidanceScale-1, text, images)
	if err != nil {
		return err
	}
	r.later(c.release)
	r.conds = append(r.conds, c)
	if own := decoupled(images); len(own) > 0 {
		r.spans(c, own)
	}
	return nil
}

// spans fills the tables of the decoupled cross-attention: where each prompt's tokens
// are, λ by step, layer and prompt, and the masks of every attention's size.
func (r *run) spans(c *conditioning, images []imageTokens) {
	d := r.Device
	n, layers, steps := len(images), len(r.UNet.cross), len(r.schedule.Steps)
	table := make([]uint32, 0, 4*n)
	at, masks := 0, 0
	for _, im := range images {
		mask := uint32(0)
		if im.prompt.Mask != nil {
			masks++
			mask = uint32(masks)
		}
		table = append(table, uint32(at), uint32(im.tokens.Shape[1]), mask, 0)
		at += im.tokens.Shape[1]
	}
	c.spans = d.NewTensor("image prompts", gpu.U32, n, 4)
	c.spans.SetUint32(table)

	lambda := make([]float32, 0, steps*layers*n)
	for step := range steps {
		for layer := range layers {
			for _, im := range images {
				p := im.prompt
				s := p.Scales[layer]
				// As diffusers' control_guidance_start and _end.
				if float64(step)/float64(steps) < p.Start || float64(step+1)/float64(steps) > p.End {
					s = 0
				}
				lambda = append(lambda, float32(s))
			}
		}
	}
	c.scales = d.NewTensor("ip_adapter_scale", gpu.F32, steps, layers*n)
	c.scales.SetFloat32(lambda)

	if masks == 0 {
		return
	}
	h, w := r.h, r.w
	for range r.UNet.Config.BlockOutChannels {
		t := d.NewTensor("ip_adapter_masks", gpu.F32, masks, h*w)
		var values []float32
		for _, im := range images {
			if im.prompt.Mask != nil {
				values = append(values, im.prompt.Mask(h*w)...)
			}
		}
		t.SetFloat32(values)
		c.masks[[2]int{h, w}] = t
		h, w = r.UNet.halved(h), r.UNet.halved(w)
	}
}
