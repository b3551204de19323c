package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/loader/pickle"
)

// Kind is what a file or a folder of weights is, as the catalogue, the store's records and
// the page call it.
type Kind string

// The kinds. To add one: a constant and its name here, its tensors in Recognise, and, where
// it comes as a folder, its files in diffusers.go.
const (
	KindModel        Kind = "model" // a whole Stable Diffusion 1.5 model
	KindIPAdapter    Kind = "ip_adapter"
	KindImageEncoder Kind = "image_encoder"
	KindLoRA         Kind = "lora"
	KindControlNet   Kind = "controlnet"
	KindT2IAdapter   Kind = "t2i_adapter"
	// KindUniControlNet is Uni-ControlNet, of one adapter or both. Some files hold the whole model besides.
	KindUniControlNet Kind = "uni_controlnet"
	KindVAE           Kind = "vae" // alone: a model that is saved without one needs it, and any other may use it
	// KindTextualInversion is an embedding that stands for words in a prompt.
	KindTextualInversion Kind = "textual_inversion"
	// Networks that make maps from pictures.
	KindHED           Kind = "hed"
	KindLineart       Kind = "lineart"
	KindDepthAnything Kind = "depth_anything"
	// KindNetwork is one network of a model, of no use alone; the store has none.
	KindNetwork Kind = "network"
)

var kindNames = map[Kind]string{KindModel: "Model", KindIPAdapter: "Adapter", KindImageEncoder: "Image encoder", KindLoRA: "LoRA",
	KindControlNet: "ControlNet", KindT2IAdapter: "T2I-Adapter", KindUniControlNet: "Uni-ControlNet", KindVAE: "VAE", KindTextualInversion: "Embedding", KindNetwork: "Network",
	KindHED: "Edge detector (HED)", KindLineart: "Line art detector", KindDepthAnything: "Depth estimator (Depth Anything)"}

// Kinds are all kinds, sorted.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kindNames)) }

// storedKinds are the kinds of what the store may have, sorted.
func storedKinds() []Kind {
	return slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == KindNetwork })
}

// Name is the kind in words, for a title: "Image encoder".
func (k Kind) Name() string { return kindNames[k] }

// CheckFile returns nil for what may be a safetensors file or a pickle. Of any other file it says,
// from the name and the first bytes (16, or Sniffed to tell texts apart), what it is and what to do.
func CheckFile(name string, first []byte) error {
	// The first byte of a safetensors file is the lowest of its header's size, and may have any value.
	safetensors := len(first) > 8 && first[6] == 0 && first[7] == 0 && first[8] == '{'
	if !safetensors && strings.HasPrefix(string(first), "GGUF") {
		return fmt.Errorf("%s is a GGUF file, made for stable-diffusion.cpp. Imprompt does not read its packed numbers: get the model as .safetensors", name)
	}
	if pickle.Is(first) {
		return nil
	}
	if err := checkText(name, first); err != nil {
		return err
	}
	if lower := strings.ToLower(name); strings.HasSuffix(lower, ".gguf") || strings.HasSuffix(lower, ".onnx") {
		return fmt.Errorf("%s is not read: Imprompt reads .safetensors, and the files of torch (.ckpt, .pt, .pth, .bin). Get the model in one of these forms", name)
	}
	return checkPrintable(name, first)
}

// Recognise tells the kind of a checkpoint from its tensors' names and shapes. For a
// checkpoint that Imprompt cannot use it returns an error that names it and the remedy. The
// names are those by which diffusers tells models apart (infer_diffusers_model_type in
// loaders/single_file_utils.py).
func Recognise(c *Checkpoint) (Kind, error) {
	if adapter, ok, err := underAdapterNames(c); err != nil {
		return "", err
	} else if ok {
		c = adapter
	}
	kind, err := recognise(c)
	if err == nil {
		err = checkTypes(c)
	}
	return kind, err
}

