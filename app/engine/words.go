package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/pipeline"
	"github.com/imprompt/imprompt/model/prompt"
)

// words reads the prompts into a request, and warns about what does not fit.
func (e *Engine) words(ctx context.Context, req *pipeline.Request, s settings.Settings) error {
	m := e.loaded
	embeddings, vectors, err := e.textualInversions(ctx, s.TextualInversions)
	if err != nil {
		return err
	}
	vocabulary := m.pipeline.Text.Config.VocabSize
	r := prompt.NewReader(m.tokenizer, vocabulary, embeddings...)
	req.Text = pipeline.Text{Vectors: vectors, ClipSkip: s.ClipSkip}
	if !s.PromptWeights {
		req.IDs, req.NegativeIDs = e.literal(r, "prompt", s.Prompt), e.literal(r, "negative prompt", s.NegativePrompt)
		return nil
	}
	positive, negative := r.Weighted(s.Prompt), r.Weighted(s.NegativePrompt)
	r.Match(&positive, &negative)
	req.IDs, req.NegativeIDs = positive.IDs, negative.IDs
	req.Text.Chunk, req.Text.Weights, req.Text.NegativeWeights = m.tokenizer.MaxLength, positive.Weights, negative.Weights
	req.Text.NegativeClipSkip = s.ClipSkip // as in the web UI whose markup this is
	return nil
}

func (e *Engine) literal(r *prompt.Reader, what, text string) []int32 {
	w := r.Literal(text)
	if w.Overflow != "" {
		e.warn(fmt.Sprintf("The %s has %d tokens and the model reads %d. Left out: %s", what, w.Count, e.loaded.tokenizer.MaxLength, w.Overflow))
	}
	return w.IDs
}

// textualInversion is an embedding that was opened: what stands for it in a prompt, and its vectors.
type textualInversion struct {
	prompt.Embedding
	vectors [][]float32
}

// textualInversions opens embeddings, and returns the vectors of all, one after the other.
func (e *Engine) textualInversions(ctx context.Context, names []string) (list []prompt.Embedding, vectors [][]float32, err error) {
	for _, name := range names {
		t, err := e.openTextualInversion(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		list, vectors = append(list, t.Embedding), append(vectors, t.vectors...)
	}
	return list, vectors, nil
}

// openTextualInversion opens an embedding's file, once. The embedding is called by its file's name,
// and by the name that it has inside.
func (e *Engine) openTextualInversion(ctx context.Context, name string) (textualInversion, error) {
	m := e.loaded
	return openOnce(m, "textual inversion "+name, func() (t textualInversion, err error) {
		s, err := e.host.File(ctx, name)
		if err != nil {
			return t, err
		}
		file, err := loader.OpenTextualInversion(ctx, s)
		if err != nil {
			return t, err
		}
		if has, wants := len(file.Vectors[0]), m.pipeline.Text.Config.HiddenSize; has != wants {
			return t, fmt.Errorf("%s: its vectors have %d numbers and this model's text encoder reads %d: it belongs to another kind of model (those for Stable Diffusion 1.5 have 768)", s.Name(), has, wants)
		}
		t.Names, t.Vectors, t.vectors = []string{settings.WeightsName(s.Name())}, len(file.Vectors), file.Vectors
		if file.Token != "" {
			t.Names = append(t.Names, file.Token)
		}
		return t, nil
	})
}

// Tokens counts the tokens of a prompt for the model that is loaded, and says which words are cut
// off. The tokens that begin and end each chunk do not count, as they are not the visitor's. weights says
// that the prompt is read with its markup, in as many chunks as it takes. embeddings are the textual
// inversions that it may call.
func (e *Engine) Tokens(text string, weights bool, embeddings ...prompt.Embedding) (count, limit int, overflow string, ok bool) {
	if e.loaded == nil {
		return 0, 0, "", false
	}
	m := e.loaded
	r := prompt.NewReader(m.tokenizer, m.pipeline.Text.Config.VocabSize, embeddings...)
	read := r.Literal
	if weights {
		read = r.Weighted
	}
	w := read(text)
	marks := 2 * len(w.IDs) / m.tokenizer.MaxLength // each chunk begins and ends with one
	return w.Count - marks, len(w.IDs) - marks, w.Overflow, true
}
