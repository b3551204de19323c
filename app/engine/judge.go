package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/prompt"
)

// Made is a picture that Generate made, as a file.
type Made struct {
	Settings settings.Settings
	File     []byte
}

// Score is how near a picture is to what it was made from: the IP-Adapter paper's CLIP-I and CLIP-T
// (section 4.2.1), which are cosines of the embeddings of a CLIP.
type Score struct {
	// CLIPI is with each picture of the image prompts, by the image encoder that the prompt was seen
	// with. It is empty where there are none, and where their encoder is not here any more.
	CLIPI []float64
	// CLIPT is with the words, by the first image prompt's encoder. It is nil where there are no words,
	// and where the text half of that encoder's CLIP is not here.
	CLIPT *float64
}

// judgeBatch is how many pictures an image encoder sees at once. It is large because each time a
// large encoder may have to be read from the disk.
const judgeBatch = 16

// Judge scores pictures with the image encoders of the model that is open. It never loads another
// model, nor unloads a network: an encoder that does not fit beside the others is streamed. files are
// the pictures that the settings name.
func (e *Engine) Judge(ctx context.Context, list []Made, files Pictures) ([]Score, error) {
	scores := make([]Score, len(list))
	if e.loaded == nil {
		return scores, nil
	}
	e.loaded.report(func(Event) {})
	j := &judge{engine: e, sights: map[sight]int{}}
	defer j.release()
	for i, made := range list {
		in, err := e.inputs(ctx, made.Settings, files)
		if err != nil {
			return nil, err
		}
		j.in = append(j.in, in)
		if err := j.look(i, made); err != nil {
			return nil, err
		}
	}
	if err := j.see(ctx); err != nil {
		return nil, e.explained(ctx, err)
	}
	for i, made := range list {
		if err := j.score(ctx, &scores[i], i, made.Settings); err != nil {
			return nil, e.explained(ctx, err)
		}
	}
	return scores, nil
}

// judge holds what is seen for one Judge.
type judge struct {
	engine *Engine
	in     []*inputs     // by picture
	sights map[sight]int // the places in the following lists
	order  []sight
	read   []func() (*imageproc.Image, error)
	embeds [][]float32
	towers map[string]*textTower
	words  map[[2]string][]float32 // by encoder and words
}

// sight is something that an image encoder sees.
type sight struct {
	encoder string
	made    int    // the number of a picture that was made, or -1 for an image prompt
	prompt  string // its picture, crop and background
}

// look lists what has to be seen for a picture that was made, each thing once.
func (j *judge) look(i int, made Made) error {
	for _, a := range made.Settings.SeenPrompts() {
		if !j.here(made.Settings, a) {
			continue
		}
		if _, err := j.engine.imageEncoder(j.in[i].ctx, a.ImageEncoder); err != nil {
			return err
		}
		j.add(madeSight(i, a), func() (*imageproc.Image, error) {
			m, _, err := Decode(j.in[i].ctx, made.File, j.engine.ToPNG)
			return m, err
		})
		for _, p := range a.Images {
			j.add(j.promptSight(i, a, p), func() (*imageproc.Image, error) { return guideInput{pictures: j.in[i]}.prompt(p) })
		}
	}
	return nil
}

// here reports whether the image encoder of an image prompt can be opened. The encoder in a model's own
// folder is only here while that model is.
func (j *judge) here(s settings.Settings, a *settings.IPAdapter) bool {
	return a.ImageEncoder != "" || s.Model == j.engine.name
}

func madeSight(i int, a *settings.IPAdapter) sight { return sight{encoder: a.ImageEncoder, made: i} }

func (j *judge) promptSight(i int, a *settings.IPAdapter, p settings.ImagePrompt) sight {
	crop := settings.Crop{}
	if p.Crop != nil {
		crop = *p.Crop
	}
	return sight{a.ImageEncoder, -1, fmt.Sprintf("%q %v %v", p.Picture, crop, j.in[i].background)}
}

func (j *judge) add(s sight, read func() (*imageproc.Image, error)) {
	if _, ok := j.sights[s]; !ok {
		j.sights[s] = len(j.order)
		j.order, j.read = append(j.order, s), append(j.read, read)
	}
}

