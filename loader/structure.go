package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ControlNets and T2I-Adapters come as a folder in diffusers' layout, with a config.json, or as
// one file, which has the original repository's names or diffusers'.

// OpenStructure opens a ControlNet, a T2I-Adapter or a Uni-ControlNet, at a path in a folder (Here
// where the folder is its own), under diffusers' names. config is its config.json, or nil for one
// file. For anything else the error says what it is and what to do.
func OpenStructure(ctx context.Context, folder Folder, at string, kind Kind) (c *Checkpoint, config []byte, err error) {
	m := OpenFolder(folder)
	if m.folder == nil && m.kind != kind {
		return nil, nil, fmt.Errorf("this is of the kind %q and should be of the kind %q", m.kind.Name(), kind.Name())
	}
	config, err = ReadFile(ctx, m, Config(at))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	if c, err = m.Network(ctx, at); err != nil {
		return nil, nil, err
	}
	is, err := Recognise(c)
	switch {
	case err != nil:
		return nil, nil, err
	case is != kind:
		return nil, nil, fmt.Errorf("this is of the kind %q and should be of the kind %q", is.Name(), kind.Name())
	case kind == KindControlNet:
		c, err = underNames(c, controlNetName(c.Names()))
	case kind == KindT2IAdapter:
		c, err = underNames(c, t2iAdapterName(c.Names()))
	case kind == KindUniControlNet:
		c, err = underNames(c, uniControlNetName(c.Names()))
	}
	return c, config, err
}

// openStructureFile shows one file as a folder without a config.json.
func openStructureFile(c *Checkpoint, kind Kind) *Model {
	return &Model{kind: kind, files: map[string][]byte{}, networks: map[string]*Checkpoint{Here: c}}
}

// KindOfConfig tells from a folder's own config.json what the folder has: a ControlNet, a
// T2I-Adapter, a VAE or, otherwise, an image encoder.
func KindOfConfig(config []byte) Kind {
	var c struct {
		Class string `json:"_class_name"`
	}
	_ = json.Unmarshal(config, &c) // what is no JSON is refused when it is opened
	switch c.Class {
	case "ControlNetModel":
		return KindControlNet
	case "T2IAdapter":
		return KindT2IAdapter
	case "AutoencoderKL", "AutoencoderTiny":
		return KindVAE
	}
	return KindImageEncoder
}

func isControlNet(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return strings.HasPrefix(n, ldmControl) || strings.HasPrefix(n, "controlnet_cond_embedding.") || strings.HasPrefix(n, "input_hint_block.")
	})
}

// ldmControl is the prefix of a ControlNet in a checkpoint in the original layout. Some files
// have the ControlNet alone, without the prefix.
const ldmControl = "control_model."

// controlNetName gives the diffusers name of a ControlNet's tensor. It follows diffusers'
// convert_controlnet_checkpoint (loaders/single_file_utils.py).
func controlNetName(names []string) func(string) string {
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "controlnet_cond_embedding.") }) {
		return func(n string) string { return n }
	}
	prefix := ""
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, ldmControl) }) {
		prefix = ldmControl
	}
	layers, err := ldmLayersPerBlock(names, prefix)
	last := 0 // of the layers of input_hint_block, every second of which is an activation
	for _, n := range names {
		if i, _, ok := cutNumber(n, prefix+"input_hint_block."); ok {
			last = max(last, i)
		}
	}
	return func(n string) string {
		key, ok := strings.CutPrefix(n, prefix)
		if !ok || err != nil {
			return ""
		}
		if i, rest, ok := cutNumber(key, "input_hint_block."); ok {
			const embedding = "controlnet_cond_embedding."
			switch i {
			case 0:
				return embedding + "conv_in." + rest
			case last:
				return embedding + "conv_out." + rest
			}
			return fmt.Sprintf("%sblocks.%d.%s", embedding, i/2-1, rest)
		}
		if name, ok := zeroConvName(key); ok {
			return name
		}
		return unetName(key, layers)
	}
}

