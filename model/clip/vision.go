package clip

import (
	"context"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// VisionEncoder is transformers' CLIPVisionModelWithProjection.
type VisionEncoder struct {
	Config     Config
	Model      *visionModel `weight:"vision_model"`
	Projection *nn.Linear   `weight:"visual_projection"`
}

type visionModel struct {
	Embeddings    *visionEmbeddings `weight:"embeddings"`
	PreLayrnorm   *nn.LayerNorm     `weight:"pre_layrnorm"` // spelled as in the published keys
	Encoder       *encoder          `weight:"encoder"`
	PostLayernorm *nn.LayerNorm     `weight:"post_layernorm"`
}

type visionEmbeddings struct {
	Class    *nn.Vector `weight:"class_embedding"`
	Patch    *nn.Conv2d `weight:"patch_embedding"`
	Position *nn.Table  `weight:"position_embedding"`
}

// NewVisionEncoder lays the network out.
func NewVisionEncoder(c Config) *VisionEncoder {
	side := c.ImageSize / c.PatchSize
	patch := nn.NewConv2d(c.Channels, c.HiddenSize, c.PatchSize, false)
	return &VisionEncoder{Config: c,
		Model: &visionModel{
			Embeddings:    &visionEmbeddings{Class: nn.NewVector(c.HiddenSize), Patch: patch, Position: nn.NewTable(side*side+1, c.HiddenSize)},
			PreLayrnorm:   nn.NewLayerNorm(c.HiddenSize, c.LayerNormEps),
			Encoder:       newEncoder(c),
			PostLayernorm: nn.NewLayerNorm(c.HiddenSize, c.LayerNormEps),
		},
		Projection: nn.NewLinear(c.HiddenSize, c.ProjectionDim, false),
	}
}

// Name implements nn.Network.
func (m *VisionEncoder) Name() string { return "image encoder" }

// Ignores says which keys are not read: a buffer, and the text half of a whole CLIPModel.
func (m *VisionEncoder) Ignores(key string) bool {
	return strings.HasSuffix(key, "position_ids") || strings.HasPrefix(key, "text_model.") || strings.HasPrefix(key, "text_projection.") || key == "logit_scale"
}

// Tokens is the length of the sequence: the class token and the patches.
func (m *VisionEncoder) Tokens() int {
	side := m.Config.ImageSize / m.Config.PatchSize
	return side*side + 1
}

// Output says which of its results an image encoder returns.
type Output int

const (
	ImageEmbeds Output = iota // image_embeds, Act [B, 1, projection_dim]
	Penultimate               // hidden_states[-2], Act [B, tokens, hidden_size]
	LastHidden                // last_hidden_state, Act [B, tokens, hidden_size]; the class token is without post_layernorm, too
)

// layers is how many of the encoder's layers an output needs.
func (m *VisionEncoder) layers(o Output) int {
	if o == Penultimate {
		return m.Config.Layers - 1
	}
	return m.Config.Layers
}

// Record appends the network to p, as far as the output needs it.
//
//	pixels: F32 or Act [B, S, S, 3], normalised
func (m *VisionEncoder) Record(p *gpu.Program, pixels *gpu.Tensor, o Output) *gpu.Tensor {
	h := m.Model.Encoder.forward(p, m.embed(p, pixels), m.Config, false, m.layers(o))
	if o != ImageEmbeds {
		return h
	}
	return m.project(p, h)
}

// embed records what comes before the layers.
func (m *VisionEncoder) embed(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	patches := m.Model.Embeddings.Patch.Forward(p, pixels, gpu.Conv2dOptions{Label: "patch_embedding", Stride: m.Config.PatchSize})
	h := nn.EmbedPatches(p, patches, m.Model.Embeddings.Class, m.Model.Embeddings.Position)
	return m.Model.PreLayrnorm.Forward(p, h, "pre_layrnorm")
}

// project records what follows the layers: the norm and the projection of the class token.
func (m *VisionEncoder) project(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
	class := gpu.SliceTokens(p, h, 0, 1)
	class = m.Model.PostLayernorm.Forward(p, class, "post_layernorm")
	return m.Projection.Forward(p, class, gpu.LinearOptions{Label: "visual_projection"})
}

// Encode runs the encoder over n pictures, and returns the output in a persistent tensor
// that the caller releases. Where the encoder does not fit the GPU beside what memory
// holds, it is streamed, so that a new picture does not unload the UNet.
//
//	pixels: [n, S, S, 3], normalised; nil stands for zeros
func (m *VisionEncoder) Encode(ctx context.Context, d *gpu.Device, memory *nn.Memory, n int, pixels []float32, o Output) (*gpu.Tensor, error) {
	size := m.Config.ImageSize
	in := d.NewTensor("pixel_values", gpu.Act, n, size, size, 3)
	defer in.Release()
	if pixels != nil {
		in.SetFloat32(pixels)
	}
	if memory.Crowded(m) {
		return m.stream(ctx, memory, in, o)
	}
	if err := memory.Need(ctx, m); err != nil {
		return nil, err
	}
	return nn.Once(ctx, d, m.Name(), func(p *gpu.Program) *gpu.Tensor { return m.Record(p, in, o) })
}

// stream is Encode with one part of the encoder on the GPU at a time.
func (m *VisionEncoder) stream(ctx context.Context, memory *nn.Memory, pixels *gpu.Tensor, o Output) (*gpu.Tensor, error) {
	s := newStream(ctx, memory, m)
	s.run("embeddings", &visionStart{m.Model.Embeddings, m.Model.PreLayrnorm}, "vision_model.", func(p *gpu.Program, _ *gpu.Tensor) *gpu.Tensor {
		return m.embed(p, pixels)
	})
	s.layers(m.Model.Encoder.Layers[:m.layers(o)], m.Config, false, "vision_model.")
	if o == ImageEmbeds {
		s.run("visual projection", &visionEnd{m.Model.PostLayernorm, m.Projection}, "", m.project)
	}
	return s.result()
}
