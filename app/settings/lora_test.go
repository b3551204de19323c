package settings

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func scale(v float64) *float64 { return &v }

// Tags are taken out of words and read as A1111 reads them.
func TestCutLoRAs(t *testing.T) {
	for _, c := range []struct {
		text, words string
		loras       []LoRA
		others      []string
	}{
		{"a fox", "a fox", nil, nil},
		{"a fox <lora:style:0.8>, red", "a fox, red", []LoRA{{Weights: "style", Scale: 0.8}}, nil},
		{"<lora:a><lora:b:-1> x", "x", []LoRA{{Weights: "a", Scale: 1}, {Weights: "b", Scale: -1}}, nil},
		{"<lora:a:0.5:1>", "", []LoRA{{Weights: "a", Scale: 1, TextEncoder: scale(0.5)}}, nil},
		{"<lora:a:te=0.5:unet=0.7:dyn=4>", "", []LoRA{{Weights: "a", Scale: 0.7, TextEncoder: scale(0.5)}}, nil},
		{"<lora:a:te=0.5>", "", []LoRA{{Weights: "a", Scale: 0.5}}, nil},
		{"<lora:a:lots>", "", []LoRA{{Weights: "a", Scale: 1}}, nil},
		{"<lyco:a name.v2:0.3> b", "b", []LoRA{{Weights: "a name.v2", Scale: 0.3}}, nil},
		{"<hypernet:h:1> b <lora:>", "b <lora:>", nil, []string{"h"}},
		{"<lora:a<lora:b:1>:1>", "", []LoRA{{Weights: "b", Scale: 1}, {Weights: "a", Scale: 1}}, nil},
	} {
		words, loras, others := CutLoRAs(c.text)
		if words != c.words || !reflect.DeepEqual(loras, c.loras) || !reflect.DeepEqual(others, c.others) {
			t.Errorf("%s: %q, %+v, %q", c.text, words, loras, others)
		}
	}
	if words, _, _ := CutLoRAs(strings.Repeat("<lora:a", 1000) + strings.Repeat(":1>", 1000)); strings.Contains(words, "<") {
		t.Errorf("%.80q is left", words)
	}
}

// A1111's text carries LoRAs, their scales and hashes, in both directions.
func TestLoRAsInA1111Text(t *testing.T) {
	s := Default()
	s.Prompt, s.NegativePrompt = "a fox", "bad"
	s.LoRAs = []LoRA{{Weights: "folder/ink style.safetensors", Scale: 0.8, Hash: "7c6bad76eb54aaaa"}, {Weights: "detail", Scale: 1, TextEncoder: scale(0.25)}}
	text := s.Format()
	for _, want := range []string{"a fox <lora:ink style:0.8> <lora:detail:0.25:1>\nNegative prompt: bad\n", `Lora hashes: "ink style: 7c6bad76eb54"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	back, err := Parse(text)
	want := []LoRA{{Weights: "ink style", Scale: 0.8, Hash: "7c6bad76eb54"}, {Weights: "detail", Scale: 1, TextEncoder: scale(0.25)}}
	if err != nil || back.Prompt != "a fox" || !reflect.DeepEqual(back.LoRAs, want) {
		t.Errorf("%+v, %v", back, err)
	}
}

// A1111's text carries textual inversions with their hashes, in both directions.
func TestTextualInversionsInA1111Text(t *testing.T) {
	s := Default()
	s.Prompt, s.NegativePrompt = "a cat", "easy"
	s.TextualInversions = []string{"folder/easy.pt", "toy.safetensors"}
	s.TextualInversionHashes = map[string]string{"folder/easy.pt": "C74B4E810B03AAAA", "toy.safetensors": "0123456789ab"}
	text := s.Public().Format()
	if want := `TI hashes: "easy: C74B4E810B03, toy: 0123456789ab"`; !strings.Contains(text, want) {
		t.Errorf("%q is missing in\n%s", want, text)
	}
	back, err := Parse(text)
	want := map[string]string{"easy": "c74b4e810b03", "toy": "0123456789ab"}
	if err != nil || !slices.Equal(back.TextualInversions, []string{"easy", "toy"}) || !maps.Equal(back.TextualInversionHashes, want) {
		t.Errorf("%q with %q, %v", back.TextualInversions, back.TextualInversionHashes, err)
	}
}

// What is known by a number gets its name, together with its hash.
func TestRenamed(t *testing.T) {
	const link = "https://civitai.com/api/download/models/"
	s := Default()
	s.Prompt, s.LoRAs = "easy", []LoRA{{Weights: link + "1", Scale: 1, Hash: "7c6bad76eb54"}}
	s.TextualInversions, s.TextualInversionHashes = []string{link + "2"}, map[string]string{link + "2": "c74b4e810b03"}
	text := s.Renamed(func(file string) string {
		return map[string]string{link + "1": "ink.safetensors", link + "2": "easy.pt"}[file]
	}).Public().Format()
	for _, want := range []string{"<lora:ink:1>", "Lora hashes: ink: 7c6bad76eb54", "TI hashes: easy: c74b4e810b03"} {
		if !strings.Contains(strings.ReplaceAll(text, `"`, ""), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if s.LoRAs[0].Weights != link+"1" || s.TextualInversions[0] != link+"2" {
		t.Errorf("the settings themselves are changed: %+v", s)
	}
}

func TestWeightsName(t *testing.T) {
	for file, want := range map[string]string{"a.safetensors": "a", `C:\x\b.v2.safetensors`: "b.v2", "c": "c", "https://x/y/d.SafeTensors?token=1": "d", "e.safetensors.safetensors": "e"} {
		if got := WeightsName(file); got != want {
			t.Errorf("%s is called %q", file, got)
		}
	}
}
