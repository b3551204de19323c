package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/scheduler"
)

// options holds the values of generate's flags.
type options struct {
	settings.Settings
	noF16, stats     bool
	kernels          gpu.Kernels
	dumpLatents, out string
	preview          string
	embeds           map[*settings.IPAdapter]string // files to keep their embeddings in
	dumpMap          string
	loraDir          string
	hasHeight        bool // whether --height was given
	hasWidth         bool
	upscale          float64 // how many times as large --init-image becomes; 0 for no upscaling
	hasStrength      bool
	hasTile          bool
	hasOverlap       bool
	guessMode        bool
	help             bool
}

var usage = `./build.sh generate --prompt TEXT --out FILE.png
  --model DIR|FILE|URL           a folder in diffusers' layout, a file in the original layout, or the address
                                 of either or of a hub's page for one (default: the model that ships)
  --vae DIR|FILE                 a VAE, or a tiny autoencoder (TAESD), to use in place of the model's own: a folder in diffusers'
                                 layout or a file
  --preview FILE.png             write a preview of the picture to this file after every step
  --preview-vae DIR|FILE         a tiny autoencoder (TAESD) that draws the preview; without one, the preview is small, with one
                                 pixel for each latent
  --prompt TEXT  --negative-prompt TEXT
  --prompt-weights               read (word:1.3), [word], \( and BREAK as AUTOMATIC1111's web UI does, in prompts of any length;
                                 otherwise the words are read literally and cut at 77 tokens
  --clip-skip N (0)              leave out the text encoder's last N layers: for the prompt or, with --prompt-weights, for both
                                 prompts (AUTOMATIC1111 counts from 1)
  --textual-inversion FILE       an embedding, which the words call by its file's name; repeat the option for several
  --ip-adapter FILE              an IP-Adapter; the following options, up to the next --ip-adapter, belong to it:
    --image-encoder DIR  --image FILE… (one or more)  --ip-adapter-scale F (1.0)
    --ip-adapter-mask FILE  --ip-adapter-layers ` + layerNames() + `
    --ip-adapter-combine concat|average|norm-average|add|subtract   --negative-image FILE   (the negative branch sees it)
    --ip-adapter-tiled masked|concat   the encoder sees a picture that is not square as several tiles; with masked, each tile
                                 steers its own place, and with concat, all tiles steer the whole result
    --save-image-embeds FILE     save what the encoder makes of the pictures (.safetensors)
    --ip-adapter-image-embeds FILE   use a file that --save-image-embeds saved, or a tensor that diffusers'
                                 prepare_ip_adapter_image_embeds made (.safetensors, .ipadpt), in place of --image and --image-encoder
    --ip-adapter-start F (0.0)  --ip-adapter-end F (1.0)
  --lora FILE  --lora-scale F (1.0)  --lora-text-encoder-scale F
                                 a LoRA, and how strongly it changes the model; --lora may be given several times, and
                                 the scales belong to the last --lora before them
  --lora-dir DIR                 take tags like <lora:NAME:0.8> out of the prompt, and use the file NAME in this folder or below it;
                                 without this option the tags are read as plain words
  --controlnet DIR|FILE          a ControlNet in diffusers' layout or in one file; the following options, up to the
                                 next network, belong to it:
    --control-image FILE         its map (edges, a pose, depth), or the picture that --preprocessor makes the map from
    --preprocessor NAME          makes the map, in the size of the result; a colon and options may follow the name:
` + preprocessors() + `
    --preprocessor-weights FILE|URL   the weights of a preprocessor that is a network
    --control-mask FILE          white is what an inpaint ControlNet repaints
    --controlnet-conditioning-scale F (1.0)  --control-guidance-start F (0.0)  --control-guidance-end F (1.0)
    --control-mode balanced|prompt|control|guess   (what is more important; control is for the conditional branch only)
  --t2i-adapter DIR|FILE         a T2I-Adapter, with --control-image, --preprocessor, --control-guidance-start and
                                 --control-guidance-end as above, and
    --adapter-conditioning-scale F (1.0)   (for a style adapter, --control-image is the picture whose style the result gets,
                                 and --image-encoder DIR is CLIP ViT-L/14, which reads it)
  --uni-controlnet FILE          Uni-ControlNet (local.ckpt, global.ckpt or uni.ckpt), with --control-guidance-start and
                                 --control-guidance-end as above, and
    --canny-image FILE  --mlsd-image FILE  --hed-image FILE  --sketch-image FILE  --openpose-image FILE  --midas-image FILE
    --seg-image FILE  --local-control-scale F (1.0)   (its maps, one or more, each with a --preprocessor after it as above)
    --content-image FILE  --image-encoder DIR  --global-strength F (1.0)   (a picture that CLIP ViT-L/14 reads)
  --reference-image FILE         a picture that the result follows, without any weights; --style-fidelity F (0.5)
    --reference-adain            use AdaIN as well;  --no-reference-attn   do not use reference-only's attention
  --guess-mode                   all ControlNets work as with diffusers' guess_mode
  --init-image FILE  --strength F (0.8)  --mask FILE   (white is repainted)
  --resize-mode ` + strings.Join(settings.ResizeModes, "|") + `
                                 what is done with a start picture of other proportions: stretch it, cut two sides off, fill
                                 the borders with its outermost pixels, or repaint them as well
  --outpaint LEFT,TOP,RIGHT,BOTTOM
                                 paint so many pixels around the start picture, in multiples of 8; they belong to the result's size
  --mask-feather N (8)           the original pixels are put back outside the mask, and fade out over N pixels inside its edge
  --no-mask-overlay              do not put them back
  --background #RRGGBB           the colour behind transparent pictures (#ffffff, white)
  --scheduler ` + strings.Join(scheduler.Names(), "|") + ` (default: the model's own)
  --eta F (0.0)                  how much of a step is fresh noise, from 0 to 1, for ddim and tcd (TCD's paper calls it gamma)
  --num-inference-steps N (50)  --guidance-scale F (7.5)  --height H  --width W  --seed N (0)  --num-images N (1)
                                 (height and width default to the start picture's, or else the model's; each further picture
                                 has the next seed)
  --variation-seed N (0)  --variation-strength F (0.0)
                                 the noise of the seed is turned towards that of another seed, from 0 (not at all) to 1, as with
                                 AUTOMATIC1111's variation seed; each further picture has the next variation seed, and the same seed
  --guidance-start F (0.0)  --guidance-stop F (1.0)
                                 the fractions of the steps between which guidance works; the other steps take half the time
  --cache-interval N (1)         DeepCache: one in N steps computes the whole UNet, and the others reuse most of its result
  --tome-ratio F (0.0)           token merging (ToMe): the share of the tokens that are merged in the largest self-attentions, up to 0.75
  --generator-device cpu|gpu     the device on which torch would draw the noise (cpu); gpu for seeds of AUTOMATIC1111's web UI
  --hires-scale F                draw the picture a second time, F times as wide and as high, from the enlarged latents of the first
                                 (AUTOMATIC1111's Hires. fix), with
    --hires-strength F (0.7)  --hires-steps N (those of the first; the fraction --hires-strength of them is run)
    --hires-upscaler "` + strings.Join(settings.HiresUpscalers, `"|"`) + `"   (how the latents are enlarged)
  --upscale F                    enlarge --init-image F times (Lanczos) and draw it again with the words and image prompts, at
                                 --strength F (0.3 here); in tiles of the model's own size where it is larger than twice that, with
    --tile-size N  --tile-overlap N (an eighth of a tile)   (both also work without --upscale; 0 draws the whole at once)
  --vae-tiling                   encode and decode in overlapping tiles, which needs less memory and changes colours; chosen
                                 automatically for pictures that would not fit otherwise
  --low-memory                   use less of the GPU's memory, and take more time; chosen automatically when the memory runs out
  --no-f16                       do not use shader-f16
  --kernels auto|gpu|cpu[,CLASS=VARIANT…]
                                 the kernels for GPUs, or those for processors that emulate a GPU (auto), and variants of
                                 them by name: gpu,attention=single
  --stats                        print times, memory and counts as JSON
  --dump-latents FILE.npy        write the latents, too
  --dump-map FILE.png            write the map that --preprocessor makes, too; several maps are numbered like their networks, and
                                 those of Uni-ControlNet have their names as well
  --out FILE.png|FILE.jpg        the picture, which carries its settings; several pictures are numbered
`

