package loader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
)

// WithoutVAEError says that a single file has no VAE, like many community files. Model is the rest
// of it, which can be used with another VAE.
type WithoutVAEError struct{ Model *Model }

func (e *WithoutVAEError) Error() string {
	return "the file has no VAE, because its publisher expects you to add one. Get the version of the model with the VAE in it, or choose a VAE (with --vae on the command line, or in Settings on the page)"
}

// OpenVAEFile opens an autoencoder's file, or that of a whole model for its autoencoder: in the
// original layout or in diffusers'. Tiny autoencoders may have one half only. It returns the weights
// under diffusers' names and a config.json.
func OpenVAEFile(ctx context.Context, s Source) (*Checkpoint, []byte, error) {
	c, err := OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	v, config, err := vaeOf(c)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return v, config, nil
}

// isVAE reports whether a file's tensors are those of an autoencoder, in any layout.
func isVAE(c *Checkpoint) bool {
	if _, tiny := tinyNames(c); tiny {
		return true
	}
	for _, prefix := range append([]string{""}, ldmVAE...) {
		if c.has(prefix+"decoder.conv_in.weight") && c.has(prefix+"encoder.conv_in.weight") {
			return true
		}
	}
	return false
}

// openVAE shows an autoencoder's file as a model that has nothing else.
func openVAE(c *Checkpoint) (*Model, error) {
	v, config, err := vaeOf(c)
	return &Model{kind: KindVAE, files: map[string][]byte{Config(VAE): config}, networks: map[string]*Checkpoint{VAE: v}}, err
}

// vaeOf returns the autoencoder of a file under diffusers' names, and its config.json.
func vaeOf(c *Checkpoint) (*Checkpoint, []byte, error) {
	if _, tiny := tinyNames(c); tiny {
		return openTiny(c)
	}
	v, err := wholeVAEOf(c)
	if err != nil {
		return nil, nil, err
	}
	config, err := vaeConfig(v)
	return v, config, err
}

func wholeVAEOf(c *Checkpoint) (*Checkpoint, error) {
	if c.has("decoder.up_blocks.0.resnets.0.conv1.weight") && c.has("encoder.conv_in.weight") {
		return c, nil
	}
	for _, prefix := range append([]string{""}, ldmVAE...) {
		levels := ldmLevels(c, prefix)
		if levels == 0 || !c.has(prefix+"encoder.conv_in.weight") {
			continue
		}
		v := renamed()
		for _, key := range c.Names() {
			k, ok := strings.CutPrefix(key, prefix)
			if !ok {
				continue
			}
			if name, matrix := vaeName(k, levels); name != "" {
				if err := v.add(name, c, key, matrix); err != nil {
					return nil, err
				}
			}
		}
		sort.Strings(v.names)
		return v, nil
	}
	return nil, errors.New("this is no VAE: it lacks the encoder or the decoder. Choose a VAE of Stable Diffusion 1.5, such as sd-vae-ft-mse, or a whole model for its VAE")
}

// ldmLevels counts the levels of an autoencoder in the original layout; 0 where there is none.
func ldmLevels(c *Checkpoint, prefix string) int {
	levels := 0
	for levels < 16 {
		if !c.has(fmt.Sprintf("%sdecoder.up.%d.block.0.conv1.weight", prefix, levels)) {
			break
		}
		levels++
	}
	return levels
}

// OpenVAEFolder opens the autoencoder of a folder in diffusers' layout: the folder is the
// autoencoder's own, or a model's. The folder may also have TAESD's original files.
func OpenVAEFolder(ctx context.Context, f Folder) (*Checkpoint, []byte, error) {
	at := VAE
	config, err := ReadFile(ctx, f, Config(at))
	if errors.Is(err, os.ErrNotExist) {
		at = Here
		config, err = ReadFile(ctx, f, Config(at))
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		if c, config, err := openTinyFolder(ctx, f); c != nil || err != nil {
			return c, config, err
		}
		return nil, nil, fmt.Errorf("the folder has neither vae/config.json nor config.json (%w). Choose the folder of a VAE or of a model in diffusers' layout", err)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", Config(at), err)
	}
	c, err := OpenFolder(f).Network(ctx, at)
	return c, config, err
}
