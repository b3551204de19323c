package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Real texts of other programs, with the settings they must give. leftOut lists words
// of the notes, one entry for each note.
func TestTextsOfOtherPrograms(t *testing.T) {
	type change = func(*Settings)
	for _, tc := range []struct {
		name, text string
		want       change
		leftOut    []string
	}{
		{
			"A1111 without a negative prompt",
			"a fox in the snow\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1234, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, VAE hash: 735e4c3a44, Version: v1.10.1",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.Height = "a fox in the snow", 20, "euler_a", 7, 1234, 768
				s.GeneratorDevice = GeneratorGPU
			},
			[]string{`Model is "v1-5-pruned-emaonly"`},
		},
		{
			"weights, LoRA and hires",
			"(masterpiece:1.2), a [cat] <lora:add_detail:0.6>, <lora:epi noise offset:1> by the sea\nNegative prompt: (worst quality:1.4), <lora:bad:0.3>\nSteps: 25, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 99, Size: 512x512, Denoising strength: 0.45, Hires upscale: 2, Hires steps: 10, Hires upscaler: 4x-UltraSharp, Lora hashes: \"add_detail: 7c6bad76eb54, epi noise offset: d1131f7207d6\", TI hashes: \"EasyNegative: c74b4e810b03\", Version: v1.6.0",
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "add_detail", Scale: 0.6}, {Weights: "epi noise offset", Scale: 1}}
				s.TextualInversions, s.TextualInversionHashes = []string{"EasyNegative"}, map[string]string{"EasyNegative": "c74b4e810b03"}
				s.Prompt, s.NegativePrompt = "(masterpiece:1.2), a [cat], by the sea", "(worst quality:1.4),"
				s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = 25, "dpmpp_2m_karras", 6.5, 99
				s.GeneratorDevice = GeneratorGPU
			},
			[]string{"LoRA in the negative prompt, where it has no effect: bad", "Hires (upscale 2, steps 10, upscaler 4x-UltraSharp, denoising strength 0.45)"},
		},
		{
			"ADetailer, ControlNet and values with commas and colons",
			`portrait` + "\n" + `Steps: 30, Sampler: DDIM, CFG scale: 7, Seed: 5, Size: 512x512, ADetailer model: face_yolov8n.pt, ADetailer prompt: "a face, with: eyes", ADetailer confidence: 0.3, ADetailer version: 23.11.0, ControlNet 0: "Module: canny, Model: control_v11p_sd15_canny [d14c016b], Weight: 1, Resize Mode: Crop and Resize", Version: v1.7.0`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.GeneratorDevice = "portrait", 30, "ddim", 7, 5, GeneratorGPU
			},
			[]string{"ADetailer (model face_yolov8n.pt, prompt a face, with: eyes, confidence 0.3, version 23.11.0)", "ControlNet 0 made its map with the preprocessor canny"},
		},
		{
			"Dynamic Prompts' templates behind the parameters",
			"a red fox\nNegative prompt: ugly\nSteps: 12, Sampler: Euler, CFG scale: 5, Seed: 8, Size: 512x512, RNG: CPU, Version: v1.6.0\nTemplate: a {red|blue} fox, with: more, than: one, key: here\nNegative Template: ugly",
			func(s *Settings) {
				s.Prompt, s.NegativePrompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a red fox", "ugly", 12, "euler", 5, 8
			},
			nil,
		},
		{
			"a template among the parameters",
			`a red fox` + "\n" + `Steps: 12, Sampler: Euler, CFG scale: 5, Seed: 8, Size: 512x512, RNG: CPU, Template: "a {red|blue} fox, on: grass"`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a red fox", 12, "euler", 5, 8
			},
			nil,
		},
		{
			"Forge",
			"a fox\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 7, Distilled CFG Scale: 3.5, Seed: 7, Size: 512x512, Model hash: aa, Model: x, Version: f2.0.1v1.10.1-previous-313-g8a042934, Module 1: ae, Module 2: clip_l",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.GeneratorDevice = "a fox", 20, "euler_simple", 7, 7, GeneratorGPU
			},
			[]string{`Model is "x"`, "Distilled CFG Scale (3.5)", "Module (1 ae, 2 clip_l)"},
		},
		{
			"Civitai",
			`a knight` + "\n" + `Negative prompt: bad` + "\n" + `Steps: 28, CFG scale: 4, Sampler: Euler a, Seed: 2717871, Size: 832x1216, Clip skip: 2, Created Date: 2024-08-01T12:34:56.1234567Z, Civitai resources: [{"type":"checkpoint","modelVersionId":128713,"modelName":"DreamShaper, really","modelVersionName":"8"},{"type":"lora","weight":0.8,"modelVersionId":1,"modelName":"Detail: more","modelVersionName":"v1"}], Civitai metadata: {"remixOfId":1}`,
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "Detail more", Scale: 0.8}}
				s.Prompt, s.NegativePrompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a knight", "bad", 28, "euler_a", 4, 2717871
				s.Width, s.Height, s.ClipSkip = 832, 1216, 1
			},
			[]string{`Model is "DreamShaper, really"`},
		},
		{
			"Civitai's newer form",
			`a knight` + "\n" + `Negative prompt: bad` + "\n" + `Steps: 25, quantity: 4, workflow: txt2img, CFG scale: 7, Sampler: Undefined, Seed: 3, width: 512, height: 768, draft: false, Civitai metadata: {}`,
			func(s *Settings) {
				s.Prompt, s.NegativePrompt, s.NumInferenceSteps, s.GuidanceScale, s.Seed, s.Height = "a knight", "bad", 25, 7, 3, 768
			},
			nil,
		},
		{
			"Hashes as an object, and a value without a key",
			`x` + "\n" + `Steps: 5, Sampler: LCM, CFG scale: 2, Seed: 1, Size: 64x64, Model: a, b, Hashes: {"vae": "c6a580b13a", "model": "ad2a33c361"}, RNG: CPU`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.Width, s.Height = "x", 5, "lcm", 2, 1, 64, 64
			},
			[]string{`Model is "a, b"`},
		},
		{
			"a variation, and what has no counterpart",
			"x\nSteps: 5, Sampler: Euler a, CFG scale: 2, Seed: 1, Size: 64x64, Variation seed: 5, Variation seed strength: 0.3, ENSD: 31337, Face restoration: CodeFormer",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.Width, s.Height = "x", 5, "euler_a", 2, 1, 64, 64
				s.GeneratorDevice, s.VariationSeed, s.VariationStrength = GeneratorGPU, 5, 0.3
			},
			[]string{"ENSD (31337)", "Face restoration (CodeFormer)"},
		},
		{
			"a value with line ends in it",
			"x\nSteps: 5, Sampler: Euler, CFG scale: 2, Seed: 1, Size: 64x64, RNG: CPU, ADetailer prompt: one\ntwo",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.Width, s.Height = "x", 5, "euler", 2, 1, 64, 64
			},
			[]string{"ADetailer prompt (one two)"},
		},
		{
			"Fooocus in A1111's form",
			"a fox\nNegative prompt: bad\nSteps: 30, Sampler: DPM++ 2M SDE Karras, CFG scale: 4.0, Seed: 12, Size: 896x1152, Model: juggernautXL_v8, Performance: Speed, Sharpness: 2.0, Styles: \"['Fooocus V2', 'Fooocus Sharp']\", Version: Fooocus v2.3.1",
			func(s *Settings) {
				s.Prompt, s.NegativePrompt, s.NumInferenceSteps, s.GuidanceScale, s.Seed, s.Width, s.Height = "a fox", "bad", 30, 4, 12, 896, 1152
				s.Scheduler = "dpmpp_2m_sde_karras"
			},
			[]string{`Model is "juggernautXL_v8"`, "Performance (Speed)", "Sharpness (2.0)", "Styles"},
		},
		{
			"Fooocus' JSON",
			`{"adm_guidance": "(1.5, 0.8, 0.3)", "base_model": "juggernautXL_v8Rundiffusion", "base_model_hash": "aeb7e9e689", "clip_skip": 2, "full_negative_prompt": ["a", "b"], "full_prompt": ["a"], "guidance_scale": 4.0, "loras": [["sd_xl_offset_example-lora_1.0", 0.1, "4852686128"]], "metadata_scheme": "fooocus", "negative_prompt": "unrealistic, saturated", "performance": "Speed", "prompt": "a fox, \"quoted\": yes", "refiner_model": "None", "refiner_switch": 0.5, "resolution": "(896, 1152)", "sampler": "dpmpp_2m", "scheduler": "karras", "seed": "8403093238838494286", "sharpness": 2.0, "steps": 30, "styles": "['Fooocus V2']", "vae": "Default (model)", "version": "Fooocus v2.5.0"}`,
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "sd_xl_offset_example-lora_1.0", Scale: 0.1}}
				s.Prompt, s.NegativePrompt, s.NumInferenceSteps, s.Scheduler = `a fox, "quoted": yes`, "unrealistic, saturated", 30, "dpmpp_2m_karras"
				s.GuidanceScale, s.Seed, s.Width, s.Height = 4, 8403093238838494286, 896, 1152
			},
			[]string{`Model is "juggernautXL_v8Rundiffusion"`, "performance (Speed)", "sharpness (2.0)", "Styles (['Fooocus V2'])"},
		},
		{
			"SwarmUI",
			`{"sui_image_params": {"prompt": "a cat", "negativeprompt": "bad", "model": "sd15", "images": 1, "seed": 77, "variationseed": 78, "variationseedstrength": 0.2, "steps": 22, "cfgscale": 6.5, "aspectratio": "1:1", "width": 512, "height": 640, "sampler": "euler_ancestral", "scheduler": "normal"}, "sui_extra_data": {}}`,
			func(s *Settings) {
				s.Prompt, s.NegativePrompt, s.Seed, s.NumInferenceSteps, s.GuidanceScale, s.Height, s.Scheduler = "a cat", "bad", 77, 22, 6.5, 640, "euler_a"
				s.VariationSeed, s.VariationStrength = 78, 0.2
			},
			[]string{`Model is "sd15"`},
		},
		{
			"InvokeAI",
			`{"app_version": "4.0.0", "generation_mode": "txt2img", "positive_prompt": "a cat", "negative_prompt": "bad", "width": 512, "height": 512, "seed": 7, "cfg_scale": 7.5, "steps": 15, "scheduler": "unipc", "clip_skip": 0, "model": {"key": "1", "name": "stable-diffusion-v1-5", "base": "sd-1"}, "loras": [{"model": {"name": "detail"}, "weight": 0.5}]}`,
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "detail", Scale: 0.5}}
				s.Prompt, s.NegativePrompt, s.Seed, s.NumInferenceSteps, s.Scheduler = "a cat", "bad", 7, 15, "unipc"
			},
			[]string{`Model is "stable-diffusion-v1-5"`},
		},
		{
			"ComfyUI's graph",
			comfyPrompt,
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "detail", Scale: 1}}
				s.Prompt, s.NegativePrompt, s.Seed, s.NumInferenceSteps, s.GuidanceScale = "beautiful scenery, purple galaxy", "text, watermark", 156680208700286, 20, 8
				s.Scheduler, s.Width, s.Height = "euler", 512, 640
			},
			[]string{`Model is "v1-5.ckpt"`, "1 more passes", "upscaling"},
		},
		{
			"ComfyUI's saved page",
			comfyWorkflow,
			func(s *Settings) {
				s.Prompt, s.NegativePrompt, s.Seed, s.NumInferenceSteps, s.GuidanceScale = "a fox", "bad", 42, 25, 6
				s.Scheduler, s.Width, s.Height = "dpmpp_2m_karras", 768, 512
			},
			[]string{`Model is "v1-5.ckpt"`},
		},
		{
			"a site that joined the lines",
			"a fox, red Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512X640, RNG: CPU",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.Height = "a fox, red", 20, "euler_a", 7, 1, 640
			},
			nil,
		},
		{
			"ComfyUI's names for samplers, by Civitai",
			"x\nSteps: 20, Sampler: dpmpp_2m_karras, CFG scale: 7, Seed: 1, Size: 512x512, Civitai resources: []",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "x", 20, "dpmpp_2m_karras", 7, 1
			},
			nil,
		},
		{
			"and another",
			"x\nSteps: 20, Sampler: euler_ancestral, CFG scale: 7, Seed: 1, Size: 512x512, Civitai resources: []",
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "x", 20, "euler_a", 7, 1
			},
			nil,
		},
		{
			"Fooocus' older log",
			`{"Prompt": "a fox", "Negative Prompt": "bad", "Fooocus V2 Expansion": "a fox, sharp", "Styles": "[]", "Performance": "Speed", "Resolution": "(1024, 768)", "Guidance Scale": 4, "Base Model": "x.safetensors", "LoRA 1": "offset.safetensors : 0.5", "Sampler": "euler", "Scheduler": "karras", "Seed": 5, "Version": "v2.1"}`,
			func(s *Settings) {
				s.LoRAs = []LoRA{{Weights: "offset", Scale: 0.5}}
				s.Prompt, s.NegativePrompt, s.GuidanceScale, s.Scheduler, s.Seed, s.Width, s.Height = "a fox", "bad", 4, "euler", 5, 1024, 768
			},
			[]string{`Model is "x.safetensors"`, "Performance (Speed)", `Sampler "Euler" is used without its schedule type "karras"`},
		},
		{
			"A1111's answer to programs",
			`{"prompt": "a", "infotexts": ["a fox\nSteps: 3, Sampler: LCM, CFG scale: 1.5, Seed: 9, Size: 512x512, Version: v1.9.0"]}`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed, s.GeneratorDevice = "a fox", 3, "lcm", 1.5, 9, GeneratorGPU
			},
			nil,
		},
		{
			"a graph as it is sent to ComfyUI",
			`{"client_id": "1", "prompt": {"3": {"class_type": "KSampler", "inputs": {"seed": 4, "steps": 6, "cfg": 2, "sampler_name": "lcm", "scheduler": "sgm_uniform", "denoise": 1, "positive": ["6", 0]}}, "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}}}}`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a fox", 6, "lcm", 2, 4
			},
			nil,
		},
		{
			"SwarmUI's sampler in ComfyUI",
			`{"3": {"class_type": "SwarmKSampler", "inputs": {"noise_seed": 4, "var_seed": 9, "var_seed_strength": 0.25, "steps": 6, "cfg": 2, "sampler_name": "euler", "scheduler": "normal", "positive": ["6", 0]}}, "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}}}`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a fox", 6, "euler", 2, 4
				s.VariationSeed, s.VariationStrength = 9, 0.25
			},
			nil,
		},
		{
			"a sampler that has variations of its own",
			`{"3": {"class_type": "KSampler //Inspire", "inputs": {"seed": 4, "variation_seed": 9, "variation_strength": 0.25, "steps": 6, "cfg": 2, "sampler_name": "euler", "scheduler": "normal", "positive": ["6", 0]}}, "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}}}`,
			func(s *Settings) {
				s.Prompt, s.NumInferenceSteps, s.Scheduler, s.GuidanceScale, s.Seed = "a fox", 6, "euler", 2, 4
				s.VariationSeed, s.VariationStrength = 9, 0.25
			},
			[]string{"KSampler //Inspire mixes the noise of two seeds in another way"},
		},
		{
			"ComfyUI without a sampler",
			`{"1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}`,
			func(*Settings) {},
			[]string{"no KSampler"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := Default()
			tc.want(&want)
			got, err := Parse(tc.text)
			if !equal(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			var partial *Partial
			errors.As(err, &partial)
			if partial == nil {
				partial = &Partial{}
			}
			for _, w := range tc.leftOut {
				if n := strings.Count(strings.Join(partial.LeftOut, "\n"), w); n != 1 {
					t.Errorf("%q is listed %d times", w, n)
				}
			}
			if len(partial.LeftOut) != len(tc.leftOut) {
				t.Errorf("left out: %q", partial.LeftOut)
			}
			if !got.Foreign {
				t.Error("it is taken for this program's own")
			}
			if back, _ := Parse(got.Format()); !equal(back, got) || back.Foreign {
				t.Errorf("written and read again it is %+v", back)
			}
		})
	}
}

