package guides

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// AddBehindWords puts tokens behind the words of every cross-attention, in the branches of a run. It returns
// the function that releases what it made.
//
//	tokens: Act [r.Batch, T, cross_attention_dim]
//	active: by step, whether they are there; nil means in all steps
func (r *Run) AddBehindWords(ctx context.Context, tokens *gpu.Tensor, active []bool) (release func(), err error) {
	var made []*gpu.Tensor
	release = func() {
		for _, t := range made {
			t.Release()
		}
	}
	for _, b := range r.Branches {
		own := tokens
		if b.Count < r.Batch {
			own, err = nn.Once(ctx, r.Device, "tokens", func(p *gpu.Program) *gpu.Tensor { return b.Of(p, tokens) })
			if err != nil {
				release()
				return nil, err
			}
			made = append(made, own)
		}
		for i := range r.UNet.CrossAttentions() {
			b.Taps.AddWords(i, own, active)
		}
	}
	return release, nil
}
