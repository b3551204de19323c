package model

import (
	"context"
	"math"

	"github.com/imprompt/imprompt/gpu"
)

// crossAttention is a transformer block's attn2: the queries are the latents', keys
// and values the words' and the image prompts'. Those are the same in every step, so
// they are computed once a picture (conditioning), and only the queries here.
type crossAttention struct {
	ToQ   *Linear `weight:"to_q"`
	ToKV  *Linear `weight:"to_k,to_v"`
	ToOut *Linear `weight:"to_out.0"`

	name     string
	index    int
	heads    int
	channels int
}

func newCrossAttention(ch, heads, contextDim int) *crossAttention {
	return &crossAttention{ToQ: newLinear(ch, ch, false), ToKV: newFused(contextDim, false, ch, ch), ToOut: newLinear(ch, ch, true),
		heads: heads, channels: ch}
}

func (a *crossAttention) forward(p *gpu.Program, x, residual *gpu.Tensor, c *conditioning) *gpu.Tensor {
	q := a.ToQ.forward(p, x, gpu.LinearOptions{Label: a.name + ".to_q"})
	o := gpu.AttentionOptions{Label: a.name, Heads: a.heads, HeadSize: a.channels / a.heads, VAt: a.channels}
	if c.image != nil {
		o.Image = &gpu.ImageAttention{KV: c.image[a.index], Spans: c.spans, Prompts: c.prompts, Scales: c.scales, Layer: a.index,
			Masks: c.masks[[2]int{x.Shape[1], x.Shape[2]}]}
	}
	h := gpu.Attention(p, q, c.text[a.index], o)
	return a.ToOut.forward(p, h, gpu.LinearOptions{Label: a.name + ".to_out.0", Residual: residual})
}

// conditioning is all that a picture's steps share: nothing of it is computed twice.
type conditioning struct {
	time  map[*resnetBlock]*gpu.Tensor // F32 [steps, C]: each resnet's projection of the time embedding
	text  []*gpu.Tensor                // by cross-attention: Act [B, T, 2C], keys and values of the words
	image []*gpu.Tensor                // the same of the image prompts, [B, ΣT, 2C]; nil without any

	prompts int
	spans   *gpu.Tensor
	scales  *gpu.Tensor
	masks   map[[2]int]*gpu.Tensor // by the attention's height and width
}

func (c *conditioning) release() {
	for _, t := range c.time {
		t.Release()
	}
	for _, t := range append(c.text, c.image...) {
		t.Release()
	}
	c.spans.Release()
	c.scales.Release()
	for _, t := range c.masks {
		t.Release()
	}
}

// imageTokens are the tokens of one image prompt.
type imageTokens struct {
	prompt ImagePrompt
	tokens *gpu.Tensor // Act [B, T, cross_attention_dim]
}

// newConditioning computes time, keys and values for all steps.
//
//	timesteps: one a step
//	guidance:  a distilled LCM's guidance embedding scale, w; ignored by other models
//	text:      Act [B, T, D], the text encoder's last hidden state
func (u *UNet) newConditioning(ctx context.Context, d *gpu.Device, timesteps []float64, guidance float64, text *gpu.Tensor, images []imageTokens) (*conditioning, error) {
	own := decoupled(images)
	c := &conditioning{time: map[*resnetBlock]*gpu.Tensor{}, masks: map[[2]int]*gpu.Tensor{}, prompts: len(own)}
	p := d.NewProgram("conditioning")
	defer p.Release()
	release := u.recordTime(p, c, timesteps, guidance)
	defer release()

	for i, a := range u.cross {
		kv := a.ToKV.forward(p, wordsContext(p, text, images, i), gpu.LinearOptions{Label: a.name + ".to_kv"})
		p.Keep(kv)
		c.text = append(c.text, kv)
	}
	if len(own) > 0 {
		for i, a := range u.cross {
			var parts []*gpu.Tensor
			for _, im := range own {
				parts = append(parts, im.prompt.Adapter.Layers[2*i+1].ToKV.forward(p, im.tokens, gpu.LinearOptions{Label: a.name + ".to_kv_ip"}))
			}
			kv := gpu.ConcatTokens(p, parts...)
			p.Keep(kv)
			c.image = append(c.image, kv)
		}
	}
	if err := p.Build(ctx); err != nil {
		c.release()
		return nil, err
	}
	if err := p.Run(ctx, 0); err != nil {
		c.release()
		return nil, err
	}
	return c, nil
}

// recordTime records the time embedding of all steps and its projection in every
// resnet (get_timestep_embedding and TimestepEmbedding, diffusers/models/embeddings.py).
func (u *UNet) recordTime(p *gpu.Program, c *conditioning, timesteps []float64, guidance float64) (release func()) {
	dim := u.Config.BlockOutChannels[0]
	in := p.Device.NewTensor("timesteps", gpu.Act, 1, len(timesteps), dim)
	var values []float32
	for _, t := range timesteps {
		values = append(values, sinusoid(t, dim, u.Config.FlipSinToCos, u.Config.FreqShift)...)
	}
	in.SetFloat32(values)
	release = in.Release

	t := u.TimeEmbedding
	x := in
	if t.CondProj != nil {
		// get_guidance_scale_embedding of the LCM pipelines: the embedding of 1000·w.
		w := p.Device.NewTensor("guidance", gpu.Act, 1, len(timesteps), u.Config.TimeCondProjDim)
		row := sinusoid(1000*guidance, u.Config.TimeCondProjDim, false, 1)
		var rows []float32
		for range timesteps {
			rows = append(rows, row...)
		}
		w.SetFloat32(rows)
		release = func() { in.Release(); w.Release() }
		x = t.CondProj.forward(p, w, gpu.LinearOptions{Label: "time_embedding.cond_proj", Residual: in})
	}
	x = t.Linear1.forward(p, x, gpu.LinearOptions{Label: "time_embedding.linear_1", Activation: gpu.SiLU})
	// Every resnet takes silu of the embedding: once, here.
	x = t.Linear2.forward(p, x, gpu.LinearOptions{Label: "time_embedding.linear_2", Activation: gpu.SiLU})
	for _, r := range u.resnets {
		row := r.TimeEmbProj.forward(p, x, gpu.LinearOptions{Label: r.name + ".time_emb_proj", Output: gpu.F32})
		p.Keep(row)
		c.time[r] = row
	}
	return release
}

// sinusoid is get_timestep_embedding of one timestep, in float32 as torch computes it.
func sinusoid(t float64, dim int, flipSinToCos bool, shift float64) []float32 {
	half := dim / 2
	row := make([]float32, dim)
	for i := range half {
		exponent := float32(-math.Log(10000)) * float32(i) / float32(float64(half)-shift)
		angle := float64(float32(t) * float32(math.Exp(float64(exponent))))
		sin, cos := float32(math.Sin(angle)), float32(math.Cos(angle))
		if flipSinToCos {
			row[i], row[half+i] = cos, sin
		} else {
			row[i], row[half+i] = sin, cos
		}
	}
	return row
}
