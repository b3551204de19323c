package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
)

// limits are the largest values that a network's configuration may have: several times
// those of any model of this family, and far from what would use up the memory before a
// tensor is looked for.
var limits = map[string]float64{
	"crop_size": 4096, "height": 4096, "longest_edge": 4096, "shortest_edge": 4096, "size": 4096, "width": 4096, // of preprocessor_config.json
	"attention_head_dim": 4096, "block_out_channels": 16384, "cross_attention_dim": 16384, "hidden_size": 16384, "image_size": 4096,
	"in_channels": 1024, "intermediate_size": 131072, "latent_channels": 256, "layers_per_block": 32, "max_position_embeddings": 8192,
	"norm_num_groups": 1024, "num_attention_heads": 512, "num_channels": 16, "num_hidden_layers": 200, "num_train_timesteps": 100_000,
	"out_channels": 1024, "patch_size": 512, "projection_dim": 16384, "sample_size": 4096, "transformer_layers_per_block": 64, "vocab_size": 1 << 20,
}

// mostBlocks is how many blocks a network may have, by any of its lists.
const mostBlocks = 16

// checkLimits refuses a configuration with numbers beyond any model's, or none where some
// are needed.
func checkLimits(name string, config map[string]any) error {
	keys := make([]string, 0, len(config))
	for key := range config {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		most, limited := limits[key]
		if inner, ok := config[key].(map[string]any); ok { // vision_config, text_config
			if err := checkLimits(name, inner); err != nil {
				return err
			}
		}
		values, isList := config[key].([]any)
		if blocks := key == "down_block_types" || key == "up_block_types"; isList && (limited || blocks) && len(values) > mostBlocks {
			return fmt.Errorf("%s: %s lists %d blocks, more than any model's: the file is damaged, or no model of this family", name, key, len(values))
		}
		if !limited {
			continue
		}
		if !isList {
			values = []any{config[key]}
		}
		for _, v := range values {
			if n, ok := v.(float64); ok && (n < 1 || n > most) {
				return fmt.Errorf("%s: %s is %v, and should be from 1 to %v: the file is damaged, or no model of this family", name, key, n, most)
			}
		}
	}
	return nil
}

// checkConfig is checkLimits for a configuration's text. What is no object is for its
// reader to judge.
func checkConfig(name string, text []byte) error {
	var config map[string]any
	if len(text) > 1<<20 {
		return fmt.Errorf("%s has %s, too much for a configuration", name, FormatBytes(int64(len(text))))
	}
	if json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &config) != nil {
		return nil
	}
	return checkLimits(name, config)
}
