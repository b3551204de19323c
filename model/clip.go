package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// clipEncoder is the transformer that both CLIP towers share
// (transformers/models/clip/modeling_clip.py, CLIPEncoder).
type clipEncoder struct {
	Layers []*clipLayer `weight:"layers"`
}

type clipLayer struct {
	LayerNorm1 *LayerNorm     `weight:"layer_norm1"`
	SelfAttn   *clipAttention `weight:"self_attn"`
	LayerNorm2 *LayerNorm     `weight:"layer_norm2"`
	MLP        *clipMLP       `weight:"mlp"`
}

type clipAttention struct {
	QKV *Linear `weight:"q_proj,k_proj,v_proj"`
	Out *Linear `weight:"out_proj"`
}

type clipMLP struct {
	FC1 *Linear `weight:"fc1"`
	FC2 *Linear `weight:"fc2"`
}

func newCLIPEncoder(c CLIPConfig) *clipEncoder {
	e := &clipEncoder{}
	h := c.HiddenSize
	for range c.Layers {
		e.Layers = append(e.Layers, &clipLayer{
			LayerNorm1: newLayerNorm(h, c.LayerNormEps),
			SelfAttn:   &clipAttention{QKV: newFused(h, true, h, h, h), Out: newLinear(h, h, true)},
			LayerNorm2: newLayerNorm(h, c.LayerNormEps),
			MLP:        &clipMLP{FC1: newLinear(h, c.IntermediateSize, true), FC2: newLinear(c.IntermediateSize, h, true)},
		})
	}
	return e
}

// forward runs the first n layers over h, Act [B, T, C].
func (e *clipEncoder) forward(p *gpu.Program, h *gpu.Tensor, c CLIPConfig, causal bool, n int) *gpu.Tensor {
	for i, l := range e.Layers[:n] {
		h = l.forward(p, h, c, causal, fmt.Sprintf("encoder.layers.%d", i))
	}
	return h
}

func (l *clipLayer) forward(p *gpu.Program, h *gpu.Tensor, c CLIPConfig, causal bool, name string) *gpu.Tensor {
	y := l.LayerNorm1.forward(p, h, name+".layer_norm1")
	qkv := l.SelfAttn.QKV.forward(p, y, gpu.LinearOptions{Label: name + ".self_attn.qkv_proj"})
	y = maskedAttention(p, qkv, c.Heads, causal, name+".self_attn")
	h = l.SelfAttn.Out.forward(p, y, gpu.LinearOptions{Label: name + ".self_attn.out_proj", Residual: h})
	y = l.LayerNorm2.forward(p, h, name+".layer_norm2")
	y = l.MLP.FC1.forward(p, y, gpu.LinearOptions{Label: name + ".mlp.fc1", Activation: c.Activation})
	return l.MLP.FC2.forward(p, y, gpu.LinearOptions{Label: name + ".mlp.fc2", Residual: h})
}

// TextEncoder is transformers' CLIPTextModel.
type TextEncoder struct {
	Config CLIPConfig
	Model  *clipText `weight:"text_model"`
}

type clipText struct {
	Embeddings     *textEmbeddings `weight:"embeddings"`
	Encoder        *clipEncoder    `weight:"encoder"`
	FinalLayerNorm *LayerNorm      `weight:"final_layer_norm"`
}

type textEmbeddings struct {
	Token    *Table `weight:"token_embedding"`
	Position *Table `weight:"position_embedding"`
}

// NewTextEncoder lays the network out; Load fills it.
func NewTextEncoder(c CLIPConfig) *TextEncoder {
	return &TextEncoder{Config: c, Model: &clipText{
		Embeddings:     &textEmbeddings{Token: newTable(c.VocabSize, c.HiddenSize), Position: newTable(c.MaxPositions, c.HiddenSize)},
		Encoder:        newCLIPEncoder(c),
		FinalLayerNorm: newLayerNorm(c.HiddenSize, c.LayerNormEps),
	}}
}

// Load uploads the weights.
func (m *TextEncoder) Load(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, m, c, progress)
}

func (m *TextEncoder) part() networkPart {
	return networkPart{"text encoder", m, func(key string) bool {
		// A buffer, and the heads of a whole CLIPModel that the pipeline does not use.
		return strings.HasSuffix(key, "position_ids") || key == "text_projection.weight"
	}}
}

// Release frees the weights.
func (m *TextEncoder) Release() { unload(m) }

// record appends the network to p.
//
//	ids: U32 [B, T], token ids
//	returns: Act [B, T, hidden_size], last_hidden_state
func (m *TextEncoder) record(p *gpu.Program, ids *gpu.Tensor) *gpu.Tensor {
	h := embedTokens(p, ids, m.Model.Embeddings)
	h = m.Model.Encoder.forward(p, h, m.Config, true, m.Config.Layers)
	return m.Model.FinalLayerNorm.forward(p, h, "final_layer_norm")
}

