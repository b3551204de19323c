package loader

import "path"

// The networks of a model in diffusers' layout, by the folders that they are in.
const (
	UNet         = "unet"
	VAE          = "vae"
	TextEncoder  = "text_encoder"
	ImageEncoder = "image_encoder"
	// ControlNet is the folder of the ControlNet of a model that comes with one.
	ControlNet = "controlnet"
	// Here is the place of a network that has a folder to itself, as image encoders do.
	Here = "."
)

// The files of a model in diffusers' layout that Imprompt reads, apart from weights and
// the networks' configurations.
const (
	SchedulerConfig = "scheduler/scheduler_config.json"
	Tokenizer       = "tokenizer" // a folder; package tokenizer knows its files
	vocabulary      = Tokenizer + "/vocab.json"
	merges          = Tokenizer + "/merges.txt"
	tokenizerJSON   = Tokenizer + "/tokenizer.json"        // instead of the two, in folders that transformers 5 saved
	tokenizerConfig = Tokenizer + "/tokenizer_config.json" // optional
	addedTokens     = Tokenizer + "/added_tokens.json"     // optional, in older folders
	specialTokens   = Tokenizer + "/special_tokens_map.json"
	modelIndex      = "model_index.json"  // optional
	processorFolder = "feature_extractor" // optional
	processorConfig = "preprocessor_config.json"
)

// Config is the path of a network's configuration.
func Config(network string) string { return path.Join(network, "config.json") }

// ProcessorConfigs are the paths where the configuration of an image encoder's processor
// may be: beside the encoder, or in a folder of the model. It may be missing.
func ProcessorConfigs(encoder string) []string {
	return []string{path.Join(encoder, processorConfig), path.Join(processorFolder, processorConfig)}
}

// Networks are the networks that a folder of a kind must have.
func (k Kind) Networks() []string {
	if k == KindModel {
		return []string{UNet, VAE, TextEncoder}
	}
	return []string{Here}
}

// FolderFiles are the files of a folder of a kind, apart from the weights (see WeightNames):
// of each list in must, one of the groups of files has to be there, the first one where
// there are several; the files in may are taken where they are.
func (k Kind) FolderFiles() (must [][][]string, may []string) {
	for _, network := range k.Networks() {
		must = append(must, [][]string{{Config(network)}})
	}
	if k == KindModel {
		must = append(must, [][]string{{SchedulerConfig}}, [][]string{{vocabulary, merges}, {tokenizerJSON}})
		return must, []string{modelIndex, tokenizerConfig, addedTokens, specialTokens, path.Join(processorFolder, processorConfig)}
	}
	return must, []string{processorConfig}
}

// WeightNames are the paths that a network's weights may have: first single files, the
// preferred one first, then lists of shards.
func WeightNames(network string) (files, lists []string) {
	// transformers' names: those of safetensors files, and those of pickles.
	stems, pickles := []string{"model"}, []string{"pytorch_model"}
	const diffusers = "diffusion_pytorch_model"
	switch network {
	case UNet, VAE, ControlNet:
		stems, pickles = []string{diffusers}, []string{diffusers}
	case Here: // an image encoder's, or a ControlNet's
		stems, pickles = append(stems, diffusers), append(pickles, diffusers)
	}
	for _, stem := range stems {
		// transformers and diffusers name the list of the fp16 variant differently.
		files = append(files, stem+".fp16.safetensors", stem+".safetensors")
		lists = append(lists, stem+".safetensors.index.fp16.json", stem+".fp16.safetensors.index.json", stem+".safetensors.index.json")
	}
	for _, stem := range pickles {
		files = append(files, stem+".fp16.bin", stem+".bin")
		lists = append(lists, stem+".bin.index.fp16.json", stem+".fp16.bin.index.json", stem+".bin.index.json")
	}
	for _, names := range [][]string{files, lists} {
		for i, name := range names {
			names[i] = path.Join(network, name)
		}
	}
	return files, lists
}
