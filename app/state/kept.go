package state

import (
	"encoding/binary"
	"encoding/json"
	"path"
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// KeptHead is how much of a file IsKept has to see, in bytes.
const KeptHead = 8 << 10

// IsKept reports whether a file is one of kept embeddings, from its name and how it begins: ComfyUI's .ipadpt, or a
// safetensors file of one tensor with the shape of image embeddings.
func IsKept(name string, head []byte) bool {
	if strings.EqualFold(path.Ext(name), ".ipadpt") {
		return true
	}
	if len(head) < 8 {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	if n > uint64(len(head)-8) {
		return false
	}
	var tensors map[string]struct{ Shape []int }
	if json.Unmarshal(head[8:8+n], &tensors) != nil {
		return false
	}
	delete(tensors, "__metadata__")
	for _, t := range tensors {
		dims := len(t.Shape)
		return len(tensors) == 1 && (dims == 3 || dims == 4) && t.Shape[0] >= 1 && t.Shape[0] <= 2
	}
	return false
}

// ForKeeping returns a request for the embeddings of one of the image prompts, which is the only guide of its settings. Those
// have nothing else that could be missing here, such as styles.
func (c *Composer) ForKeeping(im *ImagePrompt, model string, fit []Adapter) Request {
	r := Request{Inputs: map[string]Input{}}
	a := im.guideWith(1, fit, r.Inputs)
	s := settings.Default()
	s.Model, s.VAE, s.VAEHash, s.Guides = model, c.Settings.VAE, c.Settings.VAEHash, settings.Guides{a}
	s.Background, s.LowMemory = c.Settings.Background, c.Settings.LowMemory
	r.Jobs = []settings.Settings{s}
	return r
}

// KeepingProblem says why the embeddings of a request cannot be made, in words for the visitor; none if they can. A start
// picture is not needed for them, whatever the model draws.
func (r Request) KeepingProblem(l *Library) Problem {
	if err := r.Jobs[0].Validate(); err != nil {
		return problem(err.Error(), Remedy{OpenPanel, InSettings})
	}
	if text := l.vaeProblem(r.Jobs[0]); text != "" {
		return problem(text, Remedy{OpenPanel, InSettings})
	}
	return problem(l.promptProblem(r.Jobs[0], l.Chosen), Remedy{OpenPanel, InModels})
}

// KeptName is the name of the file with an image prompt's embeddings.
func (im *ImagePrompt) KeptName() string {
	return strings.TrimSuffix(im.Name, path.Ext(im.Name)) + ".embeds.safetensors"
}

// Keep asks for the embeddings of a request's first guide. They come as News.Embeds, and are to be saved under a name.
func (j *Jobs) Keep(name string, s settings.Settings, inputs map[string]any) {
	if j.line != nil && j.keep == 0 {
		j.keepName = name
		j.keep = j.line.Ask(protocol.Embed{Settings: s}, inputs)
	}
}

// Keeping reports whether embeddings are being made.
func (j *Jobs) Keeping() bool { return j.keep != 0 }

func (j *Jobs) receiveKeep(m protocol.Message) News {
	switch b := m.Body.(type) {
	case protocol.Embeds:
		return News{Embeds: m.Beside["embeds"], EmbedsName: j.keepName}
	case protocol.Failed:
		j.keep = 0
		return News{Problem: failure(b)}
	case protocol.Lost:
		j.keep = 0
		return News{Problem: problem(texts.T("The GPU was lost while the picture was encoded: try again."))}
	case protocol.Embedded, protocol.Stopped:
		j.keep = 0
	}
	return News{}
}
