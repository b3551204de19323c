package loader

import (
	"encoding/json"
	"errors"
	"fmt"
)

// object is a configuration that is to become JSON.
type object map[string]any

func (o object) bytes() []byte {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		panic(err) // numbers, strings and lists only
	}
	return b
}

// shapeOf is the shape of a tensor that must have a number of axes.
func shapeOf(w *Checkpoint, name string, axes int) ([]int, error) {
	_, shape, ok := w.Info(name)
	if !ok {
		return nil, fmt.Errorf("the file lacks %s: it is incomplete, or not a Stable Diffusion 1.5 model", name)
	}
	if len(shape) != axes {
		return nil, fmt.Errorf("%s has the shape %v and should have %d axes", name, shape, axes)
	}
	return shape, nil
}

// unetConfig infers a UNet's config.json from its weights. What the weights do not tell is
// taken from Stable Diffusion 1.5: 8 heads, 32 groups.
func unetConfig(w *Checkpoint) ([]byte, error) {
	in, err := shapeOf(w, "conv_in.weight", 4)
	if err != nil {
		return nil, err
	}
	out, err := shapeOf(w, "conv_out.weight", 4)
	if err != nil {
		return nil, err
	}
	has := func(format string, a ...any) bool { _, _, ok := w.Info(fmt.Sprintf(format, a...)); return ok }
	var channels, down, up []any
	layers, cross := 0, 0
	linear := false
	for level := 0; has("down_blocks.%d.resnets.0.conv1.weight", level); level++ {
		s, err := shapeOf(w, fmt.Sprintf("down_blocks.%d.resnets.0.conv1.weight", level), 4)
		if err != nil {
			return nil, err
		}
		channels = append(channels, s[0])
		attention := fmt.Sprintf("down_blocks.%d.attentions.0.", level)
		if has("%snorm.weight", attention) {
			down, up = append(down, "CrossAttnDownBlock2D"), append([]any{"CrossAttnUpBlock2D"}, up...)
			k, err := shapeOf(w, attention+"transformer_blocks.0.attn2.to_k.weight", 2)
			if err != nil {
				return nil, err
			}
			cross = k[1]
			_, p, _ := w.Info(attention + "proj_in.weight")
			linear = len(p) == 2
		} else {
			down, up = append(down, "DownBlock2D"), append([]any{"UpBlock2D"}, up...)
		}
	}
	for has("down_blocks.0.resnets.%d.conv1.weight", layers) {
		layers++
	}
	if len(channels) == 0 || cross == 0 {
		return nil, errors.New("the file's UNet has no blocks with cross-attention: it is not a Stable Diffusion 1.5 model")
	}
	return object{
		"_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": channels,
		"center_input_sample": false, "cross_attention_dim": cross, "down_block_types": down, "up_block_types": up,
		"downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": in[1], "out_channels": out[0],
		"layers_per_block": layers, "mid_block_scale_factor": 1, "norm_eps": 1e-5, "norm_num_groups": 32, "sample_size": 64,
		"use_linear_projection": linear,
	}.bytes(), nil
}

// vaeConfig infers an autoencoder's config.json from its weights.
func vaeConfig(w *Checkpoint) ([]byte, error) {
	in, err := shapeOf(w, "encoder.conv_in.weight", 4)
	if err != nil {
		return nil, err
	}
	latents, err := shapeOf(w, "post_quant_conv.weight", 4)
	if err != nil {
		return nil, err
	}
	var channels, down, up []any
	layers := 0
	for {
		name := fmt.Sprintf("encoder.down_blocks.%d.resnets.0.conv1.weight", len(channels))
		if !w.has(name) {
			break
		}
		s, err := shapeOf(w, name, 4)
		if err != nil {
			return nil, err
		}
		channels, down, up = append(channels, s[0]), append(down, "DownEncoderBlock2D"), append(up, "UpDecoderBlock2D")
	}
	for {
		if !w.has(fmt.Sprintf("encoder.down_blocks.0.resnets.%d.conv1.weight", layers)) {
			break
		}
		layers++
	}
	return object{
		"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": channels, "down_block_types": down, "up_block_types": up,
		"in_channels": in[1], "out_channels": in[1], "latent_channels": latents[0], "layers_per_block": layers, "norm_num_groups": 32,
		"sample_size": 512, "scaling_factor": 0.18215,
	}.bytes(), nil
}

// textConfig infers a CLIP text encoder's config.json from its weights. CLIP's heads
// have 64 channels. The activation does not show in the shapes.
func textConfig(w *Checkpoint, activation string) ([]byte, error) {
	const embeddings = "text_model.embeddings."
	tokens, err := shapeOf(w, embeddings+"token_embedding.weight", 2)
	if err != nil {
		return nil, err
	}
	positions, err := shapeOf(w, embeddings+"position_embedding.weight", 2)
	if err != nil {
		return nil, err
	}
	fc1, err := shapeOf(w, "text_model.encoder.layers.0.mlp.fc1.weight", 2)
	if err != nil {
		return nil, err
	}
	layers := 0
	for {
		if !w.has(fmt.Sprintf("text_model.encoder.layers.%d.layer_norm1.weight", layers)) {
			break
		}
		layers++
	}
	return object{
		"architectures": []string{"CLIPTextModel"}, "model_type": "clip_text_model", "hidden_act": activation, "hidden_size": tokens[1],
		"intermediate_size": fc1[0], "layer_norm_eps": 1e-5, "max_position_embeddings": positions[0],
		"num_attention_heads": max(1, tokens[1]/64), "num_hidden_layers": layers, "vocab_size": tokens[0],
		"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "projection_dim": tokens[1],
	}.bytes(), nil
}

// schedulerConfig is the configuration of Stable Diffusion 1.5's scheduler. A file whose
// model was trained to predict the velocity contains a tensor v_pred.
func schedulerConfig(c *Checkpoint) []byte {
	prediction := "epsilon"
	if c.has("v_pred") {
		prediction = "v_prediction"
	}
	return object{
		"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
		"clip_sample": false, "num_train_timesteps": 1000, "prediction_type": prediction, "set_alpha_to_one": false,
		"skip_prk_steps": true, "steps_offset": 1, "trained_betas": nil,
	}.bytes()
}
