package unet

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
)

// Conditioning is what the steps of a picture share. Nothing of it is computed twice.
type Conditioning struct {
	batch     int                                   // B, the entries whose words differ
	time      map[*blocks.ResnetBlock2D]*gpu.Tensor // F32 [steps, C]: each resnet's projection of the time embedding
	words     []*gpu.Tensor                         // by cross-attention: Act [B, T, 2C], the words' keys and values
	decoupled *decoupled                            // nil where no guide adds keys and values
}

// ConditioningOptions are what a Conditioning is computed from.
type ConditioningOptions struct {
	Timesteps     []float64   // one for each step
	Guidance      float64     // the scale that a distilled LCM embeds; other models ignore it
	Words         *gpu.Tensor // Act [B, T, cross_attention_dim], the text encoder's last hidden states
	Height, Width int         // of the latents; only masks need them
	Taps          ConditioningTaps
}

// NewConditioning computes the time embedding and the keys and values of all steps. The
// UNet has to be loaded; the caller releases the result.
func (e *Encoder) NewConditioning(ctx context.Context, d *gpu.Device, o ConditioningOptions) (*Conditioning, error) {
	c := &Conditioning{batch: o.Words.Shape[0], time: map[*blocks.ResnetBlock2D]*gpu.Tensor{}}
	p := d.NewProgram("conditioning")
	defer p.Release()
	release := e.recordTime(p, c, o)
	defer release()

	for i, a := range e.CrossAttentions() {
		words := gpu.ConcatTokens(p, append([]*gpu.Tensor{o.Words}, o.Taps.words[i]...)...)
		kv := a.ToKV.Forward(p, words, gpu.LinearOptions{Label: a.Name + ".to_kv"})
		p.Keep(kv)
		c.words = append(c.words, kv)
	}
	if len(o.Taps.decoupled) > 0 {
		c.decoupled = e.newDecoupled(p, o)
	}
	err := p.Build(ctx)
	if err == nil {
		err = p.Run(ctx, 0)
	}
	if err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// Release frees the conditioning, but not what guides added to it.
func (c *Conditioning) Release() {
	for _, t := range c.time {
		t.Release()
	}
	for _, t := range c.words {
		t.Release()
	}
	if c.decoupled != nil {
		c.decoupled.release()
	}
}