// layerNames are the values of --ip-adapter-layers that are offered.
func layerNames() string {
	var names []string
	for _, c := range guides.LayerChoices() {
		if c.Label != "" {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, "|")
}

// preprocessors lists them with their options, a line for each.
func preprocessors() string {
	var lines []string
	for _, m := range maps.Methods {
		line, sign := strings.Repeat(" ", 35)+m.Name, ":"
		for _, o := range m.Options {
			line += fmt.Sprintf("%s%s=%g", sign, o.Name, o.Default)
			sign = ","
		}
		if m.Network != "" {
			line += "   (a network)"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// parse reads the flags. An --image without an --ip-adapter before it uses the adapter
// that ships.
func parse(args []string) (*options, error) {
	o := &options{Settings: settings.Default(), embeds: map[*settings.IPAdapter]string{}}
	var errs []error
	// These are what was named last. An IP-Adapter and a ControlNet that nobody named are those that ship.
	adapter := func() *settings.IPAdapter {
		if a, ok := lastOf[*settings.IPAdapter](o.Guides); ok {
			return a
		}
		return add(o, settings.DefaultIPAdapter())
	}
	control := func() *settings.ControlNet {
		if c, ok := lastOf[*settings.ControlNet](o.Guides); ok {
			return c
		}
		return add(o, settings.DefaultControlNet())
	}
	last := func(fits func(structure) bool) structure {
		for _, g := range slices.Backward(o.Guides) {
			if s, ok := structureOf(g); ok && fits(s) {
				return s
			}
		}
		s, _ := structureOf(control())
		return s
	}
	uniMap := "" // Uni-ControlNet's map that was named last, after every other network
	lastMap := func() structure { return last(func(s structure) bool { return s.picture != nil }) }
	maker := func() (preprocessor, weights *string) {
		if u, ok := lastOf[*settings.UniControlNet](o.Guides); ok && uniMap != "" {
			return u.Preprocessor(uniMap)
		}
		last := lastMap()
		return last.preprocessor, last.weights
	}
	lastStructure := func() structure { return last(func(structure) bool { return true }) }
	// An image encoder belongs to the last network before it that may have one. T2I-Adapters share it with
	// the IP-Adapter before them, if that has none.
	setEncoder := func(dir string) {
		found := false
		for _, g := range slices.Backward(o.Guides) {
			into := encoderOf(g)
			if into == nil {
				continue
			}
			if !found || *into == "" {
				*into = dir
			}
			found = true
			if _, ok := g.(*settings.IPAdapter); ok {
				return
			}
		}
		if !found {
			adapter().ImageEncoder = dir
		}
	}
	early := func(flag, network string) {
		errs = append(errs, fmt.Errorf("%s stands before the first %s. Put it after the one that it belongs to", flag, network))
	}
	lora := func(flag string) *settings.LoRA {
		if len(o.LoRAs) == 0 {
			early(flag, "--lora")
			return &settings.LoRA{}
		}
		return &o.LoRAs[len(o.LoRAs)-1]
	}
	for i := 0; i < len(args); i++ {
		name, value, inline := strings.Cut(args[i], "=")
		text := func() string {
			if inline {
				return value
			}
			if i+1 >= len(args) {
				errs = append(errs, fmt.Errorf("%s needs a value", name))
				return ""
			}
			i++
			return args[i]
		}
		float := func() float64 {
			t := text()
			v, err := strconv.ParseFloat(t, 64)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is not a number", name, t))
			}
			return v
		}
		integer := func() int {
			t := text()
			v, err := strconv.Atoi(t)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is not a whole number", name, t))
			}
			return v
		}
		natural := func() uint64 {
			t := text()
			v, err := strconv.ParseUint(t, 10, 64)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is not a whole number of at least 0", name, t))
			}
			return v
		}
		switch name {
		case "--model":
			o.Model = text()
		case "--vae":
			o.VAE = text()
		case "--preview":
			o.preview = text()
		case "--preview-vae":
			o.PreviewVAE = text()
		case "--prompt":
			o.Prompt = text()
		case "--negative-prompt":
			o.NegativePrompt = text()
		case "--prompt-weights":
			o.PromptWeights = true
		case "--clip-skip":
			o.ClipSkip = integer()
		case "--textual-inversion":
			o.TextualInversions = append(o.TextualInversions, text())
		case "--ip-adapter":
			add(o, settings.DefaultIPAdapter()).Weights = text()
		case "--image-encoder":
			setEncoder(text())
		case "--image":
			a := adapter()
			a.Images = append(a.Images, settings.ImagePrompt{Picture: text()})
			// A shell expands a pattern to several names.
			for i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
				i++
				a.Images = append(a.Images, settings.ImagePrompt{Picture: args[i]})
			}
		case "--ip-adapter-scale":
			adapter().Lambda = float()
		case "--ip-adapter-mask":
			adapter().Mask = text()
		case "--ip-adapter-layers":
			adapter().Layers = text()
		case "--ip-adapter-combine":
			adapter().Combine = text()
		case "--negative-image":
			adapter().Negative = &settings.ImagePrompt{Picture: text()}
		case "--ip-adapter-tiled":
			adapter().Tiled = text()
		case "--ip-adapter-image-embeds":
			adapter().Embeds = text()
		case "--save-image-embeds":
			file := text()
			o.embeds[adapter()] = file
		case "--ip-adapter-start":
			adapter().Start = float()
		case "--ip-adapter-end":
			adapter().End = float()
		case "--lora":
			o.LoRAs = append(o.LoRAs, settings.LoRA{Weights: text(), Scale: 1})
		case "--lora-scale":
			lora(name).Scale = float()
		case "--lora-text-encoder-scale":
			v := float()
			lora(name).TextEncoder = &v
		case "--lora-dir":
			o.loraDir = text()
		case "--controlnet":
			uniMap = ""
			add(o, settings.DefaultControlNet()).Weights = text()
		case "--control-image":
			*lastMap().picture = text()
		case "--preprocessor":
			preprocessor, _ := maker()
			*preprocessor = text()
		case "--preprocessor-weights":
			_, weights := maker()
			*weights = text()
		case "--control-mask":
			control().Mask = text()
		case "--controlnet-conditioning-scale":
			control().Lambda = float()
		case "--control-guidance-start":
			*lastStructure().start = float()
		case "--control-guidance-end":
			*lastStructure().end = float()
		case "--control-mode":
			control().Balance = text()
		case "--t2i-adapter":
			uniMap = ""
			add(o, settings.DefaultT2IAdapter()).Weights = text()
		case "--adapter-conditioning-scale":
			v := float()
			if a, ok := lastOf[*settings.T2IAdapter](o.Guides); ok {
				a.Lambda = v
			} else {
				early(name, "--t2i-adapter")
			}
		case "--uni-controlnet":
			uniMap = ""
			add(o, settings.DefaultUniControlNet()).Weights = text()
		case "--local-control-scale", "--global-strength":
			v := float()
			switch u, ok := lastOf[*settings.UniControlNet](o.Guides); {
			case !ok:
				early(name, "--uni-controlnet")
			case name == "--global-strength":
				u.Global = v
			default:
				u.Local = v
			}
		case "--canny-image", "--mlsd-image", "--hed-image", "--sketch-image", "--openpose-image", "--midas-image", "--seg-image", "--content-image":
			v := text()
			if u, ok := lastOf[*settings.UniControlNet](o.Guides); ok {
				uniMap = strings.TrimSuffix(name[2:], "-image")
				*u.Picture(uniMap) = v
			} else {
				early(name, "--uni-controlnet")
			}
		case "--reference-image":
			add(o, settings.DefaultReference()).Picture = text()
		case "--style-fidelity":
			v := float()
			if r, ok := lastOf[*settings.Reference](o.Guides); ok {
				r.Fidelity = v
			} else {
				early(name, "--reference-image")
			}
		case "--reference-adain", "--no-reference-attn":
			if r, ok := lastOf[*settings.Reference](o.Guides); !ok {
				early(name, "--reference-image")
			} else if name == "--reference-adain" {
				r.AdaIN = true
			} else {
				r.Attention = false
			}
		case "--guess-mode":
			o.guessMode = true
		case "--init-image":
			o.InitImage = text()
		case "--strength":
			o.Strength, o.hasStrength = float(), true
		case "--mask":
			o.Mask = text()
		case "--resize-mode":
			o.ResizeMode = text()
		case "--outpaint":
			b, err := borders(text())
			if err != nil {
				errs = append(errs, err)
			}
			o.Outpaint = b
		case "--mask-feather":
			o.MaskFeather = integer()
		case "--no-mask-overlay":
			o.MaskOverlay = false
		case "--scheduler":
			o.Scheduler = text()
		case "--num-inference-steps":
			o.NumInferenceSteps = integer()
		case "--eta":
			o.Eta = float()
		case "--guidance-scale":
			o.GuidanceScale = float()
		case "--guidance-start":
			o.GuidanceStart = float()
		case "--guidance-stop":
			o.GuidanceStop = float()
		case "--cache-interval":
			o.CacheInterval = integer()
		case "--tome-ratio":
			o.TomeRatio = float()
		case "--height":
			o.Height, o.hasHeight = integer(), true
		case "--width":
			o.Width, o.hasWidth = integer(), true
		case "--seed":
			o.Seed = natural()
		case "--variation-seed":
			o.VariationSeed = natural()
		case "--variation-strength":
			o.VariationStrength = float()
		case "--num-images":
			o.NumImages = integer()
		case "--generator-device":
			o.GeneratorDevice = text()
		case "--background":
			o.Background = text()
		case "--hires-scale":
			o.HiresScale = float()
		case "--hires-strength":
			o.HiresStrength = float()
		case "--hires-steps":
			o.HiresSteps = integer()
		case "--hires-upscaler":
			o.HiresUpscaler = text()
		case "--upscale":
			o.upscale = float()
		case "--tile-size":
			o.TileSize, o.hasTile = integer(), true
		case "--tile-overlap":
			o.TileOverlap, o.hasOverlap = integer(), true
		case "--vae-tiling":
			o.VAETiling = true
		case "--low-memory":
			o.LowMemory = true
		case "--no-f16":
			o.noF16 = true
		case "--kernels":
			var err error
			if o.kernels, err = gpu.ParseKernels(text()); err != nil {
				errs = append(errs, fmt.Errorf("--kernels: %w", err))
			}
		case "--stats":
			o.stats = true
		case "--dump-latents":
			o.dumpLatents = text()
		case "--dump-map":
			o.dumpMap = text()
		case "--out":
			o.out = text()
		case "--help", "-h":
			o.help = true
			return o, nil
		default:
			errs = append(errs, fmt.Errorf("there is no option %s", args[i]))
		}
	}
	if o.guessMode {
		for _, g := range o.Guides {
			if c, ok := g.(*settings.ControlNet); ok {
				c.Balance = settings.BalanceGuess
			}
		}
	}
	if o.dumpMap != "" && o.preprocessed() == 0 {
		errs = append(errs, errors.New("--dump-map: no map is made. Name a --preprocessor"))
	}
	if o.hasTile && !o.hasOverlap {
		o.TileOverlap = settings.TileOverlapOf(o.TileSize)
	}
	switch {
	case o.upscale == 0:
	case !(o.upscale >= 1 && o.upscale <= 8):
		errs = append(errs, fmt.Errorf("--upscale is %g. It must be from 1 to 8", o.upscale))
	case o.InitImage == "":
		errs = append(errs, errors.New("--upscale: name the picture with --init-image"))
	case o.hasHeight || o.hasWidth:
		errs = append(errs, errors.New("--upscale gives the size: leave --height and --width out"))
	}
	if o.dumpLatents != "" && (o.upscale > 0 || o.TileSize > 0) {
		errs = append(errs, errors.New("--dump-latents: a picture that is drawn in tiles has no latents of its own"))
	}
	if o.out == "" {
		errs = append(errs, errors.New("--out FILE.png is missing"))
	}
	return o, errors.Join(errs...)
}

