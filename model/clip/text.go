package clip

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// TextEncoder is transformers' CLIPTextModel.
type TextEncoder struct {
	Config Config
	Model  *textModel `weight:"text_model"`
}

type textModel struct {
	Embeddings     *textEmbeddings `weight:"embeddings"`
	Encoder        *encoder        `weight:"encoder"`
	FinalLayerNorm *nn.LayerNorm   `weight:"final_layer_norm"`
}

type textEmbeddings struct {
	Token    *nn.Table `weight:"token_embedding"`
	Position *nn.Table `weight:"position_embedding"`
}

// NewTextEncoder lays the network out.
func NewTextEncoder(c Config) *TextEncoder {
	return &TextEncoder{Config: c, Model: &textModel{
		Embeddings:     &textEmbeddings{Token: nn.NewTable(c.VocabSize, c.HiddenSize), Position: nn.NewTable(c.MaxPositions, c.HiddenSize)},
		Encoder:        newEncoder(c),
		FinalLayerNorm: nn.NewLayerNorm(c.HiddenSize, c.LayerNormEps),
	}}
}

// Name implements nn.Network.
func (m *TextEncoder) Name() string { return "text encoder" }

// Ignores says which keys are not read: a buffer, and what else a whole CLIPModel has.
func (m *TextEncoder) Ignores(key string) bool {
	return strings.HasSuffix(key, "position_ids") || strings.HasPrefix(key, "vision_model.") || key == "text_projection.weight" || key == "visual_projection.weight" || key == "logit_scale"
}

// Record appends the network to p.
//
//	ids: U32 [B, T], token ids
//	returns: Act [B, T, hidden_size], last_hidden_state
func (m *TextEncoder) Record(p *gpu.Program, ids *gpu.Tensor) *gpu.Tensor {
	h := nn.EmbedTokens(p, ids, m.Model.Embeddings.Token, m.Model.Embeddings.Position)
	h = m.Model.Encoder.forward(p, h, m.Config, true, m.Config.Layers)
	return m.Model.FinalLayerNorm.Forward(p, h, "final_layer_norm")
}

// Encode computes last_hidden_state of rows of token ids, Act [B, T, hidden_size], in a
// persistent tensor that the caller releases.
func (m *TextEncoder) Encode(ctx context.Context, d *gpu.Device, ids [][]int32) (*gpu.Tensor, error) {
	length := len(ids[0])
	if length > m.Config.MaxPositions {
		return nil, fmt.Errorf("the tokenizer gives %d tokens and the text encoder takes at most %d", length, m.Config.MaxPositions)
	}
	flat := make([]uint32, 0, len(ids)*length)
	for _, row := range ids {
		for _, id := range row {
			if int(id) >= m.Config.VocabSize || id < 0 {
				return nil, fmt.Errorf("token %d is outside the text encoder's vocabulary of %d: the tokenizer belongs to another model", id, m.Config.VocabSize)
			}
			flat = append(flat, uint32(id))
		}
	}
	in := d.NewTensor("input_ids", gpu.U32, len(ids), length)
	defer in.Release()
	in.SetUint32(flat)
	return nn.Once(ctx, d, "text encoder", func(p *gpu.Program) *gpu.Tensor { return m.Record(p, in) })
}
