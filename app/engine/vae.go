package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/vae"
)

// openVAE opens the VAE of that name, or else the model's own, and its config.json.
func (e *Engine) openVAE(ctx context.Context, model *loader.Model, name string) (*loader.Checkpoint, []byte, error) {
	if name != "" {
		return e.openOtherVAE(ctx, name)
	}
	config, err := loader.ReadFile(ctx, model, loader.Config(loader.VAE))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", loader.Config(loader.VAE), err)
	}
	c, err := model.Network(ctx, loader.VAE)
	return c, config, err
}

// openOtherVAE opens a VAE or a tiny autoencoder: a file, or a folder.
func (e *Engine) openOtherVAE(ctx context.Context, name string) (c *loader.Checkpoint, config []byte, err error) {
	if loader.IsWeights(name) {
		var s loader.Source
		if s, err = e.host.File(ctx, name); err == nil {
			c, config, err = loader.OpenVAEFile(ctx, s)
		}
	} else {
		var folder loader.Folder
		if folder, err = e.host.Folder(ctx, name); err == nil {
			c, config, err = loader.OpenVAEFolder(ctx, folder)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("VAE %s: %w", name, err)
	}
	return c, config, nil
}

// changeVAE gives the model that is open the VAE of that name, or its own again. The other
// networks stay on the GPU. The VAE before leaves it, and the new one is loaded when it is needed.
// If the new one cannot be opened, the model keeps the one that it has.
func (e *Engine) changeVAE(ctx context.Context, name string) error {
	m := e.loaded
	if e.vae == name {
		return nil
	}
	if name == "" && m.without != nil {
		return m.without
	}
	c, text, err := e.openVAE(ctx, loader.OpenFolder(m.folder), name)
	if err != nil {
		return err
	}
	config, err := vae.ParseConfig(text)
	if err != nil {
		return fmt.Errorf("VAE %s: %w", cmp.Or(name, "of the model"), err)
	}
	old, v := m.pipeline.VAE, vae.New(config)
	v.LatentRGB = old.LatentRGB
	if err := m.addVAE(v, c); err != nil {
		m.removeVAE(v)
		return err
	}
	m.pipeline.Forget() // its programs decode with the old one
	m.removeVAE(old)
	m.pipeline.VAE, e.vae = v, name
	return nil
}

// addVAE makes the halves known that the file has.
func (m *loadedModel) addVAE(v *vae.VAE, c *loader.Checkpoint) error {
	var errs []error
	for _, half := range halves(v) {
		errs = append(errs, m.memory.Add(half, c, m.weights))
	}
	return errors.Join(errs...)
}

// removeVAE undoes addVAE.
func (m *loadedModel) removeVAE(v *vae.VAE) {
	for _, half := range halves(v) {
		m.memory.Remove(half)
	}
}

// halves are the networks of a VAE.
func halves(v *vae.VAE) (list []nn.Network) {
	if v.Decoder != nil {
		list = append(list, v.Decoder)
	}
	if v.Encoder != nil {
		list = append(list, v.Encoder)
	}
	return list
}

// previewVAE opens the tiny autoencoder that draws the previews, once; nil where none is asked for.
func (e *Engine) previewVAE(ctx context.Context, s settings.Settings) (*vae.VAE, error) {
	m, name := e.loaded, s.PreviewVAE
	switch {
	case name == "":
		return nil, nil
	case name == s.VAE && m.pipeline.VAE.Config.Tiny:
		return m.pipeline.VAE, nil
	}
	v, err := openOnce(m, "VAE for previews "+name, func() (*vae.VAE, error) {
		c, text, err := e.openOtherVAE(ctx, name)
		if err != nil {
			return nil, err
		}
		config, err := vae.ParseConfig(text)
		if err != nil {
			return nil, fmt.Errorf("VAE %s: %w", name, err)
		}
		v := vae.New(config)
		if v.Encoder = nil; !config.Tiny || v.Decoder == nil {
			return nil, fmt.Errorf("%s is not the decoder of a tiny autoencoder, and a whole VAE takes too long for previews: choose TAESD", name)
		}
		return v, m.addVAE(v, c)
	})
	if err != nil {
		return nil, err
	}
	if have, want := v.Config.Factor(), m.pipeline.VAE.Config.Factor(); have != want {
		return nil, fmt.Errorf("%s draws %d pixels for each latent and the model's VAE %d: choose TAESD for Stable Diffusion 1.5", name, have, want)
	}
	return v, nil
}
