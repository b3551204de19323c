package loader

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Prefixes of the networks in a checkpoint in the original (latent-diffusion) layout.
const (
	ldmUNet = "model.diffusion_model."
	ldmText = "cond_stage_model.transformer."
)

// ldmVAE are the prefixes that are in use for the autoencoder.
var ldmVAE = []string{"first_stage_model.", "vae."}

// ldmUNetNames are the names of the UNet's layers outside its blocks.
var ldmUNetNames = map[string]string{
	"time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
	"input_blocks.0.0": "conv_in", "out.0": "conv_norm_out", "out.2": "conv_out",
}

var ldmResnet = strings.NewReplacer("in_layers.0.", "norm1.", "in_layers.2.", "conv1.", "out_layers.0.", "norm2.",
	"out_layers.3.", "conv2.", "emb_layers.1.", "time_emb_proj.", "skip_connection.", "conv_shortcut.")

// ldmLayersPerBlock tells from the names, below a prefix, how many resnets a level has:
// input_blocks.0 is conv_in, and each level except the last ends in a downsampler, "op".
func ldmLayersPerBlock(names []string, prefix string) (int, error) {
	first, last := -1, 0
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, prefix+"input_blocks.")
		if !ok {
			continue
		}
		number, rest, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(number)
		if err != nil || i > 1000 {
			return 0, fmt.Errorf("the tensor %q does not belong to Stable Diffusion 1.5", name)
		}
		last = max(last, i)
		if strings.HasPrefix(rest, "0.op.") && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		first = last + 1
	}
	if first < 2 {
		return 0, fmt.Errorf("the file has no blocks under %sinput_blocks", prefix)
	}
	return first - 1, nil
}

// unetName is the diffusers name of a UNet's tensor whose prefix was removed, or "" for a
// tensor that is not part of the network. It follows diffusers' convert_ldm_unet_checkpoint
// (loaders/single_file_utils.py).
func unetName(key string, layersPerBlock int) string {
	at := strings.LastIndexByte(key, '.')
	if at < 0 {
		return ""
	}
	if name, ok := ldmUNetNames[key[:at]]; ok {
		return name + key[at:]
	}
	part := strings.SplitN(key, ".", 4)
	if len(part) < 3 {
		return ""
	}
	i, err := strconv.Atoi(part[1])
	if err != nil || i < 0 {
		return ""
	}
	rest := strings.Join(part[2:], ".")
	switch part[0] {
	case "middle_block":
		switch i {
		case 0, 2:
			return fmt.Sprintf("mid_block.resnets.%d.%s", i/2, ldmResnet.Replace(rest))
		case 1:
			return "mid_block.attentions.0." + rest
		}
	case "input_blocks":
		if i == 0 || len(part) < 4 {
			return ""
		}
		level, layer := (i-1)/(layersPerBlock+1), (i-1)%(layersPerBlock+1)
		switch {
		case strings.HasPrefix(rest, "0.op."):
			return fmt.Sprintf("down_blocks.%d.downsamplers.0.conv.%s", level, rest[len("0.op."):])
		case part[2] == "0":
			return fmt.Sprintf("down_blocks.%d.resnets.%d.%s", level, layer, ldmResnet.Replace(part[3]))
		case part[2] == "1":
			return fmt.Sprintf("down_blocks.%d.attentions.%d.%s", level, layer, part[3])
		}
	case "output_blocks":
		if len(part) < 4 {
			return ""
		}
		level, layer := i/(layersPerBlock+1), i%(layersPerBlock+1)
		switch {
		// The upsampler is the last layer of its block: the third where there is
		// an attention, the second where there is none.
		case part[2] != "0" && strings.HasPrefix(part[3], "conv."):
			return fmt.Sprintf("up_blocks.%d.upsamplers.0.%s", level, part[3])
		case part[2] == "0":
			return fmt.Sprintf("up_blocks.%d.resnets.%d.%s", level, layer, ldmResnet.Replace(part[3]))
		case part[2] == "1":
			return fmt.Sprintf("up_blocks.%d.attentions.%d.%s", level, layer, part[3])
		}
	}
	return ""
}

// ldmAttention and oldAttention turn the names of the VAE's attention into diffusers'. The
// published files have the first names; files that diffusers 0.1x converted back have the
// second.
var ldmAttention = strings.NewReplacer("norm.", "group_norm.", "proj_out.", "to_out.0.", "q.", "to_q.", "k.", "to_k.", "v.", "to_v.")
var oldAttention = strings.NewReplacer("group_norm.", "group_norm.", "query.", "to_q.", "key.", "to_k.", "value.", "to_v.", "proj_attn.", "to_out.0.",
	"to_q.", "to_q.", "to_k.", "to_k.", "to_v.", "to_v.", "to_out.0.", "to_out.0.")

