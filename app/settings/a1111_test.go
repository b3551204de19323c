package settings

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/model/scheduler"
)

func TestFormat(t *testing.T) {
	s := Default()
	s.Prompt = "a fox, on a blue background"
	s.NegativePrompt = "blurry"
	s.NumInferenceSteps, s.GuidanceScale, s.Seed = 20, 7, 1
	s.Scheduler = "dpmpp_2m_karras"
	const want = "a fox, on a blue background\n" +
		"Negative prompt: blurry\n" +
		"Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1, Size: 512x512, RNG: CPU, Version: imPrompt"
	if got := s.Format(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s = Settings{Scheduler: "", Model: `a, "b": c`, InitImage: "x.png", Strength: 0.75, GuidanceScale: 7.5, NumInferenceSteps: 1, Width: 64, Height: 128}
	const bare = `Steps: 1, CFG scale: 7.5, Seed: 0, Size: 64x128, Model: "a, \"b\": c", Denoising strength: 0.75, RNG: CPU, Version: imPrompt`
	if got := s.Format(); got != bare {
		t.Errorf("got\n%s\nwant\n%s", got, bare)
	}
	if back, err := Parse(bare); err != nil || back.Foreign || back.Model != s.Model {
		t.Errorf("read back, it names the model %q: %v", back.Model, err)
	}
}

func TestParseForeignTexts(t *testing.T) {
	base := Default()
	with := func(change func(*Settings)) Settings {
		s := base
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name, text string
		want       Settings
		leftOut    string // all of these words are in the error, "" for no error
	}{
		{
			"an older version",
			"masterpiece, cat\nNegative prompt: bad, ugly\nSteps: 28, Sampler: DPM++ 2M Karras, CFG scale: 8.5, Seed: 1234567890, Size: 512x768, Model hash: abcdef, Denoising strength: 0.4, Version: v1.3.2",
			with(func(s *Settings) {
				s.Prompt, s.NegativePrompt = "masterpiece, cat", "bad, ugly"
				s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = 28, "dpmpp_2m_karras", 8.5, 1234567890
				s.Width, s.Height, s.Strength = 512, 768, 0.4
				s.GeneratorDevice = GeneratorGPU // which A1111 does not write
			}), "",
		},
		{
			"a newer version, with Windows' line ends",
			"cat\r\ndog\r\nNegative prompt: a\r\nb\r\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 640x512, Version: v1.9.4",
			with(func(s *Settings) {
				s.Prompt, s.NegativePrompt = "cat\ndog", "a\nb"
				s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = 20, "dpmpp_2m_karras", 7, 5
				s.Width, s.GeneratorDevice = 640, GeneratorGPU
			}), "",
		},
		{
			"automatic schedules",
			"Steps: 20, Sampler: DPM++ 2M, Schedule type: Automatic, CFG scale: 7",
			with(func(s *Settings) { s.NumInferenceSteps, s.Scheduler, s.GuidanceScale = 20, "dpmpp_2m_karras", 7 }), "",
		},
		{
			"automatic, another sampler",
			"Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7",
			with(func(s *Settings) { s.NumInferenceSteps, s.Scheduler, s.GuidanceScale = 20, "euler_a", 7 }), "",
		},
		{
			"more merged tokens than can be",
			"Steps: 20, Sampler: Euler, CFG scale: 7, Token merging ratio: 0.9",
			with(func(s *Settings) {
				s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.TomeRatio = 20, "euler", 7, 0.75
			}), "is used as 0.75",
		},
		{
			"an unknown schedule",
			"Steps: 20, Sampler: Euler, Schedule type: Exponential, CFG scale: 7",
			with(func(s *Settings) { s.NumInferenceSteps, s.Scheduler, s.GuidanceScale = 20, "euler", 7 }), `without its schedule type "Exponential"`,
		},
		{
			"fields without a counterpart",
			`fox` + "\n" + `Steps: 20, Sampler: DPM++ SDE Karras, CFG scale: 7, Seed: -1, Size: big, Model: v1-5, Clip skip: 2, RNG: NV, Hires upscale: 2, Lora hashes: "a: 1, b: 2"`,
			with(func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.GuidanceScale, s.GeneratorDevice, s.ClipSkip = "fox", 20, 7, GeneratorGPU, 1
			}),
			`DPM++ SDE Karras|Seed is "-1"|Size is "big"|Model is "v1-5"|Hires upscale|LoRA: a, b`,
		},
		{
			"no parameters",
			"  just a prompt: with, a colon  ",
			with(func(s *Settings) { s.Prompt = "just a prompt: with, a colon" }), "",
		},
		{"empty", "", base, ""},
		{
			"only a negative prompt",
			"Negative prompt: x\nSteps: 5, Sampler: PLMS, CFG scale: 1",
			with(func(s *Settings) {
				s.NegativePrompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale = "x", 5, "pndm", 1
			}), "",
		},
	} {
		got, err := Parse(tc.text)
		if !equal(got, tc.want) {
			t.Errorf("%s: got %+v\nwant %+v", tc.name, got, tc.want)
		}
		if tc.leftOut == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		var partial *Partial
		if !errors.As(err, &partial) {
			t.Errorf("%s: %v is no Partial", tc.name, err)
			continue
		}
		for want := range strings.SplitSeq(tc.leftOut, "|") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in %v", tc.name, want, err)
			}
		}
	}
}

func TestEverySchedulerSurvivesTheText(t *testing.T) {
	for _, name := range append(scheduler.Names(), "") {
		s := Default()
		s.Prompt, s.Scheduler = "x", name
		back, err := Parse(s.Format())
		if err != nil || back.Scheduler != name {
			t.Errorf("%q comes back as %q, %v", name, back.Scheduler, err)
		}
	}
}

// FuzzParse checks that settings read from a text are the same after they are written
// and read again.
func FuzzParse(f *testing.F) {
	f.Add(full().Format())
	f.Add("a\nNegative prompt: b\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512")
	f.Add("a: b, c: d, e: \"f\\\"g\"")
	f.Fuzz(func(t *testing.T, text string) {
		s, _ := Parse(text)
		if strings.Contains(s.Prompt+s.NegativePrompt, negativePrefix) {
			return // this word ends the prompt, wherever it is
		}
		back, _ := Parse(s.Format())
		if !equal(s, back) {
			t.Fatalf("%q is read as\n%+v, and that as\n%+v", text, s, back)
		}
	})
}

// equal compares what the text can carry.
func equal(a, b Settings) bool {
	if a.InitImage == "" {
		a.Strength, b.Strength = 0, 0
	}
	sameLoRA := func(a, b LoRA) bool {
		return a.Name() == b.Name() && a.Scale == b.Scale && (a.TextEncoder == nil) == (b.TextEncoder == nil) && (a.TextEncoder == nil || *a.TextEncoder == *b.TextEncoder)
	}
	return slices.EqualFunc(a.LoRAs, b.LoRAs, sameLoRA) && a.Prompt == b.Prompt && a.NegativePrompt == b.NegativePrompt && a.Scheduler == b.Scheduler &&
		a.NumInferenceSteps == b.NumInferenceSteps && a.GuidanceScale == b.GuidanceScale && a.Seed == b.Seed && a.VariationStrength == b.VariationStrength && (a.VariationSeed == b.VariationSeed || a.VariationStrength <= 0) &&
		a.ClipSkip == b.ClipSkip && a.Eta == b.Eta && a.TomeRatio == b.TomeRatio && a.Width == b.Width && a.Height == b.Height && a.Strength == b.Strength && a.GeneratorDevice == b.GeneratorDevice
}
