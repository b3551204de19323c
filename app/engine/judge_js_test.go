//go:build js && wasm

package engine

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
)

const clipFixture = "../../tests/fixtures/clip"

// ImageEncoders lists one that is another's, and the whole CLIPModel.
func (clipHost) ImageEncoders(context.Context) ([]string, error) { return []string{"", "clip"}, nil }

// clipHost has, beside the model that ships, a whole CLIPModel as a folder and as one file.
type clipHost struct{ shipped }

func (h clipHost) Folder(ctx context.Context, name string) (loader.Folder, error) {
	switch name {
	case "clip":
		return loader.Directory(clipFixture), nil
	case "halves":
		return twoHalves{loader.Directory(clipFixture)}, nil
	}
	return h.shipped.Folder(ctx, name)
}

// twoHalves shows a CLIPModel's folder in diffusers' layout, with another model's text encoder.
type twoHalves struct{ whole loader.Folder }

func (f twoHalves) Open(ctx context.Context, name string) (loader.Source, error) {
	switch folder, file := filepath.Split(name); folder {
	case "image_encoder/":
		return f.whole.Open(ctx, file)
	case "text_encoder/", "tokenizer/":
		return loader.Directory("../../web/model").Open(ctx, name)
	}
	return nil, os.ErrNotExist
}

// Scores are transformers' cosines (tests/reference/clip.py), whether the towers fit the GPU or are
// streamed, and nothing that was on the GPU before leaves it.
func TestJudge(t *testing.T) {
	ctx := context.Background()
	b, err := os.ReadFile(filepath.Join(clipFixture, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Pictures, Captions []string
		CLIPI              [][]float64 `json:"clip_i"`
		CLIPT              [][]float64 `json:"clip_t"`
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	files := Pictures{}
	for _, name := range want.Pictures {
		if files[name], err = os.ReadFile(filepath.Join(clipFixture, name)); err != nil {
			t.Fatal(err)
		}
	}
	// The fixture's model is in float16, so this path is exact.
	d, err := gpu.Open(ctx, gpu.Options{NoF16: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e := New(d, clipHost{})
	defer e.Unload()

	// Each picture of the fixture stands for one that was made, from two of the others.
	prompts := []string{want.Pictures[1], want.Pictures[3]}
	made := func(i int, encoder, words string) Made {
		s := settings.Default()
		s.Prompt, s.PromptWeights = words, true
		a := settings.DefaultIPAdapter()
		a.ImageEncoder, a.Lambda = encoder, 0
		for _, p := range prompts {
			a.Images = append(a.Images, settings.ImagePrompt{Picture: p})
		}
		kept := settings.DefaultIPAdapter()
		kept.Embeds = "kept.safetensors"
		s.Guides = []settings.Guide{&kept, &a}
		return Made{s, files[want.Pictures[i]]}
	}
	list := []Made{made(0, "clip", "a (red:1.2) fox <lora:ink:0.5>"), made(2, "clip", "a boat on a blue lake, seen from above, at dusk"), made(0, "clip", ""), made(0, "halves", "a red fox")}

	if scores, err := e.Judge(ctx, list, files); err != nil || len(scores) != len(list) || scores[0].CLIPI != nil {
		t.Fatalf("without a model: %v, %v", scores, err)
	}
	if err := e.Load(ctx, "", "", func(Event) {}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		budget int64
	}{{"streamed", d.MemoryBytes()}, {"whole", nn.DefaultBudget}} {
		t.Run(c.name, func(t *testing.T) {
			e.loaded.memory.Budget = c.budget
			before := e.loaded.memory.Loaded()
			scores, err := e.Judge(ctx, list, files)
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, got, want float64) {
				t.Helper()
				if math.Abs(got-want) > 1e-5 {
					t.Errorf("%s: %.6f, want %.6f", what, got, want)
				}
			}
			for i, at := range []int{0, 2, 0, 0} {
				if len(scores[i].CLIPI) != 2 {
					t.Fatalf("the picture %d has the scores %v", i, scores[i])
				}
				check("CLIP-I", scores[i].CLIPI[0], want.CLIPI[at][1])
				check("CLIP-I of the second picture", scores[i].CLIPI[1], want.CLIPI[at][3])
			}
			// The text half of the last one's encoder is found in the whole CLIPModel.
			for i, at := range map[int][2]int{0: {0, 0}, 1: {2, 1}, 3: {0, 0}} {
				if scores[i].CLIPT == nil {
					t.Fatal("there is no CLIP-T")
				}
				check("CLIP-T", *scores[i].CLIPT, want.CLIPT[at[0]][at[1]])
			}
			if scores[2].CLIPT != nil {
				t.Error("there is a CLIP-T without words")
			}
			after := map[nn.Network]bool{}
			for _, n := range e.loaded.memory.Loaded() {
				after[n] = true
				if n.Name() == "text tower" {
					t.Error("the text tower was not unloaded")
				}
			}
			for _, n := range before {
				if !after[n] {
					t.Errorf("the %s was unloaded", n.Name())
				}
			}
		})
	}
}
