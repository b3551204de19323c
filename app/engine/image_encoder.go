package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/imageproc"
)

// imageEncoder is an image encoder with its image processor.
type imageEncoder struct {
	network   *clip.VisionEncoder
	processor *imageproc.CLIPImageProcessor
}

// ImageEncoder finds an image encoder: in its own folder, in the subfolder image_encoder of a
// folder, or, without a name, in the model's folder. at is its path within the folder.
func ImageEncoder(ctx context.Context, host Host, model loader.Folder, name string) (folder loader.Folder, at string, err error) {
	if name == "" {
		return model, loader.ImageEncoder, nil
	}
	if folder, err = host.Folder(ctx, name); err != nil {
		return nil, "", err
	}
	if _, err := folder.Open(ctx, loader.Config(loader.ImageEncoder)); err != nil {
		return folder, loader.Here, nil
	}
	return folder, loader.ImageEncoder, nil
}

// ImageProcessor reads the preprocessor_config.json of an image encoder in a folder. Where
// there is none, it makes a processor for the encoder's image size, as diffusers does.
func ImageProcessor(ctx context.Context, folder loader.Folder, size int, encoder string) (*imageproc.CLIPImageProcessor, error) {
	for _, name := range loader.ProcessorConfigs(encoder) {
		b, err := loader.ReadFile(ctx, folder, name)
		if err == nil {
			return imageproc.NewCLIPImageProcessor(b)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return imageproc.NewCLIPImageProcessor(fmt.Appendf(nil, `{"size":{"shortest_edge":%d},"crop_size":{"height":%d,"width":%d}}`, size, size, size))
}

// imageEncoder opens an image encoder, once.
func (e *Engine) imageEncoder(ctx context.Context, name string) (*imageEncoder, error) {
	m := e.loaded
	return openOnce(m, "image encoder "+name, func() (*imageEncoder, error) {
		folder, prefix, err := ImageEncoder(ctx, e.host, m.folder, name)
		if err != nil {
			return nil, err
		}
		b, err := loader.ReadFile(ctx, folder, loader.Config(prefix))
		switch {
		case errors.Is(err, os.ErrNotExist) && name == "":
			return nil, errors.New("this model has no image encoder, which image prompts need: choose one (with --image-encoder on the command line, or under Models on the page)")
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("%s has no %s: choose the folder of an image encoder, with its config.json, or a single file of weights", name, loader.Config(prefix))
		case err != nil:
			return nil, fmt.Errorf("the image encoder's config.json: %w", err)
		}
		config, err := clip.ParseVisionConfig(b)
		if err != nil {
			return nil, err
		}
		c, err := loader.OpenFolder(folder).Network(ctx, prefix)
		if err != nil {
			return nil, err
		}
		// A whole CLIPModel's configuration has this size in up to three places that may differ.
		if size := clip.VisualProjectionDim(c); size > 0 {
			config.ProjectionDim = size
		}
		v := &imageEncoder{network: clip.NewVisionEncoder(config)}
		if v.processor, err = ImageProcessor(ctx, folder, config.ImageSize, prefix); err != nil {
			return nil, err
		}
		return v, m.memory.Add(v.network, c, m.weights)
	})
}

// preprocess turns a picture into the encoder's input.
func (v *imageEncoder) preprocess(p *imageproc.Image) ([]float32, error) {
	h, w := v.processor.OutputSize(p.Width, p.Height)
	if size := v.network.Config.ImageSize; h != size || w != size {
		return nil, fmt.Errorf("the image processor gives %d × %d pixels and the image encoder takes %d × %d", w, h, size, size)
	}
	values, _, _ := v.processor.Preprocess(p)
	return values, nil
}