// add adds a guide to the options, and returns it.
func add[T any, G interface {
	*T
	settings.Guide
}](o *options, guide T) G {
	o.Guides = append(o.Guides, G(&guide))
	return &guide
}

// lastOf is the last guide of a kind.
func lastOf[G settings.Guide](list settings.Guides) (last G, ok bool) {
	for _, g := range slices.Backward(list) {
		if last, ok = g.(G); ok {
			break
		}
	}
	return last, ok
}

// encoderOf returns where a guide names its image encoder; nil for a guide that has none.
func encoderOf(g settings.Guide) *string {
	switch g := g.(type) {
	case *settings.IPAdapter:
		return &g.ImageEncoder
	case *settings.T2IAdapter:
		return &g.ImageEncoder
	case *settings.UniControlNet:
		return &g.ImageEncoder
	}
	return nil
}

// structure is what the networks that read maps have in common.
type structure struct {
	// The map, what makes it, and the weights of that; nil for Uni-ControlNet, which reads several.
	picture, preprocessor, weights *string

	start, end *float64
}

// structureOf returns a guide as such a network. ok is false for another guide.
func structureOf(g settings.Guide) (s structure, ok bool) {
	switch g := g.(type) {
	case *settings.ControlNet:
		return structure{&g.Map, &g.Preprocessor, &g.PreprocessorWeights, &g.Start, &g.End}, true
	case *settings.T2IAdapter:
		return structure{&g.Map, &g.Preprocessor, &g.PreprocessorWeights, &g.Start, &g.End}, true
	case *settings.UniControlNet:
		return structure{start: &g.Start, end: &g.End}, true
	}
	return s, false
}

// borders reads the widths of what is painted around the start picture.
func borders(text string) (b settings.Borders, err error) {
	list := strings.Split(text, ",")
	into := []*int{&b.Left, &b.Top, &b.Right, &b.Bottom}
	for i, part := range list {
		v, bad := strconv.Atoi(strings.TrimSpace(part))
		if bad != nil || len(list) != len(into) {
			return settings.Borders{}, fmt.Errorf("--outpaint: %q is not four whole numbers, as in 64,0,64,0", text)
		}
		*into[i] = v
	}
	return b, nil
}

// readPictures reads the files that the settings name.
func (o *options) readPictures() (map[string][]byte, error) {
	files := map[string][]byte{}
	var errs []error
	for _, n := range o.Pictures() {
		if files[n] != nil {
			continue
		}
		b, err := os.ReadFile(n)
		if err != nil {
			errs = append(errs, err)
		}
		files[n] = b
	}
	return files, errors.Join(errs...)
}
