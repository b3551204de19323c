package settings

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// Guides of structure survive JSON, and absent fields have their defaults.
func TestStructureJSON(t *testing.T) {
	s := Default()
	s.Guides = Guides{&ControlNet{Weights: "a", Map: "m.png", Lambda: 0.5, Start: 0.1, End: 0.9, Balance: BalanceControl},
		&T2IAdapter{Weights: "b", Map: "n.png", Lambda: 0.25, End: 1}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := FromJSON(text)
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%s becomes %+v (%v)", text, back.Guides, err)
	}
	back, err = FromJSON([]byte(`{"guides":[{"kind":"controlnet","control_image":"m.png"},{"kind":"t2i-adapter","t2i_adapter":"b"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	net, adapter := DefaultControlNet(), DefaultT2IAdapter()
	net.Map, adapter.Weights = "m.png", "b"
	if !reflect.DeepEqual(back.Guides, Guides{&net, &adapter}) {
		t.Errorf("with defaults: %+v", back.Guides)
	}
}

// A1111's text has a unit for each ControlNet and T2I-Adapter, and is read back, apart from the
// maps.
func TestStructureA1111(t *testing.T) {
	s := Default()
	s.Scheduler, s.Seed = "ddim", 5
	s.Guides = Guides{&ControlNet{Weights: "/nets/control_v11p_sd15_canny", Map: "m.png", Lambda: 0.5, Start: 0.1, End: 0.9, Balance: BalancePrompt},
		&T2IAdapter{Weights: "t2iadapter_sketch_sd15v2.pth", Map: "n.png", Lambda: 0.25, End: 1, Preprocessor: "canny:high_threshold=90"},
		&T2IAdapter{Weights: "t2iadapter_color.pth", Map: "o.png", Lambda: 1, End: 1, Preprocessor: "scribble"}} // it has no such preprocessor
	text := s.Format()
	if want := `ControlNet 0: "Module: none, Model: control_v11p_sd15_canny, Weight: 0.5, `; !strings.Contains(text, want) {
		t.Errorf("the text lacks %s: %s", want, text)
	}
	if want := `"Module: canny, Threshold A: 100, Threshold B: 90, Model: t2iadapter_sketch`; !strings.Contains(text, want) {
		t.Errorf("the text lacks %s: %s", want, text)
	}
	back, err := Parse(text)
	if left := new(Partial); !errors.As(err, &left) || !strings.Contains(err.Error(), "ControlNet 1 made its map with the preprocessor canny, and the file does not contain the map") {
		t.Error(err)
	}
	want := Guides{&ControlNet{Weights: "control_v11p_sd15_canny", Lambda: 0.5, Start: 0.1, End: 0.9, Balance: BalancePrompt},
		&T2IAdapter{Weights: "t2iadapter_sketch_sd15v2.pth", Lambda: 0.25, End: 1, Preprocessor: "canny:high_threshold=90"},
		&T2IAdapter{Weights: "t2iadapter_color.pth", Lambda: 1, End: 1}}
	if !reflect.DeepEqual(back.Guides, want) {
		t.Errorf("%s is read as %+v", text, back.Guides)
	}
}

// What sd-webui-controlnet wrote is read, and what has no counterpart is named.
func TestForeignUnits(t *testing.T) {
	s, err := Parse("fox\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 5, Size: 512x512, " +
		`ControlNet 0: "Module: canny, Model: control_v11p_sd15_canny [d14c016b], Weight: 0.8, Resize Mode: Crop and Resize, Processor Res: 512, Threshold A: 64, Threshold B: 200, Guidance Start: 0, Guidance End: 0.6, Pixel Perfect: True, Control Mode: ControlNet is more important", ` +
		`ControlNet 1: "Module: ip-adapter_clip_sd15, Model: ip-adapter_sd15 [6a3f6166], Weight: 1"`)
	var left *Partial
	if !errors.As(err, &left) || !strings.Contains(err.Error(), "ControlNet 0 made its map with the preprocessor canny") || !strings.Contains(err.Error(), "ip-adapter_sd15") {
		t.Errorf("left out: %v", err)
	}
	want := Guides{&ControlNet{Weights: "control_v11p_sd15_canny", Lambda: 0.8, End: 0.6, Balance: BalanceControl, Preprocessor: "canny:low_threshold=64"}}
	if !reflect.DeepEqual(s.Guides, want) {
		t.Errorf("read as %+v", s.Guides)
	}
}

// What cannot be drawn is refused by name, and folders do not travel with a picture.
func TestStructureChecks(t *testing.T) {
	s := Default()
	s.Guides = Guides{&ControlNet{Lambda: 11, Start: 0.8, End: 0.2, Balance: "loud"}, &T2IAdapter{Preprocessor: "cany"}, &ControlNet{Preprocessor: "hed"}}
	err := s.Validate()
	for _, want := range []string{"control_image is missing", "controlnet_conditioning_scale is 11", "control_guidance_start (0.8) is after control_guidance_end (0.2)",
		`control_mode is "loud"; choose one of balanced, prompt, control, guess`, "t2i_adapter is missing",
		`there is no preprocessor "cany"`, "preprocessor_weights is missing. hed is a network"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	s.Guides = Guides{&ControlNet{Weights: "/home/me/nets/canny", Map: "/home/me/a.png", Mask: "C:\\me\\m.png", PreprocessorWeights: "/home/me/hed.pth"}}
	if c := s.Public().Guides[0].(*ControlNet); c.Weights != "canny" || c.PreprocessorWeights != "hed.pth" || c.Map != "a.png" || c.Mask != "m.png" {
		t.Errorf("public: %+v", c)
	}
}

// Reference pictures and Uni-ControlNet survive JSON, and A1111's text has a reference picture as a unit,
// apart from the picture.
func TestReferenceAndUni(t *testing.T) {
	s := Default()
	s.Scheduler, s.Seed = "ddim", 5
	s.Guides = Guides{&Reference{Picture: "r.png", Fidelity: 0.25, AdaIN: true}, &Reference{Picture: "q.png", Fidelity: 1, Attention: true, AdaIN: true},
		&UniControlNet{Weights: "/me/uni.ckpt", Canny: "/me/c.png", Content: "p.png", Local: 0.5, Global: 0.75, End: 1, Preprocessors: [7]string{"canny:l2_gradient=1"}}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := FromJSON(text); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%s becomes %+v (%v)", text, back.Guides, err)
	}
	if u := s.Public().Guides[2].(*UniControlNet); u.Weights != "uni.ckpt" || u.Canny != "c.png" {
		t.Errorf("public: %+v", u)
	}
	written := s.Format()
	if want := `"Module: reference_adain, Threshold A: 0.25, Model: None, `; !strings.Contains(written, want) {
		t.Errorf("the text lacks %s: %s", want, written)
	}
	back, err := Parse(written)
	var left *Partial
	if !errors.As(err, &left) || !strings.Contains(err.Error(), "reference picture") {
		t.Errorf("left out: %v", err)
	}
	if want := (Guides{&Reference{Fidelity: 0.25, AdaIN: true}, &Reference{Fidelity: 1, Attention: true, AdaIN: true}}); !reflect.DeepEqual(back.Guides, want) {
		t.Errorf("%s is read as %+v", written, back.Guides)
	}
	s.Guides = Guides{&Reference{Picture: "r.png"}, &UniControlNet{Local: 20, Preprocessors: [7]string{2: "hod"}}}
	err = s.Validate()
	for _, want := range []string{"both off", "uni_controlnet is missing", "uni_controlnet has no picture", "local_control_scale is 20", `hed_image: preprocessor: there is no preprocessor "hod"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
