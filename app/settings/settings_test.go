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
	s.GeneratorDevice, s.Background = GeneratorGPU, "#102030"
	s.IPAdapters = []IPAdapter{
		{
			Weights: "plus.safetensors", ImageEncoder: "encoder", Scale: 0.6, Layers: LayersStyle, Start: 0.1, End: 0.9, Mask: "left.png",
			Images: []ImagePrompt{{Picture: "a.jpg", Crop: &Crop{3, 4, 200}}, {Picture: "b.jpg"}},
		},
		{Scale: 0, Layers: LayersAll, End: 0.5, Images: []ImagePrompt{{Picture: "c.webp"}}},
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
	got, err := FromJSON([]byte(`{"prompt": "x", "ip_adapters": [{"images": [{"picture": "p"}]}]}`))
	want := Default()
	want.Prompt = "x"
	adapter := DefaultIPAdapter()
	adapter.Images = []ImagePrompt{{Picture: "p"}}
	want.IPAdapters = []IPAdapter{adapter}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
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
	bad.IPAdapters[0].Scale = math.Inf(1)
	bad.IPAdapters[0].Layers = "some"
	bad.IPAdapters[0].Start = 0.95
	bad.IPAdapters[0].Images[0].Crop.Size = 0
	bad.IPAdapters[0].Images[1].Picture = ""
	bad.IPAdapters[1].Images = nil
	err := bad.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		`scheduler is "heun"; choose one of ddim, pndm`, "num_inference_steps is 0", "guidance_scale is NaN", "height is 100; it must be a multiple of 8", "(104 is near)",
		"width is 8192", "(4096 is near)", "num_images is -1", "strength is 1.5", "mask is given without init_image", "ip_adapters[0]: ip_adapter_scale is +Inf",
		`ip_adapters[0]: ip_adapter_layers is "some"`, "ip_adapters[0]: ip_adapter_start (0.95) is after", "ip_adapters[0]: images[0]: a crop of 0", "ip_adapters[0]: images[1] names no", "ip_adapters[1]: images is empty",
	} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}