func recognise(c *Checkpoint) (Kind, error) {
	names := c.Names()
	prefix := func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, p) })
	}
	contains := func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, p) })
	}
	lora, wrong := isLoRA(c)
	maker, makesMaps := mapNetworkOf(c)
	switch {
	case len(names) == 0:
		return "", errors.New("the file has no tensors")
	case lora:
		return KindLoRA, wrong
	case prefix(LocalAdapter) || prefix(GlobalAdapter):
		return KindUniControlNet, nil
	case isControlNet(names):
		for _, key := range []string{"control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"} {
			if _, shape, ok := c.Info(key); ok && len(shape) == 2 && shape[1] == 1024 {
				return "", errors.New("this is a ControlNet for Stable Diffusion 2: choose one whose name has sd15")
			}
		}
		if c.has("add_embedding.linear_1.weight") || c.has("control_model.label_emb.0.0.weight") {
			return "", errors.New("this is a ControlNet for Stable Diffusion XL: choose one whose name has sd15")
		}
		return KindControlNet, nil
	case isT2IAdapter(c):
		return KindT2IAdapter, nil
	case prefix("conditioner.embedders.") || c.has("add_embedding.linear_1.weight") || c.has(ldmUNet+"label_emb.0.0.weight"):
		return "", errors.New("this is a Stable Diffusion XL model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family")
	case prefix("model.diffusion_model.joint_blocks.") || prefix("joint_blocks."):
		return "", errors.New("this is a Stable Diffusion 3 model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family")
	case prefix("model.diffusion_model.double_blocks.") || prefix("double_blocks."):
		return "", errors.New("this is a Flux model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family")
	case contains("motion_modules."):
		return "", errors.New("this is an AnimateDiff motion module: choose a Stable Diffusion 1.5 model")
	case prefix("cond_stage_model.model."):
		return "", errors.New("this is a Stable Diffusion 2 model, whose text encoder is OpenCLIP's: choose a model of the 1.5 family")
	case prefix("image_proj.") && prefix("ip_adapter."):
		if _, shape, ok := c.Info("ip_adapter.1.to_k_ip.weight"); ok && len(shape) == 2 && shape[1] == 2048 {
			return "", errors.New("this is an IP-Adapter for Stable Diffusion XL: choose one whose name ends in sd15")
		}
		if contains("lora") || prefix("image_proj.proj.") && !prefix("image_proj.proj.weight") && !prefix("image_proj.norm.") && !prefix("image_proj.proj.3.") {
			return "", errors.New("this is an IP-Adapter of a kind that Imprompt does not read (FaceID): choose ip-adapter_sd15, _light, plus, plus-face or full-face")
		}
		return KindIPAdapter, nil
	case prefix("image_proj.norm.") || c.has("image_proj.latents"): // the paper's simple adapter is a projection alone
		return KindIPAdapter, nil
	case prefix(ldmUNet + "input_blocks."):
		for _, key := range []string{"input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight"} {
			if _, shape, ok := c.Info(ldmUNet + key); ok && len(shape) == 2 && shape[1] == 1024 {
				return "", errors.New("this is a Stable Diffusion 2 model, whose text encoder is OpenCLIP's: choose a model of the 1.5 family")
			}
		}
		return KindModel, nil
	case isVAE(c):
		return KindVAE, nil
	case makesMaps:
		return maker, nil
	case isTextualInversion(c):
		return KindTextualInversion, checkTextualInversion(c)
	case c.has(patchEmbedding):
		return KindImageEncoder, nil
	case prefix("visual.transformer.resblocks."):
		return "", errors.New("this is an image encoder in OpenCLIP's own layout: choose the one in transformers' layout, such as the model.safetensors in models/image_encoder of h94/IP-Adapter")
	case c.has("conv_in.weight") || prefix("vision_model.") || prefix("text_model."):
		return KindNetwork, nil
	}
	return "", fmt.Errorf("this file is neither a Stable Diffusion 1.5 model, nor an IP-Adapter, a LoRA, an embedding, a VAE, a ControlNet or a T2I-Adapter: its tensors have names like %q", names[0])
}

// isRead reports whether numbers of a type can become weights. F64 is not among them, for a checkpoint gives it as F32.
func isRead(dtype string) bool {
	return slices.Contains([]string{"F16", "F32", "BF16", "F8_E4M3", "F8_E5M2"}, dtype)
}

// checkTypes returns an error that names the types of numbers that Imprompt does not read,
// if the checkpoint's matrices have any.
func checkTypes(c *Checkpoint) error {
	counts := map[string]int{}
	for _, name := range c.Names() {
		if strings.HasSuffix(name, ".scale_weight") || name == "scaled_fp8" {
			return fmt.Errorf("its numbers are scaled 8-bit floats, whose scales (%s) Imprompt does not read: get the version of the file in F16", name)
		}
		dtype, shape, _ := c.Info(name)
		counter := dtype == "I64" || dtype == "I32" // or a position, which no network reads
		if len(shape) > 1 && !isRead(dtype) && !counter {
			counts[dtype]++
		}
	}
	if len(counts) == 0 {
		return nil
	}
	var types []string
	for _, dtype := range slices.Sorted(maps.Keys(counts)) {
		types = append(types, fmt.Sprintf("%s (%d tensors)", dtype, counts[dtype]))
	}
	return fmt.Errorf("its numbers are of a type that Imprompt does not read: %s. Get the version of the file in F16, BF16, F32 or plain 8-bit floats", strings.Join(types, ", "))
}

// CheckUNetConfig returns nil for a UNet's config.json that may belong to the family of
// Stable Diffusion 1.5, and otherwise an error that names the family it belongs to.
func CheckUNetConfig(config []byte) error {
	var c struct {
		CrossAttentionDim any `json:"cross_attention_dim"`
		AdditionEmbedType any `json:"addition_embed_type"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return fmt.Errorf("unet/config.json is damaged: %w", err)
	}
	switch {
	case c.AdditionEmbedType != nil || c.CrossAttentionDim == float64(2048):
		return errors.New("this is a Stable Diffusion XL model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family")
	case c.CrossAttentionDim == float64(1024):
		return errors.New("this is a Stable Diffusion 2 model, whose text encoder is OpenCLIP's: choose a model of the 1.5 family")
	}
	return nil
}
