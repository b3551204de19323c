package clip

import (
	"context"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// TextTower is the text half of a CLIP, with its projection into the space that it shares with the
// image half: transformers' CLIPTextModelWithProjection.
type TextTower struct {
	Text       *TextEncoder
	Model      *textModel `weight:"text_model"` // Text's
	Projection *nn.Linear `weight:"text_projection"`
}

// NewTextTower lays the network out. The projection has projectionDim numbers.
func NewTextTower(c Config, projectionDim int) *TextTower {
	text := NewTextEncoder(c)
	return &TextTower{Text: text, Model: text.Model, Projection: nn.NewLinear(c.HiddenSize, projectionDim, false)}
}

// Name implements nn.Network.
func (m *TextTower) Name() string { return "text tower" }

// Ignores says which keys are not read: a buffer, and the image half of a whole CLIPModel.
func (m *TextTower) Ignores(key string) bool {
	return strings.HasSuffix(key, "position_ids") || strings.HasPrefix(key, "vision_model.") || key == "visual_projection.weight" || key == "logit_scale"
}

// TextProjectionDim returns how many numbers the text tower in a checkpoint projects to. It is 0
// where there is no projection, as in the text encoder of Stable Diffusion.
func TextProjectionDim(c nn.Checkpoint) int { return rows(c, "text_projection.weight") }

// VisualProjectionDim is TextProjectionDim of an image encoder.
func VisualProjectionDim(c nn.Checkpoint) int { return rows(c, "visual_projection.weight") }

func rows(c nn.Checkpoint, matrix string) int {
	if _, shape, _ := c.Info(matrix); len(shape) == 2 {
		return shape[0]
	}
	return 0
}

// Embeds computes transformers' text_embeds of one row of token ids: the last hidden state where
// the text ends, projected and not normalised. memory is as in VisionEncoder.Encode.
func (m *TextTower) Embeds(ctx context.Context, d *gpu.Device, memory *nn.Memory, ids []int32) ([]float32, error) {
	embeds, err := m.encode(ctx, d, memory, ids)
	if err != nil {
		return nil, err
	}
	defer embeds.Release()
	return embeds.Float32(ctx)
}

// encode is Embeds, in a persistent tensor that the caller releases.
func (m *TextTower) encode(ctx context.Context, d *gpu.Device, memory *nn.Memory, ids []int32) (*gpu.Tensor, error) {
	c := m.Text.Config
	at := endOfText(ids, c.EOSTokenID)
	project := func(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
		return m.Projection.Forward(p, gpu.SliceTokens(p, h, at, 1), gpu.LinearOptions{Label: "text_projection"})
	}
	in, err := m.Text.input(d, ids)
	if err != nil {
		return nil, err
	}
	defer in.Release()
	if !memory.Crowded(m) {
		if err := memory.Need(ctx, m); err != nil {
			return nil, err
		}
		return nn.Once(ctx, d, m.Name(), func(p *gpu.Program) *gpu.Tensor { return project(p, m.Text.Record(p, in)) })
	}
	s := newStream(ctx, memory, m)
	s.run("embeddings", &textStart{m.Model.Embeddings}, "text_model.", func(p *gpu.Program, _ *gpu.Tensor) *gpu.Tensor {
		return nn.EmbedTokens(p, in, m.Model.Embeddings.Token, m.Model.Embeddings.Position)
	})
	s.layers(m.Model.Encoder.Layers, c, true, "text_model.")
	s.run("text projection", &textEnd{m.Model.FinalLayerNorm, m.Projection}, "", func(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
		return project(p, m.Model.FinalLayerNorm.Forward(p, h, "final_layer_norm"))
	})
	return s.result()
}

// endOfText is the index of the token whose state stands for the text. It is the first end
// token or, for configurations that say 2 (all of them before 2023), the highest id, which
// is CLIP's end token. This is CLIPTextTransformer's rule.
func endOfText(ids []int32, eos int) int {
	if eos == 2 {
		return slices.Index(ids, slices.Max(ids))
	}
	return max(0, slices.Index(ids, int32(eos)))
}
