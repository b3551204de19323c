package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"
)

// Model is a Stable Diffusion 1.5 model in either of the layouts in which models are
// published. As a Folder it opens the configurations; Network opens the weights, under
// diffusers' names.
type Model struct {
	kind     Kind                   // of a single file
	folder   Folder                 // nil for a single file
	files    map[string][]byte      // of a single file: its configurations, by their paths in diffusers' layout
	networks map[string]*Checkpoint // of a single file
	clip     Folder                 // has CLIP's merges.txt, for a single file
}

// OpenFolder opens a model in diffusers' layout. A Model that was made from a single file
// is returned as it is.
func OpenFolder(f Folder) *Model {
	if m, ok := f.(*Model); ok {
		return m
	}
	return &Model{folder: f}
}

// OpenSingleFile opens a model in the original (latent-diffusion) layout: one file with all
// networks. Such a file has no tokenizer, so clip is a folder with CLIP's merges.txt (web/clip).
// It may be nil where no tokenizer is read. For any other file the error says what it is and what
// to do.
func OpenSingleFile(ctx context.Context, s Source, clip Folder) (*Model, error) {
	c, err := OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	kind, err := Recognise(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	switch kind {
	case KindIPAdapter:
		return nil, fmt.Errorf("%s is an IP-Adapter: choose it as the image prompt's adapter, and a Stable Diffusion 1.5 model as the model", s.Name())
	case KindLoRA:
		return nil, fmt.Errorf("%s is a LoRA, a change to a model and not a model: choose it as a LoRA, and a Stable Diffusion 1.5 model as the model", s.Name())
	case KindTextualInversion:
		return nil, fmt.Errorf("%s is an embedding for the words of a prompt, and not a model: choose it as a textual inversion, and a Stable Diffusion 1.5 model as the model", s.Name())
	case KindImageEncoder:
		return openCLIP(c, clip)
	case KindVAE:
		m, err := openVAE(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name(), err)
		}
		return m, nil
	case KindControlNet, KindT2IAdapter, KindUniControlNet:
		return openStructureFile(c, kind), nil
	case KindHED, KindLineart, KindDepthAnything:
		return nil, fmt.Errorf("%s makes maps from pictures: choose it for its preprocessor (with --preprocessor-weights on the command line), and a Stable Diffusion 1.5 model as the model", s.Name())
	case KindNetwork:
		return nil, fmt.Errorf("%s is one network of a model: choose the folder that has it, with model_index.json", s.Name())
	}
	m, err := openLDM(c)
	if m != nil {
		m.clip = clip
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return m, nil
}

// OpenFileOfWeights opens a safetensors file or a pickle. For another file the error says what it is.
func OpenFileOfWeights(ctx context.Context, s Source) (*Checkpoint, error) {
	return OpenCheckpoint(ctx, s)
}

func openLDM(c *Checkpoint) (*Model, error) {
	unet, vae, text, err := ldmNetworks(c)
	if err != nil {
		return nil, err
	}
	switch {
	case unet == nil:
		return nil, errors.New("the file has no UNet: it is not a whole model")
	case vae == nil && text == nil:
		return nil, errors.New("the file has no VAE and no text encoder: get the whole model, not the UNet alone")
	case text == nil:
		return nil, errors.New("the file has no text encoder: get the whole model, not the UNet alone")
	}
	m := &Model{kind: KindModel, files: map[string][]byte{}, networks: map[string]*Checkpoint{UNet: unet, VAE: vae, TextEncoder: text}}
	var err1, err2, err3 error
	m.files[Config(UNet)], err1 = unetConfig(unet)
	if vae != nil {
		m.files[Config(VAE)], err2 = vaeConfig(vae)
	} else {
		delete(m.networks, VAE)
		err2 = &WithoutVAEError{m}
	}
	m.files[Config(TextEncoder)], err3 = textConfig(text, "quick_gelu")
	m.files[SchedulerConfig] = schedulerConfig(c)
	m.files[tokenizerConfig] = []byte(clipTokenizer)
	if err := errors.Join(err1, err3); err != nil {
		return nil, err
	}
	return m, err2
}

// clipTokenizer is the tokenizer_config.json of CLIP.
const clipTokenizer = `{"model_max_length":77,"bos_token":"<|startoftext|>","eos_token":"<|endoftext|>","unk_token":"<|endoftext|>","pad_token":"<|endoftext|>"}`

// Kind is what a single file is, and "" for a folder.
func (m *Model) Kind() Kind { return m.kind }

// Open opens one of the model's small files by its path in diffusers' layout.
func (m *Model) Open(ctx context.Context, name string) (Source, error) {
	if m.folder != nil {
		return m.folder.Open(ctx, name)
	}
	if b, ok := m.files[name]; ok {
		return Memory(name, b), nil
	}
	switch {
	case m.clip == nil:
	case name == merges:
		return m.clip.Open(ctx, path.Base(merges))
	case name == vocabulary:
		text, err := ReadFile(ctx, m.clip, path.Base(merges))
		if err != nil {
			return nil, fmt.Errorf("CLIP's vocabulary: %w", err)
		}
		made, err := CLIPVocabulary(text)
		if err != nil {
			return nil, err
		}
		return Memory(name, made), nil
	}
	return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
}

// Network opens the weights of a network: UNet, VAE, TextEncoder or ImageEncoder.
func (m *Model) Network(ctx context.Context, network string) (*Checkpoint, error) {
	if m.folder == nil {
		if c, ok := m.networks[network]; ok {
			return c, nil
		}
		return nil, fmt.Errorf("a single file has no %s: %w", network, os.ErrNotExist)
	}
	c, err := OpenNetwork(ctx, m.folder, network)
	if err != nil || network != TextEncoder {
		return c, err
	}
	return underTextModel(c)
}

// underTextModel puts "text_model." before a text encoder's names, as they are published:
// transformers 5 saves them without it.
func underTextModel(c *Checkpoint) (*Checkpoint, error) {
	if !c.has("embeddings.token_embedding.weight") {
		return c, nil
	}
	return underNames(c, textName)
}

// OpenNetwork opens the weights of a network in a folder (Here where the folder is the
// network's own): the fp16 variant, else the plain file, else the shards that a list names.
func OpenNetwork(ctx context.Context, folder Folder, network string) (*Checkpoint, error) {
	files, lists := WeightNames(network)
	for _, name := range files {
		s, err := folder.Open(ctx, name)
		if err == nil {
			return OpenFileOfWeights(ctx, s)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	for _, name := range lists {
		list, err := ReadFile(ctx, folder, name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		shards, err := Shards(list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var sources []Source
		for _, f := range shards {
			s, err := folder.Open(ctx, path.Join(network, f))
			if err != nil {
				return nil, fmt.Errorf("%s lists %s: %w", name, f, err)
			}
			sources = append(sources, s)
		}
		return OpenCheckpoint(ctx, sources...)
	}
	return nil, fmt.Errorf("there are no weights: looked for %s", strings.Join(append(files, lists...), ", "))
}

// maxShards is many times what any model of this family has.
const maxShards = 100

// Shards are the files that a list such as model.safetensors.index.json names, sorted.
func Shards(index []byte) ([]string, error) {
	var list struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(index, &list); err != nil {
		return nil, fmt.Errorf("the list of shards is damaged: %w", err)
	}
	files := map[string]bool{}
	for _, f := range list.WeightMap {
		if f != path.Base(f) || strings.Contains(f, "\\") || f == ".." || f == "." {
			return nil, fmt.Errorf("the list of shards names %q, which is not a file beside it", f)
		}
		files[f] = true
	}
	if len(files) == 0 {
		return nil, errors.New("the list of shards is empty")
	}
	if len(files) > maxShards {
		return nil, fmt.Errorf("the list of shards names %d files, more than any model has", len(files))
	}
	var names []string
	for f := range files {
		names = append(names, f)
	}
	sort.Strings(names)
	return names, nil
}
