package model

import (
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// A simple adapter is the paper's ablation (4.4.1): the image's tokens are appended to
// the words', and one softmax, with the base's frozen K and V, reads both. Its file has
// the projection alone (model/train/adapter.py --adapter simple).

// isSimple tells from the keys.
func isSimple(c Checkpoint) bool {
	for _, name := range c.Names() {
		if !strings.HasPrefix(name, "image_proj.") {
			return false
		}
	}
	return true
}

// Simple is whether the adapter's tokens are appended to the words'.
func (a *IPAdapter) Simple() bool { return a.Layers == nil }

// checkSimple refuses what means nothing for appended tokens. λ weighs a softmax of
// the picture's own, and here there is none: the words' share shrinks as the picture's
// grows. What λ 0 and 1 say holds here, too, by layer: tokens left out, or appended. Keys
// and values are the same in all steps and for all queries, so no start, end or mask.
func checkSimple(im ImagePrompt) error {
	for _, s := range im.Scales {
		if s != 0 && s != 1 {
			return fmt.Errorf("a simple adapter has no image weight between 0 and 1, and %g was asked for: give 1, or 0 to leave the picture out", s)
		}
	}
	if im.Mask != nil {
		return fmt.Errorf("a simple adapter works on the whole picture: leave the image prompt's mask out, or take a global or Plus adapter")
	}
	if im.Start != 0 || im.End != 1 {
		return fmt.Errorf("a simple adapter works in all steps, and %g to %g of them was asked for: give 0 to 1, or take a global or Plus adapter", im.Start, im.End)
	}
	return nil
}

// decoupled are the image prompts that have K and V of their own.
func decoupled(images []imageTokens) []imageTokens {
	var list []imageTokens
	for _, im := range images {
		if !im.prompt.Adapter.Simple() {
			list = append(list, im)
		}
	}
	return list
}

// wordsContext is what cross-attention i reads with the base's K and V: the words'
// hidden states and, behind them, the tokens of simple adapters. Act [B, T, D].
func wordsContext(p *gpu.Program, text *gpu.Tensor, images []imageTokens, i int) *gpu.Tensor {
	parts := []*gpu.Tensor{text}
	for _, im := range images {
		if im.prompt.Adapter.Simple() && im.prompt.Scales[i] != 0 {
			parts = append(parts, im.tokens)
		}
	}
	return gpu.ConcatTokens(p, parts...)
}
