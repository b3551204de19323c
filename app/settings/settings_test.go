package settings

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// full has every field set.
func full() Settings {
	s := Default()
	s.Model = "folder, with: odd name"
	s.Prompt = "a fox, \"quoted\"\nin two lines"
	s.NegativePrompt = "blurry, low quality"
	s.InitImage, s.Strength, s.Mask = "start.png", 0.65, "mask.png"
	s.Scheduler = "dpmpp_2m_karras"
	s.NumInferenceSteps, s.GuidanceScale = 23, 6.25
	s.Height, s.Width = 640, 384
	s.Seed, s.NumImages = math.MaxUint64, 3
	s.VariationSeed, s.VariationStrength = 12, 0.3
	s.TomeRatio = 0.4
	s.Outpaint = Borders{Left: 8, Bottom: 64}
	s.GeneratorDevice, s.Background = GeneratorGPU, "#102030"
	text := 0.25
	s.LoRAs = []LoRA{{Weights: "style.safetensors", Scale: 0.8, TextEncoder: &text, Hash: "0123456789ab"}, {Weights: "other", Scale: -1}}
	s.Guides = Guides{
		&IPAdapter{
			Weights: "plus.safetensors", ImageEncoder: "encoder", Lambda: 0.6, Layers: LayersStyle, Start: 0.1, End: 0.9, Mask: "left.png",
			Images: []ImagePrompt{{Picture: "a.jpg", Crop: &Crop{3, 4, 200}}, {Picture: "b.jpg"}},
		},
		&IPAdapter{Lambda: 0, Layers: LayersAll, End: 0.5, Images: []ImagePrompt{{Picture: "c.webp"}}},
	}
	return s
}

func TestJSONRoundTrip(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	back, err := FromJSON(text)
	if err != nil || !reflect.DeepEqual(back, full()) {
		t.Errorf("%s\ncomes back as %+v, %v", text, back, err)
	}
}

func TestAbsentFieldsHaveDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"guides":                   `{"prompt": "x", "guides": [{"kind": "ip-adapter", "images": [{"picture": "p"}]}]}`,
		"before there were guides": `{"prompt": "x", "ip_adapters": [{"images": [{"picture": "p"}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromJSON([]byte(text))
			want := Default()
			want.Prompt = "x"
			adapter := DefaultIPAdapter()
			adapter.Images = []ImagePrompt{{Picture: "p"}}
			want.Guides = Guides{&adapter}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// Settings that were saved before there were guides are read completely, and saved as guides.
func TestOldIPAdapters(t *testing.T) {
	const old = `{"prompt": "a fox", "negative_prompt": "", "ip_adapters": [
		{"ip_adapter": "plus.safetensors", "image_encoder": "", "images": [{"picture": "a.jpg", "crop": {"x": 1, "y": 2, "size": 3}}],
		 "ip_adapter_scale": 0.6, "ip_adapter_layers": "style", "ip_adapter_start": 0.1, "ip_adapter_end": 0.9, "ip_adapter_mask": "left.png"},
		{"ip_adapter": "", "image_encoder": "", "images": [{"picture": "b.jpg"}], "ip_adapter_scale": 0}]}`
	got, err := FromJSON([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	want := Guides{
		&IPAdapter{Weights: "plus.safetensors", Images: []ImagePrompt{{Picture: "a.jpg", Crop: &Crop{1, 2, 3}}},
			Lambda: 0.6, Layers: LayersStyle, Start: 0.1, End: 0.9, Mask: "left.png"},
		&IPAdapter{Images: []ImagePrompt{{Picture: "b.jpg"}}, Layers: LayersAll, End: 1},
	}
	if !reflect.DeepEqual(got.Guides, want) {
		t.Errorf("got %+v", got.IPAdapters())
	}
	text, err := json.Marshal(got)
	if err != nil || strings.Contains(string(text), "ip_adapters") || !strings.Contains(string(text), `"guides":[{"kind":"ip-adapter","ip_adapter":"plus.safetensors"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// A guide of a kind that only a newer version knows is left out, and the error says so.
func TestUnknownGuide(t *testing.T) {
	got, err := FromJSON([]byte(`{"guides": [{"kind": "hologram", "power": 9}, {"kind": "ip-adapter", "images": [{"picture": "p"}]}]}`))
	var partial *Partial
	if len(got.Guides) != 1 || !errors.As(err, &partial) || !strings.Contains(err.Error(), "hologram") {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A copy can be changed without changing what it was copied from.
func TestClone(t *testing.T) {
	s := full()
	c := s.Clone()
	a := c.IPAdapters()[0]
	a.Lambda, a.Images[0].Picture, a.Images[0].Crop.Size = 9, "other", 1
	if !reflect.DeepEqual(s, full()) {
		t.Error("the original has changed")
	}
}

func TestUnknownAndDamagedJSON(t *testing.T) {
	got, err := FromJSON([]byte(`{"prompt": "x", "hologram": true}`))
	var partial *Partial
	if got.Prompt != "x" || !errors.As(err, &partial) || !strings.Contains(err.Error(), "hologram") {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := FromJSON([]byte(`{"prompt": 3}`)); err == nil || errors.As(err, &partial) || !reflect.DeepEqual(got, Default()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// As in diffusers, strength is the fraction of the steps that is run. 0 used to run all.
func TestStrengthThatLeavesNoStep(t *testing.T) {
	for _, tc := range []struct {
		strength float64
		steps    int
		good     bool
	}{{0, 50, false}, {0.01, 50, false}, {0.02, 50, true}, {0.5, 1, false}, {1, 1, true}} {
		s := Default()
		s.InitImage, s.Strength, s.NumInferenceSteps = "start.png", tc.strength, tc.steps
		if err := s.Validate(); (err == nil) != tc.good || err != nil && !strings.Contains(err.Error(), "leave none to run") {
			t.Errorf("strength %g of %d steps: %v", tc.strength, tc.steps, err)
		}
	}
	s := Default()
	if s.Strength = 0; s.Validate() != nil {
		t.Error("without a start picture the strength says nothing")
	}
}

func TestValidate(t *testing.T) {
	for _, good := range []Settings{Default(), full()} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
	bad := full()
	bad.Scheduler = "heun"
	bad.NumInferenceSteps = 0
	bad.GuidanceScale = math.NaN()
	bad.Height, bad.Width = 100, 8192
	bad.NumImages = -1
	bad.Strength = 1.5
	bad.InitImage = ""
	bad.Outpaint = Borders{Left: 13, Top: 104, Right: -8}
	bad.VariationStrength = 2
	bad.TomeRatio = 0.8
	bad.Guides = append(bad.Guides, &Reference{Picture: "a.png", Attention: true})
	a, b := bad.IPAdapters()[0], bad.IPAdapters()[1]
	a.Lambda, a.Layers, a.Start = math.Inf(1), "some", 0.95
	a.Images[0].Crop.Size, a.Images[1].Picture = 0, ""
	b.Images = nil
	err := bad.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		`scheduler is "heun". Choose one of ddim, ddim_trailing, pndm`, "num_inference_steps is 0", "guidance_scale is NaN", "height is 100. It must be a multiple of 8", "(the nearest is 104)",
		"width is 8192", "(the nearest is 4096)", "num_images is -1", "strength is 1.5", "variation_strength is 2", "tome_ratio is 0.8", "leave the reference picture out", "outpaint is given without init_image", "outpaint: left is 13", "(the nearest is 16)", "outpaint: right is -8",
		"outpaint leaves 8187 × 0 of 8192 × 100 pixels", "mask is given without init_image", "guides[0]: ip_adapter_scale is +Inf",
		`guides[0]: ip_adapter_layers is "some"`, "guides[0]: ip_adapter_start (0.95) is after", "guides[0]: images[0]: a crop of 0", "guides[0]: images[1] names no", "guides[1]: images is empty",
	} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}
