package prompt

import (
	"slices"

	"github.com/imprompt/imprompt/model/tokenizer"
)

// Words are a prompt as the text encoder reads it.
type Words struct {
	// IDs are the token ids of all chunks, each of which has the tokenizer's MaxLength: the
	// start token, words, the end token and padding. An id behind the text encoder's
	// vocabulary is a vector of a textual inversion.
	IDs []int32
	// Weights has the weight of each id. It is nil where all of them are 1.
	Weights []float32
	// Count is how many tokens the chunks have, without padding. A prompt that is read
	// literally may have more than fit.
	Count int
	// Overflow is the text that a literal prompt has beyond the first chunk.
	Overflow string
	// Found are the names of the textual inversions that the prompt has, each once.
	Found []string
}

// Embedding is a textual inversion, which stands for words (Gal et al. 2022, arXiv 2208.01618).
type Embedding struct {
	Names   []string // any of which stands for it
	Vectors int      // how many tokens it becomes
}

// Reader reads prompts for one text encoder.
type Reader struct {
	tokenizer  *tokenizer.Tokenizer
	vocabulary int32
	named      []named
}

type named struct {
	name  string
	ids   []int32 // of the name as plain words
	first int32   // the id of the first vector
	count int
}

// NewReader returns a reader that knows some embeddings. The vectors of the first have the ids
// from vocabulary on, and those of each other follow.
func NewReader(t *tokenizer.Tokenizer, vocabulary int, embeddings ...Embedding) *Reader {
	r := &Reader{tokenizer: t, vocabulary: int32(vocabulary)}
	next := int32(vocabulary)
	for _, e := range embeddings {
		for _, name := range e.Names {
			if ids := t.Tokens(name); len(ids) > 0 {
				r.named = append(r.named, named{name, ids, next, e.Vectors})
			}
		}
		next += int32(e.Vectors)
	}
	// The longest name wins, as in the web UI; of two of the same length, the first.
	slices.SortStableFunc(r.named, func(a, b named) int { return len(b.ids) - len(a.ids) })
	return r
}

// item is what must not be parted between two chunks: a token, or an embedding.
type item []int32

// items tokenizes a text and puts embeddings in the place of their names.
func (r *Reader) items(text string, w *Words) (list []item) {
	ids := r.tokenizer.Tokens(text)
	for len(ids) > 0 {
		i := slices.IndexFunc(r.named, func(n named) bool { return len(n.ids) <= len(ids) && slices.Equal(n.ids, ids[:len(n.ids)]) })
		if i < 0 {
			list, ids = append(list, item(ids[:1])), ids[1:]
			continue
		}
		n := r.named[i]
		vectors := make(item, n.count)
		for k := range vectors {
			vectors[k] = n.first + int32(k)
		}
		list, ids = append(list, vectors), ids[len(n.ids):]
		if !slices.Contains(w.Found, n.name) {
			w.Found = append(w.Found, n.name)
		}
	}
	return list
}

// Literal reads a prompt as diffusers' pipelines do. It has one chunk, and what does not fit is
// left out.
func (r *Reader) Literal(text string) Words {
	var w Words
	ids := slices.Concat(r.items(text, &w)...)
	room := r.tokenizer.MaxLength - 2
	kept := ids[:min(room, len(ids))]
	w.IDs = r.tokenizer.Pad(kept)
	w.Count = len(ids) + 2
	w.Overflow = r.tokenizer.Decode(slices.DeleteFunc(ids[len(kept):], func(id int32) bool { return id >= r.vocabulary }))
	return w
}

// Weighted reads a prompt with its markup.
func (r *Reader) Weighted(text string) Words {
	var w Words
	room := r.tokenizer.MaxLength - 2
	var chunk []int32
	var weights []float32
	chunks, plain := 0, true
	next := func() {
		w.Count += len(chunk) + 2
		w.IDs = append(w.IDs, r.tokenizer.Pad(chunk)...)
		w.Weights = append(append(w.Weights, 1), weights...)
		for len(w.Weights) < len(w.IDs) {
			w.Weights = append(w.Weights, 1)
		}
		chunk, weights = nil, nil
		chunks++
	}
	for _, p := range Parse(text) {
		if p.Break {
			next()
			continue
		}
		for _, it := range r.items(p.Text, &w) {
			if len(chunk)+len(it) > room {
				next()
			}
			it = it[:min(len(it), room)]
			for range it {
				weights = append(weights, float32(p.Weight))
			}
			chunk = append(chunk, it...)
			plain = plain && (p.Weight == 1 || len(it) == 0)
		}
	}
	if len(chunk) > 0 || chunks == 0 {
		next()
	}
	if plain {
		w.Weights = nil
	}
	return w
}

// Match gives the shorter of two prompts as many chunks as the longer one has. The chunks
// that it lacks are empty ones.
func (r *Reader) Match(a, b *Words) {
	for len(a.IDs) < len(b.IDs) {
		a.IDs = append(a.IDs, r.tokenizer.Pad(nil)...)
	}
	for len(b.IDs) < len(a.IDs) {
		b.IDs = append(b.IDs, r.tokenizer.Pad(nil)...)
	}
	for _, w := range []*Words{a, b} {
		for w.Weights != nil && len(w.Weights) < len(w.IDs) {
			w.Weights = append(w.Weights, 1)
		}
	}
}
