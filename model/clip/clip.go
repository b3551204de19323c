package clip

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Model is both towers with their projections into one space: transformers' CLIPModel, or
// CLIPTextModelWithProjection beside CLIPVisionModelWithProjection.
type Model struct {
	Text   *TextTower
	Vision *VisionEncoder
}

// LoadModel loads both towers, from one checkpoint or from two, which may hold more. as is the
// type that their matrices get on the GPU.
func LoadModel(ctx context.Context, d *gpu.Device, textConfig, visionConfig Config, text, vision nn.Checkpoint, as gpu.WeightDType) (*Model, error) {
	textDim, visionDim := TextProjectionDim(text), VisualProjectionDim(vision)
	var errs []error
	if textDim == 0 {
		errs = append(errs, errors.New("the text encoder has no text_projection.weight, without which a caption cannot be compared with a picture: take a CLIPModel or a CLIPTextModelWithProjection"))
	}
	if visionDim == 0 {
		errs = append(errs, errors.New("the image encoder has no visual_projection.weight, without which a picture cannot be compared: take a CLIPModel or a CLIPVisionModelWithProjection"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if textDim != visionDim {
		return nil, fmt.Errorf("the text encoder projects to %d numbers and the image encoder to %d: they belong to two CLIP models", textDim, visionDim)
	}
	// A whole CLIPModel's configuration has the size in up to three places that may differ.
	visionConfig.ProjectionDim = visionDim
	m := &Model{Text: NewTextTower(textConfig, textDim), Vision: NewVisionEncoder(visionConfig)}
	err := nn.Load(ctx, d, m.Text, nn.PartOf(text, "text_model.", "text_projection."), as, nil)
	if err == nil {
		err = nn.Load(ctx, d, m.Vision, nn.PartOf(vision, "vision_model.", "visual_projection."), as, nil)
	}
	if err != nil {
		m.Release()
		return nil, err
	}
	return m, nil
}

// Release frees the weights.
func (m *Model) Release() {
	nn.Unload(m.Text)
	nn.Unload(m.Vision)
}

// TextEmbeds is TextTower.Embeds of a model that is loaded.
func (m *Model) TextEmbeds(ctx context.Context, d *gpu.Device, ids []int32) ([]float32, error) {
	return m.Text.Embeds(ctx, d, nil, ids)
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

// Cosine returns the cosine of the angle between two embeddings. Between those of two pictures it
// is the IP-Adapter paper's CLIP-I, and between those of a picture and of words its CLIP-T (section 4.2.1).
func Cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}
