package cli

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/imageproc"
)

// An adapter's options belong to the last adapter before them. One adapter may have
// several images.
func TestParse(t *testing.T) {
	o, err := parse(strings.Fields("--prompt fox --ip-adapter a.safetensors --image-encoder enc --image 1.png 2.png --ip-adapter-scale 0.6 " +
		"--ip-adapter b.safetensors --image=3.png --ip-adapter-layers style --ip-adapter-start 0.2 --ip-adapter-end 0.8 --ip-adapter-mask m.png " +
		"--seed 18446744073709551615 --variation-seed 12 --variation-strength 0.3 --num-images 2 --no-f16 --low-memory --vae-tiling --kernels gpu,attention/80=single --width 64 --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.IPAdapters()) != 2 {
		t.Fatalf("%d adapters", len(o.IPAdapters()))
	}
	a, b := o.IPAdapters()[0], o.IPAdapters()[1]
	if a.Weights != "a.safetensors" || a.ImageEncoder != "enc" || len(a.Images) != 2 || a.Images[1].Picture != "2.png" || a.Lambda != 0.6 || a.End != 1 {
		t.Errorf("the first adapter is %+v", a)
	}
	if b.Weights != "b.safetensors" || len(b.Images) != 1 || b.Layers != "style" || b.Start != 0.2 || b.End != 0.8 || b.Mask != "m.png" || b.Lambda != 1 {
		t.Errorf("the second adapter is %+v", b)
	}
	if o.Seed != 1<<64-1 || o.VariationSeed != 12 || o.VariationStrength != 0.3 || o.NumImages != 2 || !o.noF16 || o.kernels.String() != "gpu,attention/80=single" || !o.LowMemory || !o.VAETiling || o.Width != 64 || !o.hasWidth || o.hasHeight || o.Prompt != "fox" || o.out != "o.png" {
		t.Errorf("the options are %+v", o)
	}
}

// Kept embeddings and tiles belong to the last adapter before them.
func TestParseEmbeds(t *testing.T) {
	o, err := parse(strings.Fields("--image 1.png --ip-adapter-tiled masked --save-image-embeds kept.safetensors --ip-adapter b --ip-adapter-image-embeds old.ipadpt " +
		"--vae taesd --preview-vae tiny --preview p.png --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := o.IPAdapters()[0], o.IPAdapters()[1]
	if a.Tiled != settings.TiledMasked || o.embeds[a] != "kept.safetensors" || b.Embeds != "old.ipadpt" || o.embeds[b] != "" {
		t.Errorf("the adapters are %+v and %+v, and %v is kept", a, b, o.embeds)
	}
	if o.VAE != "taesd" || o.PreviewVAE != "tiny" || o.preview != "p.png" {
		t.Errorf("the options are %+v", o)
	}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	if b.Images = a.Images; o.Validate() == nil {
		t.Error("embeddings beside pictures are no error")
	}
}

// The options of a network belong to the last one before them, and a map to whichever network
// was named last.
func TestParseStructure(t *testing.T) {
	o, err := parse(strings.Fields("--controlnet edges --control-image e.png --controlnet-conditioning-scale 0.7 --control-guidance-end 0.8 " +
		"--t2i-adapter sketch.safetensors --control-image s.png --adapter-conditioning-scale 0.4 --control-guidance-start 0.1 " +
		"--controlnet pose.safetensors --control-image p.png --control-mask m.png --control-mode prompt --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Guides{
		&settings.ControlNet{Weights: "edges", Map: "e.png", Lambda: 0.7, End: 0.8, Balance: "balanced"},
		&settings.T2IAdapter{Weights: "sketch.safetensors", Map: "s.png", Lambda: 0.4, Start: 0.1, End: 1},
		&settings.ControlNet{Weights: "pose.safetensors", Map: "p.png", Mask: "m.png", Lambda: 1, End: 1, Balance: "prompt"},
	}
	if !reflect.DeepEqual(o.Guides, want) {
		t.Errorf("the guides are %+v", o.Guides)
	}
	o, err = parse(strings.Fields("--control-image e.png --controlnet b --control-image f.png --guess-mode --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range o.Guides {
		if c := g.(*settings.ControlNet); len(o.Guides) != 2 || c.Balance != settings.BalanceGuess || (c.Weights == "") != (i == 0) {
			t.Errorf("ControlNet %d is %+v: the one that ships and b, both in guess mode, were asked for", i, c)
		}
	}
	o, err = parse(strings.Fields("--controlnet a --control-image a.png --preprocessor canny:low_threshold=50 --t2i-adapter c --preprocessor hed:safe=1 --preprocessor-weights hed.pth --dump-map m.png --out o.png"))
	if err != nil || o.preprocessed() != 2 || o.Guides[0].(*settings.ControlNet).Preprocessor != "canny:low_threshold=50" || o.Guides[1].(*settings.T2IAdapter).Preprocessor != "hed:safe=1" ||
		o.Guides[1].(*settings.T2IAdapter).PreprocessorWeights != "hed.pth" {
		t.Errorf("the preprocessors are %+v, %+v (%v)", o.Guides[0], o.Guides[1], err)
	}
	uni, err := parse(strings.Fields("--t2i-adapter c --control-image a.png --uni-controlnet u --canny-image a.png --preprocessor canny --hed-image b.png --preprocessor hed:safe=1 --preprocessor-weights hed.pth --t2i-adapter d --control-image a.png --preprocessor color --dump-map m.png --out o.png"))
	if err != nil || uni.preprocessed() != 3 || uni.Guides[1].(*settings.UniControlNet).Preprocessors != [7]string{"canny", "", "hed:safe=1"} || uni.Guides[1].(*settings.UniControlNet).PreprocessorWeights != [7]string{2: "hed.pth"} {
		t.Errorf("Uni-ControlNet's preprocessors are %+v (%v)", uni.Guides[1], err)
	}
	o.Guides = o.Guides[:1]
	o.dumpMap = filepath.Join(t.TempDir(), "m.png")
	if err := o.writeMap(1, "", &imageproc.Image{Width: 1, Height: 1, Channels: 1, Pix: []uint8{255}}); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(o.dumpMap); err != nil || !strings.HasPrefix(string(b), "\x89PNG") {
		t.Errorf("the map is %q (%v)", b, err)
	}
	for _, network := range []string{"--controlnet a --control-image a.png", "--uni-controlnet uni.ckpt --canny-image c.png"} {
		if _, err := parse(strings.Fields(network + " --dump-map m.png --out o.png")); err == nil || !strings.Contains(err.Error(), "Name a --preprocessor") {
			t.Errorf("%s: a map that nothing makes gives %v", network, err)
		}
	}
	o, err = parse(strings.Fields("--reference-image r.png --style-fidelity 0.7 --out o.png"))
	if r, ok := lastOf[*settings.Reference](o.Guides); err != nil || !ok || *r != (settings.Reference{Picture: "r.png", Fidelity: 0.7, Attention: true}) {
		t.Errorf("the reference is %+v (%v)", o.Guides, err)
	}
	o, err = parse(strings.Fields("--ip-adapter a --image p.png --t2i-adapter sketch --control-image s.png --t2i-adapter style.pth --control-image t.png --image-encoder vit-l --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	if a, s := o.IPAdapters()[0], o.Guides[2].(*settings.T2IAdapter); a.ImageEncoder != "vit-l" || s.ImageEncoder != "vit-l" || s.Map != "t.png" {
		t.Errorf("the encoder of %+v and %+v", a, s)
	}
	o, err = parse(strings.Fields("--controlnet edges --uni-controlnet uni.ckpt --canny-image c.png --seg-image s.png --local-control-scale 0.8 --control-guidance-end 0.9 " +
		"--content-image p.png --image-encoder vit-l --global-strength 0.6 --control-image e.png --out o.png"))
	if err != nil {
		t.Fatal(err)
	}
	edges := settings.DefaultControlNet()
	edges.Weights, edges.Map = "edges", "e.png"
	if want := (settings.Guides{&edges, &settings.UniControlNet{Weights: "uni.ckpt", Canny: "c.png", Seg: "s.png", Content: "p.png", ImageEncoder: "vit-l",
		Local: 0.8, Global: 0.6, End: 0.9}}); !reflect.DeepEqual(o.Guides, want) {
		t.Errorf("the guides are %+v", o.Guides)
	}
	for _, flag := range []string{"--canny-image c.png", "--global-strength 1"} {
		if _, err := parse(strings.Fields(flag + " --out o.png")); err == nil || !strings.Contains(err.Error(), "--uni-controlnet") {
			t.Errorf("%s before --uni-controlnet: %v", flag, err)
		}
	}
	o, err = parse(strings.Fields("--reference-image r.png --reference-adain --no-reference-attn --out o.png"))
	if r, ok := lastOf[*settings.Reference](o.Guides); err != nil || !ok || *r != (settings.Reference{Picture: "r.png", Fidelity: 0.5, AdaIN: true}) {
		t.Errorf("the reference is %+v (%v)", o.Guides, err)
	}
	if _, err := parse(strings.Fields("--adapter-conditioning-scale 1 --out o.png")); err == nil {
		t.Error("a scale without an adapter is no error")
	}
}

// One error names every mistake.
func TestParseErrors(t *testing.T) {
	_, err := parse(strings.Fields("--steps 5 --outpaint 8,16 --seed -1 --guidance-scale high --kernels tpu --num-images"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"--steps", "--seed", `"high"`, `--kernels: "tpu"`, "--num-images needs a value", `--outpaint: "8,16" is not four whole numbers`, "--out"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if _, err := parse([]string{"--help"}); err != nil {
		t.Errorf("--help: %v", err)
	}
	if !strings.Contains(usage, "--ip-adapter-scale") {
		t.Error("the usage leaves options out")
	}
}

func TestReadPictures(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "a.png")
	if err := os.WriteFile(there, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"--out", "o", "--image", there, "--init-image", there})
	if err != nil {
		t.Fatal(err)
	}
	if files, err := o.readPictures(); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
	o.Mask = filepath.Join(dir, "none.png")
	if _, err := o.readPictures(); err == nil || !strings.Contains(err.Error(), "none.png") {
		t.Errorf("a missing file gives %v", err)
	}
}

// The flags of evaluate replace values in the table, and choose rows.
func TestParseEvaluation(t *testing.T) {
	table := filepath.Join(t.TempDir(), "table.json")
	if err := os.WriteFile(table, []byte(`{"pictures": "a", "seeds": 4, "rows": [{"row": "words"}, {"row": "more words"}, {"row": "none"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parseEvaluation(strings.Fields("--table " + table + " --row words --count 3 --seeds=2 --num-inference-steps 5 --guidance-scale 7.5 --height 64 --width 96 --clip c --pictures b --scheduler ddim --no-f16 --out o"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.spec()
	if err != nil {
		t.Fatal(err)
	}
	if s.Count != 3 || s.Seeds != 2 || s.NumInferenceSteps != 5 || s.GuidanceScale != 7.5 || s.Height != 64 || s.Width != 96 || s.CLIP != "c" || s.Pictures != "b" ||
		s.Scheduler != "ddim" || !o.noF16 || o.out != "o" {
		t.Errorf("%+v, %+v", o, s)
	}
	if rows, err := s.Rows(); err != nil || len(rows) != 2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if _, err := parseEvaluation(strings.Fields("--seeds many --steps 3 --count")); err == nil ||
		!strings.Contains(err.Error(), `"many"`) || !strings.Contains(err.Error(), "--steps") || !strings.Contains(err.Error(), "--count needs a value") {
		t.Errorf("mistakes give %v", err)
	}
	if o, err := parseEvaluation([]string{"--help"}); err != nil || !o.help || !strings.Contains(evaluateUsage, "--row") {
		t.Errorf("--help: %v", err)
	}
}

func TestParseStartPicture(t *testing.T) {
	o, err := parse(strings.Fields("--init-image a.png --mask m.png --out o.png"))
	if err != nil || !o.MaskOverlay || o.MaskFeather != 8 || o.ResizeMode != "" {
		t.Errorf("the defaults are %+v, %v", o, err)
	}
	o, err = parse(strings.Fields("--init-image a.png --mask m.png --mask-feather 20 --no-mask-overlay --resize-mode outpaint --out o.png"))
	if err != nil || o.MaskOverlay || o.MaskFeather != 20 || o.ResizeMode != "outpaint" || o.Validate() != nil {
		t.Errorf("the options are %+v, %v", o, err)
	}
	o.MaskFeather, o.ResizeMode = 200, "squash"
	if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "mask_feather is 200") || !strings.Contains(err.Error(), `resize_mode is "squash"`) {
		t.Errorf("the error is %v", err)
	}
}

// The scales belong to the last LoRA before them.
func TestParseLoRAs(t *testing.T) {
	o, err := parse(strings.Fields("--lora a.safetensors --lora-scale 0.5 --lora b.safetensors --lora-text-encoder-scale=0.25 --out o.png"))
	if err != nil || len(o.LoRAs) != 2 {
		t.Fatalf("%+v, %v", o, err)
	}
	a, b := o.LoRAs[0], o.LoRAs[1]
	if a.Weights != "a.safetensors" || a.Scale != 0.5 || a.TextEncoder != nil || b.Weights != "b.safetensors" || b.Scale != 1 || *b.TextEncoder != 0.25 {
		t.Errorf("%+v", o.LoRAs)
	}
	if _, err := parse(strings.Fields("--lora-scale 0.5 --out o.png")); err == nil || !strings.Contains(err.Error(), "--lora-scale stands before") {
		t.Error(err)
	}
}

// With a folder of LoRAs the tags in the prompt choose files; without one they are plain words.
func TestLoRATags(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ink.safetensors", "deep/down.safetensors", "x/twice.safetensors", "y/twice.safetensors", "other.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(prompt string, args ...string) (*options, error) {
		o, err := parse(append([]string{"--out", "o", "--prompt", prompt}, args...))
		if err != nil {
			t.Fatal(err)
		}
		return o, o.cutLoRAs()
	}
	if o, err := cut("a <lora:ink:0.5>"); err != nil || o.Prompt != "a <lora:ink:0.5>" || o.LoRAs != nil {
		t.Errorf("without a folder: %+v, %v", o, err)
	}
	o, err := cut("a <lora:ink:0.5> b <lora:down>", "--lora-dir", dir)
	if err != nil || o.Prompt != "a b" || len(o.LoRAs) != 2 || o.LoRAs[0].Weights != filepath.Join(dir, "ink.safetensors") || o.LoRAs[0].Scale != 0.5 ||
		o.LoRAs[1].Weights != filepath.Join(dir, "deep", "down.safetensors") {
		t.Errorf("%+v, %v", o, err)
	}
	for prompt, want := range map[string]string{"<lora:none:1>": "there is no none.safetensors", "<lora:twice:1>": "there are several", "<hypernet:h:1>": "hypernetwork"} {
		if _, err := cut(prompt, "--lora-dir", dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", prompt, err)
		}
	}
}

// A second pass, and a picture that is upscaled.
func TestParseLarger(t *testing.T) {
	o, err := parse(strings.Fields("--prompt fox --hires-scale 1.5 --hires-strength 0.6 --hires-steps 30 --hires-upscaler=Latent --out o.png"))
	if err != nil || o.HiresScale != 1.5 || o.HiresStrength != 0.6 || o.HiresSteps != 30 || o.HiresUpscaler != "Latent" {
		t.Errorf("%+v, %v", o, err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 96, 64))); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string][5]float64{ // width, height, strength, tile, overlap
		"--upscale 2": {192, 128, 0.3, 0, 0},
		"--upscale 4": {384, 256, 0.3, 128, 16},
		"--upscale 4 --strength 0.5 --tile-size 64":     {384, 256, 0.5, 64, 8},
		"--upscale 4 --tile-size 0":                     {384, 256, 0.3, 0, 0},
		"--upscale 2 --tile-size 128 --tile-overlap 32": {192, 128, 0.3, 128, 32},
	} {
		o, err := parse(strings.Fields("--init-image a.png --out o.png " + flags))
		if err == nil {
			err = o.enlarge(b.Bytes(), 128)
		}
		if got := [5]float64{float64(o.Width), float64(o.Height), o.Strength, float64(o.TileSize), float64(o.TileOverlap)}; err != nil || got != want {
			t.Errorf("%s: %v, want %v, %v", flags, got, want, err)
		}
	}
	for flags, want := range map[string]string{
		"--upscale 2": "--init-image", "--upscale 20 --init-image a.png": "from 1 to 8", "--upscale 2 --init-image a.png --width 64": "leave --height and --width out",
		"--tile-size 64 --init-image a.png --dump-latents l.npy": "--dump-latents",
	} {
		if _, err := parse(strings.Fields("--out o.png " + flags)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
