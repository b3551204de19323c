package loader

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The tensors that a layer of a LoRA may have: the ends of their names, and one name for those
// of one meaning.
var loraParts = []struct{ suffix, part string }{
	// kohya's, and LyCORIS's LoCon
	{".lora_down.weight", "down"}, {".lora_up.weight", "up"}, {".lora_mid.weight", "mid"}, {".lora_up.bias", "up_bias"},
	// PEFT's, and what diffusers makes of them
	{".lora_A.weight", "down"}, {".lora_B.weight", "up"}, {".lora_B.bias", "up_bias"},
	{".lora_A.default.weight", "down"}, {".lora_B.default.weight", "up"}, {".lora_B.default.bias", "up_bias"},
	// diffusers' own, before it used PEFT: of layers, of the text encoder, of attention processors
	{".lora.down.weight", "down"}, {".lora.up.weight", "up"},
	{".lora_linear_layer.down.weight", "down"}, {".lora_linear_layer.up.weight", "up"},
	{"_lora.down.weight", "down"}, {"_lora.up.weight", "up"},
	// LyCORIS's LoHa and LoKr
	{".hada_w1_a", "w1_a"}, {".hada_w1_b", "w1_b"}, {".hada_w2_a", "w2_a"}, {".hada_w2_b", "w2_b"}, {".hada_t1", "t1"}, {".hada_t2", "t2"},
	{".lokr_w1", "k1"}, {".lokr_w1_a", "k1_a"}, {".lokr_w1_b", "k1_b"},
	{".lokr_w2", "k2"}, {".lokr_w2_a", "k2_a"}, {".lokr_w2_b", "k2_b"}, {".lokr_t2", "k2_t"},
	// whole differences of weights, biases and norms
	{".diff", "diff"}, {".w_norm", "diff"}, {".diff_b", "diff_b"}, {".b_norm", "diff_b"},
	{".alpha", "alpha"},
	// DoRA's magnitudes, LyCORIS's and PEFT's
	{".dora_scale", "magnitude"},
	{".lora_magnitude_vector", "peft_magnitude"}, {".lora_magnitude_vector.weight", "peft_magnitude"}, {".lora_magnitude_vector.default.weight", "peft_magnitude"},
}

// splitLoRA divides the name of a LoRA's tensor into the layer's name and the part.
func splitLoRA(name string) (module, part string, ok bool) {
	for _, p := range loraParts {
		if rest, is := strings.CutSuffix(name, p.suffix); is && rest != "" {
			return strings.Replace(rest, ".processor.", ".", 1), p.part, true
		}
	}
	return "", "", false
}

// otherModel stands for the networks that Stable Diffusion 1.5 does not have.
const otherModel = "another model's network"

// loraPrefixes are the beginnings of the names of layers, with underscores in place of dots, and
// the networks that they stand for. "" stands for none, so that the rest of the name tells it.
var loraPrefixes = []struct{ prefix, network string }{
	{"base_model_model_", ""}, {"lycoris_", ""}, {"lora_unet_", UNet}, {"unet_", UNet}, {"model_diffusion_model_", UNet}, {"diffusion_model_", UNet},
	{"lora_te_", TextEncoder}, {"lora_te1_", TextEncoder}, {"lora_te2_", otherModel}, {"lora_te3_", otherModel},
	{"text_encoder_2_", otherModel}, {"text_encoder_3_", otherModel}, {"text_encoder_", TextEncoder},
	{"lora_transformer_", otherModel}, {"transformer_", otherModel}, {"lora_prior_", otherModel},
}

// layerNames are the layers of a network, by their names with underscores in place of dots,
// which kohya's files use. The names of Stable Diffusion's layers stay different from each other.
type layerNames struct {
	byFlat   map[string]string
	perBlock int // resnets in a block of the UNet
}

func newLayerNames(tensors map[string][]int) layerNames {
	n := layerNames{byFlat: map[string]string{}}
	for name := range tensors {
		if layer, ok := strings.CutSuffix(name, ".weight"); ok {
			n.byFlat[flatten(layer)] = layer
		}
	}
	for n.byFlat[fmt.Sprintf("down_blocks_0_resnets_%d_conv1", n.perBlock)] != "" {
		n.perBlock++
	}
	return n
}