// zeroConvName gives the diffusers name of a tensor of a ControlNet's zero convolutions. ok is
// false for any other tensor.
func zeroConvName(key string) (name string, ok bool) {
	if i, rest, ok := cutNumber(key, "zero_convs."); ok {
		return fmt.Sprintf("controlnet_down_blocks.%d.%s", i, strings.TrimPrefix(rest, "0.")), true
	}
	rest, ok := strings.CutPrefix(key, "middle_block_out.0.")
	return "controlnet_mid_block." + rest, ok
}

// The prefixes of Uni-ControlNet's adapters.
const (
	LocalAdapter  = "local_adapter."
	GlobalAdapter = "global_adapter."
)

// fdnNames replaces the names of the norms in Uni-ControlNet's LocalResBlock by those of the norms
// in a resnet of the UNet.
var fdnNames = strings.NewReplacer("norm_in.", "norm1.", "norm_out.", "norm2.")

// uniControlNetName gives the names that package model uses for the tensors of Uni-ControlNet's
// adapters. The global adapter keeps its names. The local adapter is a ControlNet, and gets
// diffusers' names for one, behind its prefix.
func uniControlNetName(names []string) func(string) string {
	layers, err := ldmLayersPerBlock(names, LocalAdapter)
	return func(n string) string {
		if strings.HasPrefix(n, GlobalAdapter) {
			return n
		}
		key, ok := strings.CutPrefix(n, LocalAdapter)
		if !ok || err != nil {
			return ""
		}
		if strings.HasPrefix(key, "feature_extractor.") {
			return n
		}
		name, ok := zeroConvName(key)
		if !ok {
			name = fdnNames.Replace(unetName(key, layers))
		}
		if name == "" {
			return ""
		}
		return LocalAdapter + name
	}
}

// cutNumber takes a prefix and the number after it off a name, as in "body.3.in_conv.bias".
func cutNumber(name, prefix string) (i int, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(name, prefix); !ok {
		return 0, "", false
	}
	digits, rest, ok := strings.Cut(rest, ".")
	i, err := strconv.Atoi(digits)
	return i, rest, ok && err == nil && i >= 0 && i < 1000
}

func isT2IAdapter(c *Checkpoint) bool {
	return c.has("adapter.body.0.resnets.0.block1.weight") || c.has("body.0.block1.weight") || c.has("body.0.body.0.block1.weight") ||
		c.has("body.0.resnets.0.block1.weight") || c.has(styleEmbedding)
}

// styleEmbedding is a tensor of the T2I style adapter, which has one layout.
const styleEmbedding = "style_embedding"

// IsStyleAdapter reports whether a T2I-Adapter is a style adapter, which reads a picture through an image encoder.
func IsStyleAdapter(c *Checkpoint) bool { return c.has(styleEmbedding) }

// t2iAdapterName gives the diffusers name of a T2I-Adapter's tensor. It follows diffusers'
// scripts/convert_original_t2i_adapter.py: the original full adapter lists the resnets of its
// four stages one after the other.
func t2iAdapterName(names []string) func(string) string {
	if slices.Contains(names, styleEmbedding) {
		return func(n string) string { return n }
	}
	resnets, light := 0, false
	for _, n := range names {
		if i, rest, ok := cutNumber(n, "body."); ok {
			resnets = max(resnets, i+1)
			light = light || strings.HasPrefix(rest, "body.")
		}
	}
	each := max(1, resnets/4)
	return func(n string) string {
		if strings.HasPrefix(n, "adapter.") {
			return n
		}
		i, rest, ok := cutNumber(n, "body.")
		switch {
		case !ok || strings.HasPrefix(rest, "resnets."):
			return "adapter." + n
		case light:
			if after, ok := strings.CutPrefix(rest, "body."); ok {
				rest = "resnets." + after
			}
			return fmt.Sprintf("adapter.body.%d.%s", i, rest)
		case strings.HasPrefix(rest, "in_conv."):
			return fmt.Sprintf("adapter.body.%d.%s", i/each, rest)
		}
		return fmt.Sprintf("adapter.body.%d.resnets.%d.%s", i/each, i%each, rest)
	}
}
