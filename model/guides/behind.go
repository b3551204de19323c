package guides

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// AddBehindWords puts tokens behind the words of every cross-attention, in the branches of a run. release frees
// the copies that it made. It and the tokens' own Release are called when the run has ended.
//
//	tokens: Act [r.Batch, T, cross_attention_dim]
//	active: by step, whether they are there; nil means in all steps
func (r *Run) AddBehindWords(ctx context.Context, tokens *gpu.Tensor, active []bool) (release func(), err error) {
	var held Held
	for _, b := range r.Branches {
		own, f, err := r.Entries(ctx, tokens, b.First, b.Count)
		if err != nil {
			held.Release()
			return nil, err
		}
		held.Add(f)
		for i := range r.UNet.CrossAttentions() {
			b.Taps.AddWords(i, own, active)
		}
	}
	return held.Release, nil
}
