package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// TextualInversion is an embedding that stands for words in a prompt (Gal et al. 2022, arXiv
// 2208.01618).
type TextualInversion struct {
	// Token is the name that the file has inside, such as "<cat-toy>"; "" if it has none.
	Token   string
	Vectors [][]float32 // one or more, each as long as the text encoder's hidden size
}

// TextualInversionInfo is what is to be known of an embedding before it is used.
type TextualInversionInfo struct {
	Token   string `json:"token,omitempty"` // TextualInversion.Token
	Vectors int    `json:"vectors"`         // how many tokens of a prompt it takes
}

// maxVectors is how many vectors fit one chunk of CLIP's text encoder.
const maxVectors = 75

// OpenTextualInversion reads an embedding's file: diffusers' layout (one tensor, named like the
// token), or one of AUTOMATIC1111's web UI (emb_params, or string_to_param in a pickle).
func OpenTextualInversion(ctx context.Context, s Source) (*TextualInversion, error) {
	c, err := OpenCheckpoint(ctx, s)
	if err != nil {
		return nil, err
	}
	t, err := readTextualInversion(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return t, nil
}

// isTextualInversion reports whether a file's tensors are those of an embedding, of any kind of model.
func isTextualInversion(c *Checkpoint) bool {
	names := c.Names()
	if c.has("emb_params") || pickledVectors(names) != "" || (c.has("clip_l") || c.has("clip_g")) && len(names) <= 2 {
		return true
	}
	if len(names) != 1 || strings.Contains(names[0], ".") && !strings.HasPrefix(names[0], "<") {
		return false
	}
	_, shape, _ := c.Info(names[0])
	return len(shape) == 1 || len(shape) == 2 && shape[0] <= maxVectors
}

// pickledVectors is the tensor of an embedding as Gal et al.'s program and AUTOMATIC1111's web UI pickle
// it: {"string_to_param": {"*": vectors}, "string_to_token": …}. It is "" where there is none.
func pickledVectors(names []string) (name string) {
	for _, n := range names {
		if strings.HasPrefix(n, "string_to_param.") {
			if name != "" {
				return "" // embeddings of several words, which no program uses
			}
			name = n
		}
	}
	return name
}

// checkTextualInversion returns an error for an embedding that no model of the 1.5 family can use.
func checkTextualInversion(c *Checkpoint) error {
	name, err := textualInversionTensor(c)
	if err != nil {
		return err
	}
	_, shape, _ := c.Info(name)
	switch shape[len(shape)-1] {
	case 1024:
		return errors.New("this is a textual inversion for Stable Diffusion 2: choose one for Stable Diffusion 1.5")
	case 1280, 2048:
		return errors.New("this is a textual inversion for Stable Diffusion XL: choose one for Stable Diffusion 1.5")
	}
	return nil
}

func textualInversionTensor(c *Checkpoint) (string, error) {
	if c.has("clip_l") || c.has("clip_g") {
		return "", errors.New("this is a textual inversion for Stable Diffusion XL, which has two text encoders: choose one for Stable Diffusion 1.5")
	}
	name := "emb_params"
	if pickled := pickledVectors(c.Names()); pickled != "" {
		name = pickled
	} else if !c.has(name) {
		if !isTextualInversion(c) {
			return "", fmt.Errorf("this is not a textual inversion: one has a single tensor, or one that is called emb_params or string_to_param, and this file has %d", len(c.Names()))
		}
		name = c.Names()[0]
	}
	dtype, shape, _ := c.Info(name)
	if !isRead(dtype) {
		return "", fmt.Errorf("the textual inversion's numbers are %s, and floating-point numbers are read", dtype)
	}
	if len(shape) != 1 && len(shape) != 2 {
		return "", fmt.Errorf("the textual inversion's tensor %q has the shape %v: one vector, or rows of them, are read", name, shape)
	}
	return name, nil
}

func readTextualInversion(ctx context.Context, c *Checkpoint) (*TextualInversion, error) {
	name, err := textualInversionTensor(c)
	if err != nil {
		return nil, err
	}
	_, shape, _ := c.Info(name)
	rows, size := 1, shape[len(shape)-1]
	if len(shape) == 2 {
		rows = shape[0]
	}
	if rows < 1 || rows > maxVectors {
		return nil, fmt.Errorf("the textual inversion has %d vectors: from 1 to %d fit a prompt", rows, maxVectors)
	}
	values, err := c.parameter(name).Float32(ctx)
	if err != nil {
		return nil, err
	}
	t := &TextualInversion{}
	switch {
	case strings.HasPrefix(name, "string_to_param."):
		t.Token = c.metadata[embeddingName] // as in diffusers (loaders/textual_inversion.py)
	case name != "emb_params":
		t.Token = name
	}
	for i := range rows {
		t.Vectors = append(t.Vectors, values[i*size:(i+1)*size])
	}
	return t, nil
}
