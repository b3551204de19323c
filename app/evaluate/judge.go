package evaluate

import (
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/tokenizer"
)

// judge is a CLIP with its tokenizer and image processor.
type judge struct {
	device    *gpu.Device
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
	processor *imageproc.CLIPImageProcessor
	print     string // the fingerprint of its weights
}

// loadJudge reads a CLIPModel's folder, or a folder in diffusers' layout with text_encoder,
// image_encoder and tokenizer, whose text encoder includes the text_projection.
func loadJudge(ctx context.Context, d *gpu.Device, folder loader.Folder) (*judge, error) {
	text, vision, vocabulary := loader.Here, loader.Here, loader.Here
	if _, err := folder.Open(ctx, loader.Config(loader.TextEncoder)); err == nil {
		text, vision, vocabulary = loader.TextEncoder, loader.ImageEncoder, loader.Tokenizer
	}
	read := func(name string) ([]byte, error) {
		b, err := loader.ReadFile(ctx, folder, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return b, nil
	}
	var files [2][]byte
	for i, name := range []string{loader.Config(text), loader.Config(vision)} {
		var err error
		if files[i], err = read(name); err != nil {
			return nil, err
		}
	}
	textConfig, err1 := clip.ParseTextConfig(files[0])
	visionConfig, err2 := clip.ParseVisionConfig(files[1])
	j := &judge{device: d}
	var err, err3 error
	j.tokenizer, err3 = engine.OpenTokenizer(ctx, folder, vocabulary)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if j.processor, err = engine.ImageProcessor(ctx, folder, visionConfig.ImageSize, vision); err != nil {
		return nil, err
	}
	textWeights, err := loader.OpenNetwork(ctx, folder, text)
	if err != nil {
		return nil, err
	}
	visionWeights, err := loader.OpenNetwork(ctx, folder, vision)
	if err != nil {
		return nil, err
	}
	if j.print, err = fingerprint(ctx, textWeights, visionWeights); err != nil {
		return nil, err
	}
	// The judge is exact: no weight is rounded.
	as := gpu.WeightF16
	if !d.F16 && (hasF32(textWeights) || hasF32(visionWeights)) {
		as = gpu.WeightF32
	}
	j.clip, err = clip.LoadModel(ctx, d, textConfig, visionConfig, textWeights, visionWeights, as)
	return j, err
}

func hasF32(c nn.Checkpoint) bool {
	for _, name := range c.Names() {
		if dtype, _, _ := c.Info(name); dtype == "F32" {
			return true
		}
	}
	return false
}

// picture returns the image embedding, which is not normalised.
func (j *judge) picture(ctx context.Context, m *imageproc.Image) ([]float32, error) {
	pixels, h, w := j.processor.Preprocess(m)
	if size := j.clip.Vision.Config.ImageSize; h != size || w != size {
		return nil, fmt.Errorf("the image processor gives %d × %d pixels and the image encoder takes %d × %d", w, h, size, size)
	}
	return j.clip.ImageEmbeds(ctx, j.device, pixels)
}

// words returns the text embedding, which is not normalised.
func (j *judge) words(ctx context.Context, text string) ([]float32, error) {
	return j.clip.TextEmbeds(ctx, j.device, j.tokenizer.Encode(text).IDs)
}
