package state

import (
	"regexp"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/prompt"
)

// Embedding is a textual inversion that is stored: its name in the words stands for its vectors.
type Embedding struct {
	ID, Name string
	Token    string // what its file calls it, which stands for it as well; "" for nothing
	Vectors  int    // how many tokens it takes
	SHA256   string // of its file
}

// names are those that stand for an embedding.
func (e Embedding) names() []string { return []string{e.Name, e.Token} }

// Embeddings lists those that fit the chosen model.
func (c *Chooser) Embeddings() (list []Embedding) {
	if c.Chosen.ID == "" {
		return nil
	}
	for _, item := range whole(c.stored, loader.KindTextualInversion) {
		if item.CrossDim != c.Chosen.CrossDim && item.CrossDim != 0 && c.Chosen.CrossDim != 0 {
			continue
		}
		e := Embedding{ID: item.ID, Name: settings.WeightsName(item.Name)}
		if item.TextualInversion != nil {
			e.Token, e.Vectors = item.TextualInversion.Token, item.TextualInversion.Vectors
		}
		if len(item.Files) == 1 {
			e.SHA256 = item.Files[0].SHA256
		}
		list = append(list, e)
	}
	return list
}

// Toggle puts an embedding's name into a prompt or, if it is there, takes it out.
func (e Embedding) Toggle(text string, weights bool) string {
	uses := prompt.Find(text, weights, e.names())
	if len(uses) == 0 {
		return joined(text, e.Name)
	}
	for _, u := range slices.Backward(uses) {
		before, after := text[:u.From], text[u.To:]
		if inside := emptied.FindString(after); inside != "" && strings.HasSuffix(before, "(") {
			before, after = before[:len(before)-1], after[len(inside):] // the brackets had nothing else
		}
		before, after = strings.TrimRight(before, " ,"), strings.TrimLeft(after, " ,")
		between := ", "
		if before == "" || after == "" || strings.ContainsAny(before[len(before)-1:], "([") || strings.ContainsAny(after[:1], ":)]") {
			between = ""
		}
		text = before + between + after
	}
	return text
}

var emptied = regexp.MustCompile(`^(?::\s*[\d.]+\s*)?\)`)

// UsedEmbeddings lists the embeddings of a list whose names stand in one of the texts. weights says that those are read
// with their markup.
func UsedEmbeddings(list []Embedding, weights bool, texts ...string) (used []Embedding) {
	for i := range list {
		stands := func(text string) bool { return len(prompt.Find(text, weights, list[i].names())) > 0 }
		if slices.ContainsFunc(texts, stands) {
			used = append(used, list[i])
		}
	}
	return used
}

// resolveEmbeddings names in the settings the embeddings that the words call.
func (c *Chooser) resolveEmbeddings(s *settings.Settings) {
	s.TextualInversions, s.TextualInversionHashes = nil, nil
	for _, e := range UsedEmbeddings(c.Embeddings(), s.PromptWeights, s.Prompt, s.NegativePrompt) {
		s.TextualInversions = append(s.TextualInversions, e.ID)
		if e.SHA256 == "" {
			continue
		}
		if s.TextualInversionHashes == nil {
			s.TextualInversionHashes = map[string]string{}
		}
		s.TextualInversionHashes[e.ID] = e.SHA256
	}
}

// Tokens asks for the number of tokens of the words, of which embeddings may be a part.
func (c *Chooser) Tokens(s settings.Settings) protocol.Tokens {
	// What is too long to be drawn is not counted: that takes a minute for some megabytes.
	bounded := func(words string) string {
		if len(words) > settings.MaxWords {
			return ""
		}
		words, _, _ = settings.CutLoRAs(words)
		return words
	}
	t := protocol.Tokens{Prompt: bounded(s.Prompt), Negative: bounded(s.NegativePrompt), Weights: s.PromptWeights}
	for _, e := range UsedEmbeddings(c.Embeddings(), s.PromptWeights, t.Prompt, t.Negative) {
		t.Embeddings = append(t.Embeddings, protocol.Embedding{Names: slices.DeleteFunc(e.names(), func(name string) bool { return name == "" }), Vectors: e.Vectors})
	}
	return t
}

// missingEmbeddings says which embeddings a picture was made with and cannot be called here.
func (c *Chooser) missingEmbeddings(s settings.Settings) (leftOut []string) {
	for _, file := range s.TextualInversions {
		name, hash := settings.WeightsName(file), s.TextualInversionHashes[file]
		found, ok := first(c.Embeddings(),
			func(e Embedding) bool {
				return e.ID == file || strings.EqualFold(e.Name, name) || strings.EqualFold(e.Token, name)
			},
			func(e Embedding) bool { return hash != "" && strings.HasPrefix(e.SHA256, hash) },
		)
		switch {
		case !ok:
			leftOut = append(leftOut, texts.F("the embedding %s, which is not here (its name is read as plain words)", name))
		case found.ID != file && !strings.EqualFold(found.Name, name) && !strings.EqualFold(found.Token, name):
			leftOut = append(leftOut, texts.F("the embedding %s, which is called %s here", name, found.Name))
		}
	}
	return leftOut
}

// About says how many tokens of a prompt an embedding takes; "" if that is not known.
func (e Embedding) About() string {
	if e.Vectors == 0 {
		return ""
	}
	return texts.N(e.Vectors, "%d token", "%d tokens")
}