// see embeds everything that was listed.
func (j *judge) see(ctx context.Context) error {
	j.embeds = make([][]float32, len(j.order))
	byEncoder, names := map[string][]int{}, []string{}
	for i, s := range j.order {
		if byEncoder[s.encoder] == nil {
			names = append(names, s.encoder)
		}
		byEncoder[s.encoder] = append(byEncoder[s.encoder], i)
	}
	for _, name := range names {
		encoder, err := j.engine.imageEncoder(ctx, name)
		if err != nil {
			return err
		}
		for rest := byEncoder[name]; len(rest) > 0; {
			batch := rest[:min(judgeBatch, len(rest))]
			rest = rest[len(batch):]
			if err := j.seeBatch(ctx, encoder, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *judge) seeBatch(ctx context.Context, encoder *imageEncoder, batch []int) error {
	var pixels []float32
	for _, i := range batch {
		m, err := j.read[i]()
		if err != nil {
			return err
		}
		values, err := encoder.preprocess(m)
		if err != nil {
			return err
		}
		pixels = append(pixels, values...)
	}
	t, err := encoder.network.Encode(ctx, j.engine.Device, j.engine.loaded.memory, len(batch), pixels, clip.ImageEmbeds)
	if err != nil {
		return err
	}
	defer t.Release()
	values, err := t.Float32(ctx)
	if err != nil {
		return err
	}
	size := len(values) / len(batch)
	for k, i := range batch {
		j.embeds[i] = values[k*size : (k+1)*size]
	}
	return nil
}

// score compares a picture that was made with its image prompts and its words. An embedding of numbers
// that are not finite gives no score.
func (j *judge) score(ctx context.Context, score *Score, i int, s settings.Settings) error {
	for n, a := range s.SeenPrompts() {
		at, ok := j.sights[madeSight(i, a)]
		if !ok {
			continue
		}
		made := j.embeds[at]
		for _, p := range a.Images {
			c := clip.Cosine(made, j.embeds[j.sights[j.promptSight(i, a, p)]])
			if math.IsNaN(c) {
				*score = Score{}
				return nil
			}
			score.CLIPI = append(score.CLIPI, c)
		}
		if n > 0 {
			continue
		}
		words, err := j.textEmbeds(ctx, a.ImageEncoder, plainWords(s), len(made))
		if err != nil {
			return err
		}
		if words == nil {
			continue
		}
		if c := clip.Cosine(made, words); !math.IsNaN(c) {
			score.CLIPT = &c
		}
	}
	return nil
}

// plainWords are a prompt's words without the tags of LoRAs and the markup of weights, which a text
// tower does not know.
func plainWords(s settings.Settings) string {
	words, _, _ := settings.CutLoRAs(s.Prompt)
	if s.PromptWeights {
		var plain strings.Builder
		for _, p := range prompt.Parse(words) {
			plain.WriteString(p.Text)
			if p.Break {
				plain.WriteString(" ")
			}
		}
		words = plain.String()
	}
	return strings.TrimSpace(words)
}

// textEmbeds embeds words with the text half of the CLIP whose image encoder has a name and projects to
// size numbers. It returns nil where there is none, or nothing to embed.
func (j *judge) textEmbeds(ctx context.Context, encoder, words string, size int) ([]float32, error) {
	key := [2]string{encoder, words}
	if embeds, ok := j.words[key]; ok || words == "" {
		return embeds, nil
	}
	m := j.engine.loaded
	tower, err := openOnce(m, "text half of "+encoder, func() (*textTower, error) { return j.engine.openTextTower(ctx, encoder, size) })
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if j.towers[encoder] == nil {
		if err := m.memory.Add(tower.network, tower.weights, m.weights); err != nil {
			return nil, err
		}
		if j.towers == nil {
			j.towers, j.words = map[string]*textTower{}, map[[2]string][]float32{}
		}
		j.towers[encoder] = tower
	}
	embeds, err := tower.network.Embeds(ctx, j.engine.Device, m.memory, tower.tokenizer.Encode(words).IDs)
	if err == nil {
		j.words[key] = embeds
	}
	return embeds, err
}

// release unloads the text towers, which nothing else needs.
func (j *judge) release() {
	if m := j.engine.loaded; m != nil { // it is closed after the memory ran out
		for _, t := range j.towers {
			m.memory.Remove(t.network)
		}
	}
}
