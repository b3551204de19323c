package unet

import "github.com/imprompt/imprompt/gpu"

// The UNet's taps are the places at which a guide steers it. There are two kinds:
// ConditioningTaps are what all steps of a picture share, and StepTaps are recorded into
// every step. Without anything in its taps the UNet records the same dispatches as without
// taps. Cross-attentions are numbered as CrossAttentions lists them.

// ConditioningTaps are read once, by NewConditioning. The zero value adds nothing.
type ConditioningTaps struct {
	words map[int][]*gpu.Tensor
	cross []Decoupled
}

// Decoupled are keys and values for every cross-attention that have a softmax of their own,
// whose result is added times λ (decoupled cross-attention, arXiv 2308.06721, section 3.2.2).
type Decoupled struct {
	KV     []*gpu.Tensor            // by cross-attention: Act [B, T, 2C], the keys, then the values
	Lambda [][]float32              // λ by step and cross-attention
	Mask   func(h, w int) []float32 // the weight of every query of an attention over h × w places; nil for 1 everywhere
}

// AddWords puts tokens behind the words of one cross-attention, which reads both with the
// same keys and values and in one softmax. tokens is Act [B, T, cross_attention_dim].
func (t *ConditioningTaps) AddWords(index int, tokens *gpu.Tensor) {
	if t.words == nil {
		t.words = map[int][]*gpu.Tensor{}
	}
	t.words[index] = append(t.words[index], tokens)
}

// AddDecoupled adds keys and values with a softmax of their own to all cross-attentions.
func (t *ConditioningTaps) AddDecoupled(d Decoupled) { t.cross = append(t.cross, d) }

// StepTaps are read by UNet.Record. The zero value adds nothing.
type StepTaps struct{}