const comfyPrompt = `{
"3": {"class_type": "KSampler", "inputs": {"seed": 156680208700286, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0, "model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SD1.5\\v1-5.ckpt"}},
"5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": ["12", 0], "batch_size": 1}},
"6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["11", 0], "clip": ["10", 1]}},
"7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["10", 1]}},
"8": {"class_type": "VAEDecode", "inputs": {"samples": ["21", 0], "vae": ["4", 2]}},
"10": {"class_type": "LoraLoader", "inputs": {"lora_name": "detail.safetensors", "strength_model": 1.0, "strength_clip": 1.0, "model": ["4", 0], "clip": ["4", 1]}},
"11": {"class_type": "String Literal", "inputs": {"string": "beautiful scenery, purple galaxy"}},
"12": {"class_type": "PrimitiveInt", "inputs": {"value": 640}},
"20": {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0], "width": 1024, "height": 1280}},
"21": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 14, "cfg": 8, "sampler_name": "dpmpp_2m", "scheduler": "simple", "denoise": 0.5, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["20", 0]}, "is_changed": [NaN]},
"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}}}`

const comfyWorkflow = `{"last_node_id": 9, "nodes": [
{"id": 3, "type": "KSampler", "mode": 0, "inputs": [{"name": "model", "link": 1}, {"name": "positive", "link": 4}, {"name": "negative", "link": 6}, {"name": "latent_image", "link": 2}], "widgets_values": [42, "randomize", 25, 6, "dpmpp_2m", "karras", 1]},
{"id": 4, "type": "CheckpointLoaderSimple", "mode": 0, "widgets_values": ["v1-5.ckpt"]},
{"id": 5, "type": "EmptyLatentImage", "mode": 0, "widgets_values": [768, 512, 1]},
{"id": 6, "type": "CLIPTextEncode", "mode": 0, "inputs": [{"name": "clip", "link": 3}], "widgets_values": ["a fox"]},
{"id": 7, "type": "CLIPTextEncode", "mode": 0, "inputs": [{"name": "clip", "link": 5}], "widgets_values": ["bad"]},
{"id": 8, "type": "LoraLoader", "mode": 4, "inputs": [], "widgets_values": ["unused.safetensors", 1, 1]}],
"links": [[1, 4, 0, 3, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [3, 4, 1, 6, 0, "CLIP"], [4, 6, 0, 3, 1, "CONDITIONING"], [5, 4, 1, 7, 0, "CLIP"], [6, 7, 0, 3, 2, "CONDITIONING"]], "version": 0.4}`