// vaeName is the diffusers name of an autoencoder's tensor whose prefix was removed, and
// whether the tensor is a matrix that is stored as a 1×1 convolution. levels is the
// decoder's number of levels, which the original layout counts from the other end. It
// follows diffusers' convert_ldm_vae_checkpoint (loaders/single_file_utils.py).
func vaeName(key string, levels int) (name string, matrix bool) {
	switch {
	case strings.HasPrefix(key, "quant_conv."), strings.HasPrefix(key, "post_quant_conv."):
		return key, false
	}
	side, rest, _ := strings.Cut(key, ".")
	if side != "encoder" && side != "decoder" {
		return "", false
	}
	part := strings.SplitN(rest, ".", 5)
	switch part[0] {
	case "conv_in", "conv_out":
		return key, false
	case "norm_out":
		return side + ".conv_" + rest, false
	case "mid":
		if len(part) < 4 {
			return "", false
		}
		tail := strings.Join(part[2:], ".")
		switch part[1] {
		case "block_1", "block_2":
			n := int(part[1][len("block_")]-'0') - 1
			return fmt.Sprintf("%s.mid_block.resnets.%d.%s", side, n, strings.Replace(tail, "nin_shortcut", "conv_shortcut", 1)), false
		case "attn_1":
			names := ldmAttention
			for _, old := range []string{"query.", "key.", "value.", "proj_attn.", "group_norm.", "to_"} {
				if strings.HasPrefix(tail, old) {
					names = oldAttention
				}
			}
			return side + ".mid_block.attentions.0." + names.Replace(tail), true
		}
	case "down", "up":
		if len(part) < 4 {
			return "", false
		}
		n, err := strconv.Atoi(part[1])
		if err != nil || n < 0 || n >= levels {
			return "", false
		}
		if part[0] == "up" {
			n = levels - 1 - n
		}
		tail := strings.Join(part[3:], ".")
		switch part[2] {
		case "block":
			return fmt.Sprintf("%s.%s_blocks.%d.resnets.%s", side, part[0], n, strings.Replace(tail, "nin_shortcut", "conv_shortcut", 1)), false
		case "downsample", "upsample":
			return fmt.Sprintf("%s.%s_blocks.%d.%srs.0.%s", side, part[0], n, part[2], tail), false
		}
	}
	return "", false
}

// textName is the transformers name of a text encoder's tensor whose prefix was removed, or
// "" for position_ids, a constant that some files contain. Some community files lack
// "text_model.".
func textName(key string) string {
	if strings.HasSuffix(key, "position_ids") {
		return ""
	}
	if !strings.HasPrefix(key, "text_model.") && !strings.HasPrefix(key, "text_projection.") {
		return "text_model." + key
	}
	return key
}

// ldmNetworks divides a checkpoint in the original layout into its networks. A network
// that the file lacks is nil.
func ldmNetworks(c *Checkpoint) (unet, vae, text *Checkpoint, err error) {
	names := c.Names()
	layers, err := ldmLayersPerBlock(names, ldmUNet)
	if err != nil {
		return nil, nil, nil, err
	}
	prefix, levels := "", 0
	for _, p := range ldmVAE {
		if c.has(p + "decoder.conv_in.weight") {
			prefix = p
		}
	}
	if prefix != "" {
		levels = ldmLevels(c, prefix)
	}
	unet, vae, text = renamed(), renamed(), renamed()
	for _, key := range names {
		var to *Checkpoint
		var name string
		var matrix bool
		if k, ok := strings.CutPrefix(key, ldmUNet); ok {
			to, name = unet, unetName(k, layers)
		} else if k, ok := strings.CutPrefix(key, ldmText); ok {
			to, name = text, textName(k)
		} else if k, ok := strings.CutPrefix(key, prefix); ok && prefix != "" {
			to = vae
			name, matrix = vaeName(k, levels)
		}
		// What remains (EMA, the noise schedule, a training run's loss) belongs to no
		// network. A tensor that a network lacks is reported when the network is loaded.
		if to == nil || name == "" {
			continue
		}
		if err := to.add(name, c, key, matrix); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, n := range []**Checkpoint{&unet, &vae, &text} {
		if len((*n).names) == 0 {
			*n = nil
		} else {
			sort.Strings((*n).names)
		}
	}
	return unet, vae, text, nil
}
