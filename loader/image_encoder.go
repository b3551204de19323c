package loader

import (
	"context"
	"fmt"
	"os"
	"strings"
)

const patchEmbedding = "vision_model.embeddings.patch_embedding.weight"

// openCLIP makes a folder of an image encoder in one file, and of the text half of its CLIP where
// the file has it. Their configurations are inferred from the tensors' shapes, as a single-file
// model's are. clip is as in OpenSingleFile.
func openCLIP(whole *Checkpoint, clip Folder) (*Model, error) {
	c, err := visionTower(whole)
	if err != nil {
		return nil, err
	}
	config, err := visionConfig(c)
	if err != nil {
		return nil, err
	}
	m := &Model{kind: KindImageEncoder, files: map[string][]byte{Config(Here): config}, networks: map[string]*Checkpoint{Here: c}, clip: clip}
	text, err := textTower(whole)
	if err != nil {
		return nil, err
	}
	// A text half that is not whole is not used, for the image encoder works without it.
	if config, err := textConfig(text, activationOf(c)); err == nil && text.has(textProjection) {
		m.files[Config(TextEncoder)] = config
		m.files[tokenizerConfig] = []byte(clipTokenizer)
		m.networks[TextEncoder] = text
	}
	return m, nil
}

const textProjection = "text_projection.weight"

// textTower is the text half of a whole CLIPModel.
func textTower(c *Checkpoint) (*Checkpoint, error) {
	return underNames(c, func(name string) string {
		if strings.HasPrefix(name, "text_model.") || name == textProjection {
			return name
		}
		return ""
	})
}

// TextHalf finds the text half of the CLIP that an image encoder is the other half of, and where its
// tokenizer is. at is the encoder's path in its folder: Here, or ImageEncoder in a model's folder. The
// error is os.ErrNotExist where there is none, or only a text encoder without a projection into the space
// that the two halves share, as Stable Diffusion's.
func TextHalf(ctx context.Context, folder Folder, at string) (c *Checkpoint, config []byte, tokenizer string, err error) {
	m, text, tokenizer := OpenFolder(folder), TextEncoder, Tokenizer
	if m.folder != nil && at == Here { // of a whole CLIPModel
		text, tokenizer = Here, Here
	}
	if config, err = ReadFile(ctx, m, Config(text)); err != nil {
		return nil, nil, "", err
	}
	if c, err = m.Network(ctx, text); err != nil {
		return nil, nil, "", err
	}
	if !c.has(textProjection) {
		return nil, nil, "", fmt.Errorf("%s: %w", textProjection, os.ErrNotExist)
	}
	return c, config, tokenizer, nil
}

// visionTower leaves the text half of a whole CLIPModel out, as laion publishes ViT-H.
func visionTower(c *Checkpoint) (*Checkpoint, error) {
	return underNames(c, func(name string) string {
		if strings.HasPrefix(name, "text_model.") || strings.HasPrefix(name, "text_projection.") || name == "logit_scale" {
			return ""
		}
		return name
	})
}

// EncoderWidth is the width of an image encoder's hidden states; 0 for anything else.
func EncoderWidth(c *Checkpoint) int {
	if _, shape, ok := c.Info(patchEmbedding); ok && len(shape) > 0 {
		return shape[0]
	}
	return 0
}

// activationOf is the activation of the published CLIP models with an image encoder of this width.
func activationOf(c *Checkpoint) string {
	if EncoderWidth(c) > 1024 {
		return "gelu"
	}
	return "quick_gelu"
}

// visionConfig infers a CLIP image encoder's config.json from its weights. Neither the
// number of heads nor the activation shows in the shapes: both are those of the published
// CLIP models of that width.
func visionConfig(c *Checkpoint) ([]byte, error) {
	patches, err := shapeOf(c, patchEmbedding, 4)
	if err != nil {
		return nil, err
	}
	positions, err := shapeOf(c, "vision_model.embeddings.position_embedding.weight", 2)
	if err != nil {
		return nil, err
	}
	fc1, err := shapeOf(c, "vision_model.encoder.layers.0.mlp.fc1.weight", 2)
	if err != nil {
		return nil, err
	}
	projection, err := shapeOf(c, "visual_projection.weight", 2)
	if err != nil {
		return nil, fmt.Errorf("%w: an image encoder with its projection (CLIPVisionModelWithProjection) is needed", err)
	}
	hidden, patch := patches[0], patches[2]
	side := 1
	for side*side < positions[0]-1 {
		side++
	}
	if side*side != positions[0]-1 {
		return nil, fmt.Errorf("the image encoder has %d positions, which are no square of patches and one more", positions[0])
	}
	layers := 0
	for {
		if !c.has(fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm1.weight", layers)) {
			break
		}
		layers++
	}
	// ViT-B and ViT-L have heads of 64 channels; laion's ViT-H, ViT-g and ViT-bigG 16 heads.
	heads := max(1, hidden/64)
	if hidden > 1024 {
		heads = 16
	}
	return object{
		"architectures": []string{"CLIPVisionModelWithProjection"}, "model_type": "clip_vision_model", "hidden_act": activationOf(c), "hidden_size": hidden,
		"image_size": side * patch, "intermediate_size": fc1[0], "layer_norm_eps": 1e-5, "num_attention_heads": heads, "num_channels": patches[1],
		"num_hidden_layers": layers, "patch_size": patch, "projection_dim": projection[0],
	}.bytes(), nil
}
