package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
)

// branchWords are the words of one branch of guidance.
type branchWords struct {
	ids      []int32
	weights  []float32
	clipSkip int
}

func (r *run) branchWords() []branchWords {
	q, t := r.req, r.req.Text
	branches := []branchWords{{q.IDs, t.Weights, t.ClipSkip}}
	if r.batch == 2 {
		branches = slices.Insert(branches, 0, branchWords{q.NegativeIDs, t.NegativeWeights, t.NegativeClipSkip})
	}
	return branches
}

// wordsKey identifies the words of a run and how they are encoded.
func (r *run) wordsKey() string {
	return fmt.Sprint("words ", r.branchWords(), r.req.Text.Chunk, r.req.Text.Vectors, r.Memory.Changed(r.Text))
}

// encode turns the words into hidden states, [B, T, D].
func (r *run) encode(ctx context.Context) (err error) {
	r.Encodings.Trim()
	q, branches := r.req, r.branchWords()
	if r.batch == 2 && len(q.NegativeIDs) != len(q.IDs) {
		return fmt.Errorf("the prompt has %d token ids and the negative prompt has %d: pad both to the same length", len(q.IDs), len(q.NegativeIDs))
	}
	words, err := r.Encodings.Get(r.wordsKey(), func() (*gpu.Tensor, error) {
		if err := r.Memory.Need(ctx, r.Text); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(branches, func(b branchWords) bool { return b.weights != nil || b.clipSkip != branches[0].clipSkip }) {
			return r.encodeApart(ctx, branches)
		}
		return r.encodeChunks(ctx, branches)
	})
	if err != nil {
		return err
	}
	// What is kept is the tensor itself, which owns its memory: it is released one day.
	r.words = words.Reshape(len(branches), len(branches[0].ids), words.Channels())
	return nil
}

// encodeChunks encodes branches that leave out the same layers, chunk by chunk.
func (r *run) encodeChunks(ctx context.Context, branches []branchWords) (*gpu.Tensor, error) {
	var chunks [][]int32
	for _, b := range branches {
		size := r.req.Text.Chunk
		if size == 0 {
			size = len(b.ids)
		}
		if len(b.ids)%size != 0 {
			return nil, fmt.Errorf("%d token ids cannot be cut into chunks of %d: pad them", len(b.ids), size)
		}
		for c := range slices.Chunk(b.ids, size) {
			chunks = append(chunks, c)
		}
	}
	return r.Text.EncodeWith(ctx, r.Device, chunks, clip.TextOptions{ClipSkip: branches[0].clipSkip, Vectors: r.req.Text.Vectors})
}

// encodeApart encodes one branch after the other, and weighs the hidden states of each. The weights
// are applied on the processor, because the states are few and encoded once for many pictures.
func (r *run) encodeApart(ctx context.Context, branches []branchWords) (*gpu.Tensor, error) {
	var all []float32
	for _, b := range branches {
		h, err := r.encodeChunks(ctx, []branchWords{b})
		if err != nil {
			return nil, err
		}
		values, err := h.Float32(ctx)
		h.Release()
		if err != nil {
			return nil, err
		}
		weigh(values, b.weights)
		all = append(all, values...)
	}
	tokens := len(branches[0].ids)
	h := r.Device.NewTensor("words", gpu.Act, len(branches), tokens, len(all)/len(branches)/tokens)
	h.SetFloat32(all)
	return h, nil
}

// weigh multiplies the hidden states of every token, [T, D], by its weight, and all of them by
// one number, so that their mean does not change.
func weigh(values, weights []float32) {
	if weights == nil {
		return
	}
	var before, after float64
	size := len(values) / len(weights)
	for i, v := range values {
		before += float64(v)
		values[i] = v * weights[i/size]
		after += float64(values[i])
	}
	if after == 0 {
		return
	}
	for i := range values {
		values[i] *= float32(before / after)
	}
}
