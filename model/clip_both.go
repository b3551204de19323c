package model

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// CLIP is both of CLIP's towers with their projections into one space: transformers'
// CLIPModel, or CLIPTextModelWithProjection beside CLIPVisionModelWithProjection.
type CLIP struct {
	Text       *TextEncoder
	Vision     *VisionEncoder
	projection *textProjection
}

type textProjection struct {
	Linear *Linear `weight:"text_projection"`
}

func (p *textProjection) part() networkPart { return networkPart{"text projection", p, nothing} }

// LoadCLIP reads the towers of one checkpoint or two, of which each may hold more.
func LoadCLIP(ctx context.Context, d *gpu.Device, textConfig, visionConfig CLIPConfig, text, vision Checkpoint) (*CLIP, error) {
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
	m := &CLIP{Text: NewTextEncoder(textConfig), Vision: NewVisionEncoder(visionConfig),
		projection: &textProjection{newLinear(textConfig.HiddenSize, textShape[0], false)}}
	fail := func(err error) (*CLIP, error) {
		m.Release()
		return nil, err
	}
	if err := m.Text.Load(ctx, d, partOf(text, "text_model."), nil); err != nil {
		return fail(err)
	}
	if err := load(ctx, d, m.projection, partOf(text, "text_projection."), nil); err != nil {
		return fail(err)
	}
	if err := m.Vision.Load(ctx, d, partOf(vision, "vision_model.", "visual_projection."), nil); err != nil {
		return fail(err)
	}
	return m, nil
}

// Release frees the weights.
func (m *CLIP) Release() {
	m.Text.Release()
	m.Vision.Release()
	unload(m.projection)
}

// TextEmbeds are transformers' text_embeds, not normalised, of one row of token ids:
// the last hidden state where the text ends, projected.
func (m *CLIP) TextEmbeds(ctx context.Context, d *gpu.Device, ids []int32) ([]float32, error) {
	hidden, err := m.Text.Encode(ctx, d, [][]int32{ids})
	if err != nil {
		return nil, err
	}
	defer hidden.Release()
	at := endOfText(ids, m.Text.Config.EOSTokenID)
	embeds, err := once(ctx, d, "text projection", func(p *gpu.Program) *gpu.Tensor {
		return m.projection.Linear.forward(p, gpu.SliceTokens(p, hidden, at, 1), gpu.LinearOptions{Label: "text_projection"})
	})
	if err != nil {
		return nil, err
	}
	defer embeds.Release()
	return embeds.Float32(ctx)
}

// endOfText is the token whose state stands for the text, CLIPTextTransformer's rule:
// the first end token; for configurations that say 2, all those of before 2023, the
// highest id, which is CLIP's end token.
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

// ImageEmbeds are transformers' image_embeds, not normalised, of one picture,
// [S, S, 3], normalised as the image processor does.
func (m *CLIP) ImageEmbeds(ctx context.Context, d *gpu.Device, pixels []float32) ([]float32, error) {
	size := m.Vision.Config.ImageSize
	in := d.NewTensor("pixel_values", gpu.Act, 1, size, size, 3)
	defer in.Release()
	in.SetFloat32(pixels)
	embeds, err := once(ctx, d, "image encoder", func(p *gpu.Program) *gpu.Tensor { return m.Vision.imageEmbeds(p, in) })
	if err != nil {
		return nil, err
	}
	defer embeds.Release()
	return embeds.Float32(ctx)
}

// part is what of a checkpoint has one of the prefixes.
type part struct {
	Checkpoint
	prefixes []string
}

func partOf(c Checkpoint, prefixes ...string) part { return part{c, prefixes} }

// Names lists the part's tensors.
func (p part) Names() []string {
	var names []string
	for _, n := range p.Checkpoint.Names() {
		for _, prefix := range p.prefixes {
			if strings.HasPrefix(n, prefix) {
				names = append(names, n)
			}
		}
	}
	return names
}