// A graph may have cycles, or be built so that following it takes forever.
func TestHostileGraphs(t *testing.T) {
	circle := `{"1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "steps": ["4", 0]}},
		"2": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["2", 0], "positive": ["2", 0]}},
		"3": {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0]}}, "4": {"class_type": "X", "inputs": {"steps": ["4", 0], "value": ["4", 0], "text": ["4", 0]}}}`
	var wide strings.Builder
	wide.WriteString(`{"0": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}}`)
	for i := 1; i < 200; i++ {
		fmt.Fprintf(&wide, `,"%d": {"class_type": "C", "inputs": {"positive": ["%d", 0], "conditioning": ["%d", 0], "conditioning_to": ["%d", 0]}}`, i, i+1, i+1, i+1)
	}
	wide.WriteString("}")
	for name, text := range map[string]string{"circle": circle, "wide": wide.String()} {
		began := time.Now()
		if _, err := Parse(text); time.Since(began) > 2*time.Second {
			t.Errorf("%s takes %v, %v", name, time.Since(began), err)
		}
	}
}

// Everything that is read has a limited length: the words and the notes about them.
func TestLongTextsAreBounded(t *testing.T) {
	long := strings.Repeat("fox ", 1<<20)
	unknown := map[string]any{"prompt": long, "negative_prompt": long, "model": long, "init_image": long}
	for i := range 1000 {
		unknown[fmt.Sprintf("%s%d", long[:2000], i)] = 1
	}
	ours, err := json.Marshal(unknown)
	if err != nil {
		t.Fatal(err)
	}
	var fields strings.Builder
	for i := range 300000 {
		fmt.Fprintf(&fields, ", Key%d number: 1", i)
	}
	read := func(text string) func() (Settings, error) { return func() (Settings, error) { return Parse(text) } }
	for name, parse := range map[string]func() (Settings, error){
		"a prompt of 4 MB":      read(long),
		"both of 2 MB":          read(long[:1<<21] + "\nNegative prompt: " + long[:1<<20] + "\nSteps: 5, Sampler: Euler, CFG scale: 1"),
		"300,000 fields":        read("x\nSteps: 5, Sampler: Euler, CFG scale: 1" + fields.String()),
		"our own, from a file":  func() (Settings, error) { return fromPicture(ours) },
		"a long value":          read("x\nSteps: 5, Sampler: Euler, CFG scale: 1, Foo: " + long),
		"a long key":            read("x\nSteps: 5, Sampler: Euler, CFG scale: 1, " + long[:1<<20] + ": 1"),
		"Fooocus with 1 MB":     read(`{"prompt": "` + long[:1<<20] + `", "steps": 5}`),
		"a text of 5 MB, UTF-8": read(strings.Repeat("é", 5<<19)),
	} {
		s, err := parse()
		var partial *Partial
		if !errors.As(err, &partial) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(err.Error()); n > 4000 {
			t.Errorf("%s: %d bytes are said: %.200s", name, n, err)
		}
		for _, text := range []string{s.Prompt, s.NegativePrompt, s.Model, s.InitImage} {
			if len(text) > MaxWords {
				t.Errorf("%s: a text of %d bytes is kept", name, len(text))
			}
		}
	}
	if err := (Settings{Prompt: long}).Validate(); err == nil || !strings.Contains(err.Error(), "prompt has 4096 kB; at most 64 kB") {
		t.Errorf("a request with a prompt of 4 MB: %.200v", err)
	}
}

// Each note appears once.
func TestNotesAreListedOnce(t *testing.T) {
	n := &notes{}
	for i := range 40 {
		n.add("thing %d", i%20)
	}
	var partial *Partial
	if !errors.As(n.partial(), &partial) || len(partial.LeftOut) != maxNotes+1 || partial.LeftOut[maxNotes] != "and 8 more" {
		t.Errorf("%v", n.partial())
	}
}