func flatten(name string) string { return strings.ReplaceAll(name, ".", "_") }

// findLayer finds the layer that a LoRA's module is for, or returns "".
func findLayer(module string, layers map[string]layerNames) (network, layer string) {
	flat := flatten(module)
	for _, p := range loraPrefixes {
		if rest, ok := strings.CutPrefix(flat, p.prefix); ok {
			flat = rest
			if network = p.network; network != "" {
				break
			}
		}
	}
	for _, candidate := range []string{UNet, TextEncoder} {
		if network == candidate || network == "" {
			if layer := layers[candidate].find(flat); layer != "" {
				return candidate, layer
			}
		}
	}
	return network, ""
}

// attentionNames are the names of layers in diffusers' attention processors, and in the text
// encoder, which diffusers once gave the same names.
var attentionNames = strings.NewReplacer("_to_q", "_q_proj", "_to_k", "_k_proj", "_to_v", "_v_proj", "_to_out", "_out_proj")

func (n layerNames) find(flat string) string {
	for _, name := range []string{flat, flat + "_0", "text_model_" + flat, attentionNames.Replace(flat), flatten(n.fromLDM(flat))} {
		if layer, ok := n.byFlat[name]; ok {
			return layer
		}
	}
	return ""
}

var ldmFlat = regexp.MustCompile(`^(?:(input_blocks|output_blocks)_(\d+)_(\d+)|(middle_block)_(\d+))_(.+)$`)

// ldmFlatNames puts the dots back into the names of layers of a block in the original layout,
// which unetName replaces.
var ldmFlatNames = strings.NewReplacer("in_layers_", "in_layers.", "out_layers_", "out_layers.", "emb_layers_", "emb_layers.", "time_embed_", "time_embed.")

// fromLDM is diffusers' name of a layer that goes by its name in the original layout.
func (n layerNames) fromLDM(flat string) string {
	name := ldmFlatNames.Replace(flat)
	if m := ldmFlat.FindStringSubmatch(flat); m != nil {
		place := m[1] + "." + m[2] + "." + m[3]
		if m[4] != "" {
			place = m[4] + "." + m[5]
		}
		name = place + "." + ldmFlatNames.Replace(m[6])
	}
	switch name {
	case "input_blocks_0_0":
		name = "input_blocks.0.0"
	case "out_0", "out_2":
		name = strings.Replace(name, "_", ".", 1)
	}
	return strings.TrimSuffix(unetName(name+".weight", max(1, n.perBlock)), ".weight")
}

// HoldsLoRA reports whether tensors are those of a LoRA.
func HoldsLoRA(tensors []Tensor) bool {
	return slices.ContainsFunc(tensors, func(t Tensor) bool {
		_, part, ok := splitLoRA(t.Name)
		return ok && part != "alpha"
	})
}

// isLoRA reports whether a checkpoint is a LoRA, and returns an error for one of another model
// than Stable Diffusion 1.5.
func isLoRA(c *Checkpoint) (bool, error) {
	found := false
	for _, name := range c.Names() {
		module, part, ok := splitLoRA(name)
		if strings.HasPrefix(name, "image_proj.") {
			return false, nil // an adapter whose training trained a LoRA, too
		}
		if !ok || part == "alpha" {
			continue
		}
		found = true
		flat := flatten(module)
		for _, p := range loraPrefixes {
			if strings.HasPrefix(flat, p.prefix) && p.network == otherModel {
				return true, fmt.Errorf("this is a LoRA for a larger model (Stable Diffusion XL, 3 or Flux), as its tensor %q shows: choose a LoRA for Stable Diffusion 1.5", name)
			}
		}
		if strings.HasSuffix(flat, "attn2_to_k") && part == "down" {
			switch _, shape, _ := c.Info(name); shape[len(shape)-1] {
			case 2048:
				return true, errors.New("this is a LoRA for Stable Diffusion XL: choose one for Stable Diffusion 1.5")
			case 1024:
				return true, errors.New("this is a LoRA for Stable Diffusion 2: choose one for Stable Diffusion 1.5")
			}
		}
	}
	return found, nil
}
