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

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Model is a Stable Diffusion 1.5 model in whatever layout it is published: a Folder
// for its configurations, and its networks' weights under diffusers' names.
type Model struct {
	folder   Folder             // nil for a single file
	files    map[string][]byte  // of a single file: the configurations, inferred
	networks map[string]Weights // of a single file
	shared   Folder             // where CLIP's vocabulary lies, for a single file
}

// OpenFolder opens a model in diffusers' layout; a Model made of a single file stays what
// it is.
func OpenFolder(f Folder) *Model {
	if m, ok := f.(*Model); ok {
		return m
	}
	return &Model{folder: f}
}

// OpenSingleFile opens a model in the original (latent-diffusion) layout: one
// safetensors file with all networks. A file has no tokenizer: clip is a folder with
// CLIP's merges.txt, web/clip of the page. The error for any other file says what it
// is and what to do.
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
	case KindNetwork:
		return nil, fmt.Errorf("%s is one network of a model: choose the folder that has it, with model_index.json", s.Name())
	}
	m, err := openLDM(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	m.shared = clip
	return m, nil
}

// OpenFileOfWeights opens a safetensors file, and says of another what it is.
func OpenFileOfWeights(ctx context.Context, s Source) (*Checkpoint, error) {
	first, err := s.ReadRange(ctx, 0, min(16, s.Size()))
	if err != nil {
		return nil, err
	}
	if err := CheckFile(s.Name(), webapi.GoBytes(first)); err != nil {
		return nil, err
	}
	return OpenCheckpoint(ctx, s)
}

func openLDM(c *Checkpoint) (*Model, error) {
	unet, vae, text, err := ldmNetworks(c)
	if err != nil {
		return nil, err
	}
	switch {
	case unet == nil:
		return nil, errors.New("the file has no UNet: it is no whole model")
	case vae == nil:
		return nil, errors.New("the file has no VAE: its publisher expects one beside it; get the version of the model with the VAE in it")
	case text == nil:
		return nil, errors.New("the file has no text encoder: get the whole model, not the UNet alone")
	}
	m := &Model{files: map[string][]byte{}, networks: map[string]Weights{"unet": unet, "vae": vae, "text_encoder": text}}
	var err1, err2, err3 error
	m.files["unet/config.json"], err1 = unetConfig(unet)
	m.files["vae/config.json"], err2 = vaeConfig(vae)
	m.files["text_encoder/config.json"], err3 = textConfig(text)
	m.files["scheduler/scheduler_config.json"] = schedulerConfig(c)
	m.files["tokenizer/tokenizer_config.json"] = []byte(`{"model_max_length":77,"bos_token":"<|startoftext|>","eos_token":"<|endoftext|>","unk_token":"<|endoftext|>","pad_token":"<|endoftext|>"}`)
	return m, errors.Join(err1, err2, err3)
}

// Open opens one of the model's small files by its path in diffusers' layout.
func (m *Model) Open(ctx context.Context, name string) (Source, error) {
	if m.folder != nil {
		return m.folder.Open(ctx, name)
	}
	if b, ok := m.files[name]; ok {
		return Memory(name, b), nil
	}
	if base, ok := strings.CutPrefix(name, "tokenizer/"); ok && m.shared != nil {
		if base != "vocab.json" {
			return m.shared.Open(ctx, base)
		}
		merges, err := ReadFile(ctx, m.shared, "merges.txt")
		if err != nil {
			return nil, fmt.Errorf("CLIP's vocabulary: %w", err)
		}
		vocabulary, err := CLIPVocabulary(merges)
		if err != nil {
			return nil, err
		}
		return Memory(name, vocabulary), nil
	}
	return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
}

// Network opens a network's weights: "unet", "vae", "text_encoder" or "image_encoder".
func (m *Model) Network(ctx context.Context, component string) (Weights, error) {
	if m.folder == nil {
		if w, ok := m.networks[component]; ok {
			return w, nil
		}
		return nil, fmt.Errorf("a single file has no %s: %w", component, os.ErrNotExist)
	}
	stem := "diffusion_pytorch_model"
	if component != "unet" && component != "vae" {
		stem = "model"
	}
	c, err := OpenNetwork(ctx, m.folder, component, stem)
	if err != nil {
		return nil, err
	}
	if component == "text_encoder" {
		return underTextModel(c)
	}
	return c, nil
}

// underTextModel shows a text encoder's tensors under "text_model.", as they are
// published: transformers 5 leaves that out where it saves one.
func underTextModel(c *Checkpoint) (Weights, error) {
	if _, _, ok := c.Info("embeddings.token_embedding.weight"); !ok {
		return c, nil
	}
	r := newRenamed(c)
	for _, name := range c.Names() {
		if to := textName(name); to != "" {
			if err := r.add(to, name, false); err != nil {
				return nil, err
			}
		}
	}
	return r.sort(), nil
}

// OpenNetwork opens the weights of a folder's network: the fp16 variant first, then the
// plain file, then the shards that an index lists.
func OpenNetwork(ctx context.Context, folder Folder, component, stem string) (*Checkpoint, error) {
	var tried []string
	for _, name := range []string{stem + ".fp16.safetensors", stem + ".safetensors"} {
		s, err := folder.Open(ctx, path.Join(component, name))
		if err == nil {
			return OpenFileOfWeights(ctx, s)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		tried = append(tried, name)
	}
	// transformers and diffusers name the variant's index differently.
	for _, name := range []string{stem + ".safetensors.index.fp16.json", stem + ".fp16.safetensors.index.json", stem + ".safetensors.index.json"} {
		index, err := ReadFile(ctx, folder, path.Join(component, name))
		if errors.Is(err, os.ErrNotExist) {
			tried = append(tried, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		files, err := Shards(index)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", component, name, err)
		}
		var sources []Source
		for _, f := range files {
			s, err := folder.Open(ctx, path.Join(component, f))
			if err != nil {
				return nil, fmt.Errorf("%s/%s lists %s: %w", component, name, f, err)
			}
			sources = append(sources, s)
		}
		return OpenCheckpoint(ctx, sources...)
	}
	return nil, fmt.Errorf("%s has no weights: looked for %s (.bin and .ckpt files are not read: convert them to safetensors)", component, strings.Join(tried, ", "))
}

// Shards lists the files that a model.safetensors.index.json names.
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
			return nil, fmt.Errorf("the list of shards names %q, which is no file beside it", f)
		}
		files[f] = true
	}
	if len(files) == 0 {
		return nil, errors.New("the list of shards is empty")
	}
	var names []string
	for f := range files {
		names = append(names, f)
	}
	sort.Strings(names)
	return names, nil
}
