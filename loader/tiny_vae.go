package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Tiny autoencoders (TAESD) come as diffusers' AutoencoderTiny, in one file with both halves, or
// as the files of github.com/madebyollin/taesd, one for each half. In those files the names begin
// with the layers' numbers. Other programs put one of these prefixes before them.
var tinyPrefixes = map[string][]string{
	"encoder": {"", "encoder.", "taesd_encoder."},
	"decoder": {"", "decoder.", "taesd_decoder."},
}

// tinyNames returns diffusers' names of the tensors of a tiny autoencoder, by their names in the
// file. ok is false for any other file.
func tinyNames(c *Checkpoint) (names map[string]string, ok bool) {
	names = map[string]string{}
	for half, prefixes := range tinyPrefixes {
		if c.has(half + ".layers.0.weight") {
			addLayers(names, c, half+".layers.", half, 0)
			continue
		}
		for _, p := range prefixes {
			// The original decoder begins with a layer without weights, which diffusers does not count.
			switch {
			case half == "encoder" && c.has(p+"0.weight") && c.has(p+"1.conv.0.weight"):
				addLayers(names, c, p, half, 0)
			case half == "decoder" && !c.has(p+"0.weight") && c.has(p+"1.weight") && c.has(p+"3.conv.0.weight"):
				addLayers(names, c, p, half, -1)
			}
		}
	}
	return names, len(names) > 0
}

// addLayers adds the names of one half's tensors. The numbers of their layers change by the number by.
func addLayers(names map[string]string, c *Checkpoint, prefix, half string, by int) {
	for _, name := range c.Names() {
		if i, rest, ok := cutNumber(name, prefix); ok {
			names[name] = fmt.Sprintf("%s.layers.%d.%s", half, i+by, rest)
		}
	}
}

// openTiny returns a tiny autoencoder under diffusers' names, and its config.json. checkpoints are
// its file, or the files of its halves.
func openTiny(checkpoints ...*Checkpoint) (*Checkpoint, []byte, error) {
	v := renamed()
	for _, c := range checkpoints {
		names, _ := tinyNames(c)
		for old, name := range names {
			if err := v.add(name, c, old, false); err != nil {
				return nil, nil, err
			}
		}
	}
	slices.Sort(v.names)
	config, err := tinyConfig(v)
	return v, config, err
}

// tinyConfig infers the config.json of a tiny autoencoder from its weights. A half that is missing
// has no stages. Every convolution outside of the blocks begins a stage, except for the last one.
func tinyConfig(c *Checkpoint) ([]byte, error) {
	config := object{"_class_name": "AutoencoderTiny", "latent_channels": 4}
	for _, half := range []string{"encoder", "decoder"} {
		blocks, channels, last, latents := []int{}, []int{}, 0, 4
		for _, name := range c.Names() {
			if i, _, ok := cutNumber(name, half+".layers."); ok {
				last = max(last, i)
			}
		}
		for i := range last + 1 {
			if c.has(fmt.Sprintf("%s.layers.%d.conv.0.weight", half, i)) && len(blocks) > 0 {
				blocks[len(blocks)-1]++
			}
			name := fmt.Sprintf("%s.layers.%d.weight", half, i)
			if !c.has(name) {
				continue
			}
			shape, err := shapeOf(c, name, 4)
			if err != nil {
				return nil, err
			}
			switch {
			case half == "decoder" && i == 0:
				latents = shape[1]
			case half == "encoder" && i == last:
				latents = shape[0]
			}
			if i < last {
				blocks, channels = append(blocks, 0), append(channels, shape[0])
			}
		}
		if latents != 4 {
			return nil, fmt.Errorf("this is a tiny autoencoder for latents of %d channels, and Stable Diffusion 1.5's have 4: choose TAESD itself (madebyollin/taesd)", latents)
		}
		config["num_"+half+"_blocks"], config[half+"_block_out_channels"] = blocks, channels
	}
	return config.bytes(), nil
}

// IsTiny reports whether a config.json is that of a tiny autoencoder.
func IsTiny(config []byte) bool { return bytes.Contains(config, []byte(`"AutoencoderTiny"`)) }

// openTinyFolder opens a folder with TAESD's original files. c is nil where the folder has none.
func openTinyFolder(ctx context.Context, f Folder) (c *Checkpoint, config []byte, err error) {
	var halves []*Checkpoint
	for _, name := range []string{"taesd_encoder", "taesd_decoder"} {
		s, err := f.Open(ctx, name+".safetensors")
		if errors.Is(err, os.ErrNotExist) {
			s, err = f.Open(ctx, name+".pth")
		}
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		half, err := OpenFileOfWeights(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		halves = append(halves, half)
	}
	if halves == nil {
		return nil, nil, nil
	}
	return openTiny(halves...)
}
