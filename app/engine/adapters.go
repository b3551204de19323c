package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model"
	"github.com/imprompt/imprompt/model/imageproc"
)

// visionModel is an image encoder with what goes before it.
type visionModel struct {
	encoder   *model.VisionEncoder
	processor *imageproc.CLIPImageProcessor
}

// ImageEncoder finds an image encoder: in a folder of its own, in the image_encoder of a
// folder, or, without a name, in that of the model. at is its place in the folder.
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

// vision opens an image encoder, once.
func (e *Engine) vision(ctx context.Context, name string) (*visionModel, error) {
	m := e.loaded
	if v, ok := m.vision[name]; ok {
		return v, nil
	}
	folder, prefix, err := ImageEncoder(ctx, e.host, m.folder, name)
	if err != nil {
		return nil, err
	}
	b, err := loader.ReadFile(ctx, folder, loader.Config(prefix))
	if err != nil {
		return nil, fmt.Errorf("the image encoder's config.json: %w", err)
	}
	config, err := model.ParseCLIPVisionConfig(b)
	if err != nil {
		return nil, err
	}
	v := &visionModel{encoder: model.NewVisionEncoder(config)}
	if v.processor, err = ImageProcessor(ctx, folder, config.ImageSize, prefix); err != nil {
		return nil, err
	}
	c, err := loader.OpenNetwork(ctx, folder, prefix)
	if err != nil {
		return nil, err
	}
	if err := m.memory.Add(v.encoder, c); err != nil {
		return nil, err
	}
	m.vision[name] = v
	return v, nil
}

// adapter opens an IP-Adapter, once.
func (e *Engine) adapter(ctx context.Context, name string) (*model.IPAdapter, error) {
	m := e.loaded
	if a, ok := m.adapters[name]; ok {
		return a, nil
	}
	s, err := e.host.File(ctx, name)
	if err != nil {
		return nil, err
	}
	c, err := loader.OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	a, err := model.NewIPAdapter(c, m.pipeline.UNet)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	if err := m.memory.Add(a, c); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	m.adapters[name] = a
	return a, nil
}
