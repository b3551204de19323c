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
	return m.recordLayers(p, nn.EmbedTokens(p, ids, m.Model.Embeddings.Token, m.Model.Embeddings.Position), m.Config.Layers)
}

// recordLayers appends the first n layers and the last norm.
func (m *TextEncoder) recordLayers(p *gpu.Program, h *gpu.Tensor, n int) *gpu.Tensor {
	h = m.Model.Encoder.forward(p, h, m.Config, true, n)
	return m.Model.FinalLayerNorm.Forward(p, h, "final_layer_norm")
}

// TextOptions are those of TextEncoder.EncodeWith.
type TextOptions struct {
	// ClipSkip is how many of the last layers are left out: diffusers' clip_skip, which is one
	// less than AUTOMATIC1111's.
	ClipSkip int
	// Vectors are token embeddings besides the vocabulary's, of hidden_size numbers each: those
	// of textual inversions. Their ids follow the vocabulary's.
	Vectors [][]float32
}

// Encode computes last_hidden_state of rows of token ids, Act [B, T, hidden_size], in a
// persistent tensor that the caller releases.
func (m *TextEncoder) Encode(ctx context.Context, d *gpu.Device, ids [][]int32) (*gpu.Tensor, error) {
	return m.EncodeWith(ctx, d, ids, TextOptions{})
}

// EncodeWith is Encode with options. The last layer norm follows whichever layer is the last.
func (m *TextEncoder) EncodeWith(ctx context.Context, d *gpu.Device, ids [][]int32, o TextOptions) (*gpu.Tensor, error) {
	if o.ClipSkip < 0 || o.ClipSkip >= m.Config.Layers {
		return nil, fmt.Errorf("clip_skip is %d and the text encoder has %d layers: leave out from 0 to %d of them", o.ClipSkip, m.Config.Layers, m.Config.Layers-1)
	}
	length := len(ids[0])
	if err := m.checkLength(length); err != nil {
		return nil, err
	}
	flat := make([]uint32, 0, len(ids)*length)
	vectors := make([]uint32, 0, len(ids)*length) // by token: which of o.Vectors it is
	var own []int                                 // the tokens that are of o.Vectors
	for _, row := range ids {
		for _, id := range row {
			if v := int(id) - m.Config.VocabSize; v >= 0 && v < len(o.Vectors) {
				own = append(own, len(flat))
				flat, vectors = append(flat, 0), append(vectors, uint32(v))
				continue
			}
			vectors = append(vectors, 0)
			if err := m.checkID(id); err != nil {
				return nil, err
			}
			flat = append(flat, uint32(id))
		}
	}
	in := d.NewTensor("input_ids", gpu.U32, len(ids), length)
	defer in.Release()
	in.SetUint32(flat)
	embeddings := m.Model.Embeddings
	var extra *nn.Table
	var at *gpu.Tensor
	if len(own) > 0 {
		var err error
		if extra, err = embeddings.Position.Like(ctx, d, "textual inversions", o.Vectors); err != nil {
			return nil, err
		}
		defer extra.Release()
		at = d.NewTensor("textual inversion ids", gpu.U32, len(ids), length)
		defer at.Release()
		at.SetUint32(vectors)
	}
	return nn.Once(ctx, d, "text encoder", func(p *gpu.Program) *gpu.Tensor {
		h := nn.EmbedTokens(p, in, embeddings.Token, embeddings.Position)
		if len(own) > 0 {
			from := nn.EmbedTokens(p, at, extra, embeddings.Position)
			for len(own) > 0 {
				n := 1
				for n < len(own) && own[n] == own[0]+n {
					n++
				}
				gpu.CopyRows(p, from, h, own[0], own[0], n)
				own = own[n:]
			}
		}
		return m.recordLayers(p, h, m.Config.Layers-o.ClipSkip)
	})
}

// input uploads one row of token ids, U32 [1, T], in a tensor that the caller releases.
func (m *TextEncoder) input(d *gpu.Device, ids []int32) (*gpu.Tensor, error) {
	if err := m.checkLength(len(ids)); err != nil {
		return nil, err
	}
	row := make([]uint32, len(ids))
	for i, id := range ids {
		if err := m.checkID(id); err != nil {
			return nil, err
		}
		row[i] = uint32(id)
	}
	in := d.NewTensor("input_ids", gpu.U32, 1, len(ids))
	in.SetUint32(row)
	return in, nil
}

func (m *TextEncoder) checkLength(tokens int) error {
	if tokens > m.Config.MaxPositions {
		return fmt.Errorf("the tokenizer gives %d tokens and the text encoder takes at most %d", tokens, m.Config.MaxPositions)
	}
	return nil
}

func (m *TextEncoder) checkID(id int32) error {
	if int(id) >= m.Config.VocabSize || id < 0 {
		return fmt.Errorf("token %d is outside the text encoder's vocabulary of %d: the tokenizer belongs to another model", id, m.Config.VocabSize)
	}
	return nil
}
