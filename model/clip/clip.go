package clip

import (
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Model is both towers with their projections into one space: transformers' CLIPModel, or
// CLIPTextModelWithProjection beside CLIPVisionModelWithProjection.
type Model struct {
	Text       *TextEncoder
	Vision     *VisionEncoder
	projection *textProjection
}

type textProjection struct {
	Linear *nn.Linear `weight:"text_projection"`
}

func (*textProjection) Name() string { return "text projection" }

// LoadModel loads both towers, from one checkpoint or from two, which may hold more. as is the
// type that their matrices get on the GPU.
func LoadModel(ctx context.Context, d *gpu.Device, textConfig, visionConfig Config, text, vision nn.Checkpoint, as gpu.WeightDType) (*Model, error) {
	_, textShape, _ := text.Info("text_projection.weight")
	_, visionShape, _ := vision.Info("visual_projection.weight")
	var errs []error
	if len(textShape) != 2 {
		errs = append(errs, errors.New("the text encoder has no text_projection.weight, without which a caption cannot be compared with a picture: take a CLIPModel or a CLIPTextModelWithProjection"))
	}
	if len(visionShape) != 2 {
		errs = append(errs, errors.New("the image encoder has no visual_projection.weight, without which a picture cannot be compared: take a CLIPModel or a CLIPVisionModelWithProjection"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if textShape[0] != visionShape[0] {
		return nil, fmt.Errorf("the text encoder projects to %d numbers and the image encoder to %d: they belong to two CLIP models", textShape[0], visionShape[0])
	}
	// A whole CLIPModel's configuration has the size in up to three places that may differ.
	visionConfig.ProjectionDim = visionShape[0]
	m := &Model{Text: NewTextEncoder(textConfig), Vision: NewVisionEncoder(visionConfig),
		projection: &textProjection{nn.NewLinear(textConfig.HiddenSize, textShape[0], false)}}
	fail := func(err error) (*Model, error) {
		m.Release()
		return nil, err
	}
	if err := nn.Load(ctx, d, m.Text, nn.PartOf(text, "text_model."), as, nil); err != nil {
		return fail(err)
	}
	if err := nn.Load(ctx, d, m.projection, nn.PartOf(text, "text_projection."), as, nil); err != nil {
		return fail(err)
	}
	if err := nn.Load(ctx, d, m.Vision, nn.PartOf(vision, "vision_model.", "visual_projection."), as, nil); err != nil {
		return fail(err)
	}
	return m, nil
}

// Release frees the weights.
func (m *Model) Release() {
	nn.Unload(m.Text)
	nn.Unload(m.Vision)
	nn.Unload(m.projection)
}

// TextEmbeds computes transformers' text_embeds of one row of token ids: the last hidden
// state where the text ends, projected and not normalised.
func (m *Model) TextEmbeds(ctx context.Context, d *gpu.Device, ids []int32) ([]float32, error) {
	hidden, err := m.Text.Encode(ctx, d, [][]int32{ids})
	if err != nil {
		return nil, err
	}
	defer hidden.Release()
	at := endOfText(ids, m.Text.Config.EOSTokenID)
	embeds, err := nn.Once(ctx, d, "text projection", func(p *gpu.Program) *gpu.Tensor {
		return m.projection.Linear.Forward(p, gpu.SliceTokens(p, hidden, at, 1), gpu.LinearOptions{Label: "text_projection"})
	})
	if err != nil {
		return nil, err
	}
	defer embeds.Release()
	return embeds.Float32(ctx)
}

// endOfText is the index of the token whose state stands for the text. It is the first end
// token or, for configurations that say 2 (all of them before 2023), the highest id, which
// is CLIP's end token. This is CLIPTextTransformer's rule.
func endOfText(ids []int32, eos int) int {
	at := 0
	for i, id := range ids {
		if eos == 2 && id > ids[at] {
			at = i
		}
		if eos != 2 && int(id) == eos {
			return i
		}
	}
	return at
}

// ImageEmbeds computes transformers' image_embeds of one picture, projected and not
// normalised. pixels is [S, S, 3], as the image processor normalises it.
func (m *Model) ImageEmbeds(ctx context.Context, d *gpu.Device, pixels []float32) ([]float32, error) {
	embeds, err := m.Vision.Encode(ctx, d, nil, 1, pixels, ImageEmbeds)
	if err != nil {
		return nil, err
	}
	defer embeds.Release()
	return embeds.Float32(ctx)
}