// Encode computes last_hidden_state of rows of token ids: Act [B, T, hidden_size],
// persistent; the caller releases it.
func (m *TextEncoder) Encode(ctx context.Context, d *gpu.Device, ids [][]int32) (*gpu.Tensor, error) {
	length := len(ids[0])
	if length > m.Config.MaxPositions {
		return nil, fmt.Errorf("the tokenizer gives %d tokens and the text encoder takes %d at most", length, m.Config.MaxPositions)
	}
	flat := make([]uint32, 0, len(ids)*length)
	for _, row := range ids {
		for _, id := range row {
			if int(id) >= m.Config.VocabSize || id < 0 {
				return nil, fmt.Errorf("token %d is outside of the text encoder's vocabulary of %d: the tokenizer belongs to another model", id, m.Config.VocabSize)
			}
			flat = append(flat, uint32(id))
		}
	}
	in := d.NewTensor("input_ids", gpu.U32, len(ids), length)
	defer in.Release()
	in.SetUint32(flat)
	return once(ctx, d, "text encoder", func(p *gpu.Program) *gpu.Tensor { return m.record(p, in) })
}

// VisionEncoder is transformers' CLIPVisionModelWithProjection.
type VisionEncoder struct {
	Config     CLIPConfig
	Model      *clipVision `weight:"vision_model"`
	Projection *Linear     `weight:"visual_projection"`
}

type clipVision struct {
	Embeddings    *visionEmbeddings `weight:"embeddings"`
	PreLayrnorm   *LayerNorm        `weight:"pre_layrnorm"` // the published keys spell it so
	Encoder       *clipEncoder      `weight:"encoder"`
	PostLayernorm *LayerNorm        `weight:"post_layernorm"`
}

type visionEmbeddings struct {
	Class    *Vector `weight:"class_embedding"`
	Patch    *Conv2d `weight:"patch_embedding"`
	Position *Table  `weight:"position_embedding"`
}

// NewVisionEncoder lays the network out; Load fills it.
func NewVisionEncoder(c CLIPConfig) *VisionEncoder {
	side := c.ImageSize / c.PatchSize
	patch := newConv2d(c.Channels, c.HiddenSize, c.PatchSize)
	patch.bias = false
	return &VisionEncoder{Config: c,
		Model: &clipVision{
			Embeddings:    &visionEmbeddings{Class: newVector(c.HiddenSize), Patch: patch, Position: newTable(side*side+1, c.HiddenSize)},
			PreLayrnorm:   newLayerNorm(c.HiddenSize, c.LayerNormEps),
			Encoder:       newCLIPEncoder(c),
			PostLayernorm: newLayerNorm(c.HiddenSize, c.LayerNormEps),
		},
		Projection: newLinear(c.HiddenSize, c.ProjectionDim, false),
	}
}

// Load uploads the weights.
func (m *VisionEncoder) Load(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, m, c, progress)
}

func (m *VisionEncoder) part() networkPart {
	return networkPart{"image encoder", m, func(key string) bool { return strings.HasSuffix(key, "position_ids") }}
}

// Release frees the weights.
func (m *VisionEncoder) Release() { unload(m) }

// Tokens is the length of its sequence: the class token and the patches.
func (m *VisionEncoder) Tokens() int {
	side := m.Config.ImageSize / m.Config.PatchSize
	return side*side + 1
}

// hidden records the embeddings and the first n layers.
//
//	pixels: F32 or Act [B, S, S, 3], normalised
//	returns: Act [B, tokens, hidden_size]
func (m *VisionEncoder) hidden(p *gpu.Program, pixels *gpu.Tensor, n int) *gpu.Tensor {
	return m.Model.Encoder.forward(p, m.start(p, pixels), m.Config, false, n)
}

// start records the embeddings.
func (m *VisionEncoder) start(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	patches := m.Model.Embeddings.Patch.forward(p, pixels, gpu.Conv2dOptions{Label: "patch_embedding", Stride: m.Config.PatchSize})
	h := embedPatches(p, patches, m.Model.Embeddings)
	return m.Model.PreLayrnorm.forward(p, h, "pre_layrnorm")
}

// ImageEmbeds records the network up to its projection: Act [B, 1, projection_dim].
func (m *VisionEncoder) imageEmbeds(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	return m.end(p, m.hidden(p, pixels, m.Config.Layers))
}

// end records what follows the layers: the class token's norm and projection.
func (m *VisionEncoder) end(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
	class := gpu.SliceTokens(p, h, 0, 1)
	class = m.Model.PostLayernorm.forward(p, class, "post_layernorm")
	return m.Projection.forward(p, class, gpu.LinearOptions{Label: "visual_projection"})
}

// penultimate records the network up to hidden_states[-2], which the Plus adapters
// read: Act [B, tokens, hidden_size].
func (m *VisionEncoder) penultimate(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	return m.hidden(p, pixels, m.Config.Layers-1)
}
