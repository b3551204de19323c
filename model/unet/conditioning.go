package unet

import (
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
)

// Conditioning is what the steps of a picture share. Nothing of it is computed twice.
type Conditioning struct {
	own       int                                   // B, the sample's entries, whose words differ
	batch     int                                   // B, or 2B with a reference picture
	time      map[*blocks.ResnetBlock2D]*gpu.Tensor // F32 [steps, C]: each resnet's projection of the time embedding
	words     [][]wordsKV                           // by cross-attention: in each step, one of them is read
	decoupled *decoupled                            // nil where no guide adds keys and values
	fdn       map[*blocks.ResnetBlock2D][]blocks.Modulation
	cache     *deepCache    // nil where every step computes everything
	merging   *tokenMerging // nil where no tokens are merged
}

// ConditioningOptions are what a Conditioning is computed from.
type ConditioningOptions struct {
	Timesteps     []float64   // one for each step
	Guidance      float64     // the scale that a distilled LCM embeds; other models ignore it
	Words         *gpu.Tensor // Act [B, T, cross_attention_dim], the text encoder's last hidden states
	Height, Width int         // of the latents; only masks and token merging need them
	Taps          ConditioningTaps
	TomeRatio     float64                                       // the share of the tokens that token merging merges
	Full          []bool                                        // by step, whether the whole UNet is computed (FullSteps); nil means in all steps
	FDN           map[*blocks.ResnetBlock2D][]blocks.Modulation // of the resnets that have FDNs; the caller releases them
}

// NewConditioning computes the time embedding and the keys and values of all steps. The
// UNet has to be loaded; the caller releases the result.
func (e *Encoder) NewConditioning(ctx context.Context, d *gpu.Device, o ConditioningOptions) (*Conditioning, error) {
	c := &Conditioning{own: o.Words.Shape[0], time: map[*blocks.ResnetBlock2D]*gpu.Tensor{}, fdn: o.FDN}
	c.batch = c.own
	if o.Full != nil {
		c.cache = &deepCache{full: o.Full}
	}
	if o.TomeRatio > 0 {
		if o.Taps.reference {
			return nil, errors.New("token merging does not work with a reference picture, whose tokens the same self-attentions read: set the merged tokens (tome_ratio) to 0, or leave the reference picture out")
		}
		c.merging = &tokenMerging{o.TomeRatio, o.Height * o.Width}
	}
	if o.Taps.reference {
		c.batch *= 2
	}
	p := d.NewProgram("conditioning")
	defer p.Release()
	release := e.recordTime(p, c, o)
	defer release()

	for i, a := range e.CrossAttentions() {
		c.words = append(c.words, recordWords(p, a, o, o.Taps.words[i]))
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
	for _, list := range c.words {
		for _, v := range list {
			v.kv.Release()
		}
	}
	if c.decoupled != nil {
		c.decoupled.release()
	}
	c.cache.release()
}

// wordsKV are the keys and values that a cross-attention reads in some of the steps, those of the words and
// of the tokens that stand behind them in these steps.
type wordsKV struct {
	kv     *gpu.Tensor // Act [B, T, 2C]
	active []bool      // by step; nil means all of them
}

// recordWords records the keys and values of a cross-attention: one tensor, or as many as there are
// different sets of tokens over the steps.
func recordWords(p *gpu.Program, a *CrossAttention, o ConditioningOptions, behind []behindWords) (list []wordsKV) {
	var order []string
	steps, parts := map[string][]bool{}, map[string][]*gpu.Tensor{}
	for step := range o.Timesteps {
		set, with := "", []*gpu.Tensor{o.Words}
		for _, b := range behind {
			yes := b.active == nil || b.active[step]
			set += fmt.Sprint(yes)
			if yes {
				with = append(with, b.tokens)
			}
		}
		if steps[set] == nil {
			order = append(order, set)
			steps[set], parts[set] = make([]bool, len(o.Timesteps)), with
		}
		steps[set][step] = true
	}
	for _, set := range order {
		kv := o.Taps.twice(p, a.ToKV.Forward(p, gpu.ConcatTokens(p, parts[set]...), gpu.LinearOptions{Label: a.Name + ".to_kv"}))
		p.Keep(kv)
		v := wordsKV{kv, steps[set]}
		if len(order) == 1 {
			v.active = nil
		}
		list = append(list, v)
	}
	return list
}

// twice is a tensor of the whole batch, once more for the reference picture where there is one.
func (t ConditioningTaps) twice(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	if !t.reference {
		return x
	}
	return gpu.ConcatEntries(p, x, x)
}
