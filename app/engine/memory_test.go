//go:build !js

package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
)

// fullSize is Stable Diffusion 1.5 and h94's IP-Adapter without their numbers: files with
// the true keys and shapes (tests/full/weights.py --layout), whose data is zero.
type fullSize map[string]json.RawMessage

func readFullSize(t *testing.T) fullSize {
	t.Helper()
	f := fullSize{}
	for _, name := range []string{"layout.json", "controlnet.json"} {
		b, err := os.ReadFile("../../tests/fixtures/full/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
	}
	f["sd15/scheduler/scheduler_config.json"] = []byte(`{"_class_name":"DDIMScheduler","beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","steps_offset":1,"clip_sample":false,"set_alpha_to_one":false}`)
	return f
}

func (f fullSize) Folder(_ context.Context, name string) (loader.Folder, error) {
	return fullSizeFolder{f, name}, nil
}

func (f fullSize) File(ctx context.Context, name string) (loader.Source, error) {
	return fullSizeFolder{f, "ip-adapter"}.Open(ctx, name)
}

type fullSizeFolder struct {
	files fullSize
	name  string
}

func (f fullSizeFolder) Open(ctx context.Context, path string) (loader.Source, error) {
	path = strings.TrimPrefix(path, "./")
	if base, ok := strings.CutPrefix(path, "tokenizer/"); ok {
		merges, err := os.ReadFile("../../web/clip/merges.txt")
		switch base {
		case "merges.txt":
			return loader.Memory(path, merges), err
		case "vocab.json":
			v, err := loader.CLIPVocabulary(merges)
			return loader.Memory(path, v), err
		}
	}
	raw, ok := f.files[f.name+"/"+path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
	}
	if !strings.HasSuffix(path, ".safetensors") {
		return loader.Memory(path, raw), nil
	}
	var layout struct {
		DType  string
		Shapes map[string][]int
	}
	if err := json.Unmarshal(raw, &layout); err != nil {
		return nil, err
	}
	return newHeaderOnly(path, layout.DType, layout.Shapes)
}

// headerOnly is a safetensors file of zeros.
type headerOnly struct {
	name string
	head []byte
	size int64
}

func newHeaderOnly(name, dtype string, shapes map[string][]int) (headerOnly, error) {
	entries := map[string]any{}
	var at int64
	for key, shape := range shapes {
		n := int64(map[string]int{"F16": 2, "F32": 4}[dtype])
		for _, s := range shape {
			n *= int64(s)
		}
		entries[key] = map[string]any{"dtype": dtype, "shape": shape, "data_offsets": []int64{at, at + n}}
		at += n
	}
	text, err := json.Marshal(entries)
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	return headerOnly{name, head, int64(len(head)) + at}, err
}

func (h headerOnly) Name() string { return h.name }
func (h headerOnly) Size() int64  { return h.size }
func (h headerOnly) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	if off < int64(len(h.head)) {
		return h.head[off : off+n], nil
	}
	return zeros[:n], nil // nobody writes to what is read
}

var zeros = make([]byte, 160<<20)

// grey makes a picture. Two of them differ by their sizes.
func grey(w, h int) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(w)
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

// plan draws a picture of 512 × 512 with guidance and an adapter on a GPU that only
// plans, and returns the most bytes that it held, and the settings of the last picture.
func plan(t *testing.T, d *gpu.Device, change func(*settings.Settings)) (peak int64, drawn settings.Settings) {
	t.Helper()
	e := New(d, readFullSize(t))
	defer e.Unload()
	s := settings.Default()
	s.Model, s.Prompt, s.NumInferenceSteps = "sd15", "a fox in the snow", 3
	a := settings.DefaultIPAdapter()
	a.Weights, a.ImageEncoder, a.Images = "ip-adapter_sd15.safetensors", "ip-adapter", []settings.ImagePrompt{{Picture: "fox.png"}}
	s.Guides = settings.Guides{&a}
	change(&s)
	count := 0
	peaks := map[string]int64{}
	where := "open"
	err := e.Generate(context.Background(), s, Pictures{"fox.png": grey(300, 200), "start.png": grey(512, 512)}, func(ev Event) {
		peaks[where] = max(peaks[where], d.MemoryBytes())
		where = ev.Stage + " " + ev.Network
	}, func(r Result) error { count, drawn = count+1, r.Settings; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if count != s.NumImages {
		t.Fatalf("%d pictures", count)
	}
	t.Logf("peak %d MiB, MiB held at %v", d.PeakMemoryBytes()>>20, mebibytes(peaks))
	return d.PeakMemoryBytes(), drawn
}

func mebibytes(peaks map[string]int64) map[string]int64 {
	m := map[string]int64{}
	for k, v := range peaks {
		m[k] = v >> 20
	}
	return m
}

// A second run with another picture leaves the UNet on the GPU, while the image encoder is
// streamed layer by layer. A run with another seed needs no encoder at all.
func TestFullSizeAgain(t *testing.T) {
	d := gpu.NewPlanner(true, roomy())
	e := New(d, readFullSize(t))
	defer e.Unload()
	s := settings.Default()
	s.Model, s.Prompt, s.NumInferenceSteps = "sd15", "a fox in the snow", 1
	a := settings.DefaultIPAdapter()
	a.Weights, a.ImageEncoder, a.Images = "ip-adapter-plus_sd15.safetensors", "ip-adapter", []settings.ImagePrompt{{Picture: "fox.png"}}
	s.Guides = settings.Guides{&a}
	draw := func(pictures Pictures) map[string]bool {
		came := map[string]bool{}
		err := e.Generate(context.Background(), s, pictures, func(ev Event) { came[ev.Network] = true }, func(Result) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		delete(came, "")
		return came
	}
	if came := draw(Pictures{"fox.png": grey(300, 200)}); !came["UNet"] || !came["image encoder"] || !came["text encoder"] {
		t.Errorf("the first run loads %v", came)
	}
	s.Seed++
	if came := draw(Pictures{"fox.png": grey(300, 200)}); len(came) > 0 {
		t.Errorf("another seed loads %v", came)
	}
	if came := draw(Pictures{"fox.png": grey(200, 300)}); came["UNet"] || came["text encoder"] || !came["image encoder"] {
		t.Errorf("another picture loads %v", came)
	}
	if peak := d.PeakMemoryBytes(); peak > nn.DefaultBudget {
		t.Errorf("%d MiB at the peak", peak>>20)
	}
}

func roomy() gpu.Limits {
	l := gpu.DefaultLimits
	l.MaxBufferSize, l.MaxStorageBufferBindingSize = 2<<30, 2<<30-4
	return l
}

// withControlNet adds ControlNets to the settings.
func withControlNet(count int) func(*settings.Settings) {
	return func(s *settings.Settings) {
		for range count {
			c := settings.DefaultControlNet()
			c.Weights, c.Map = "controlnet", "start.png"
			s.Guides = append(s.Guides, &c)
		}
	}
}

// Stable Diffusion 1.5 at 512 × 512 with guidance and an IP-Adapter takes at most 2.4 GiB of
// the GPU's memory, and 2.0 GiB in the low-memory mode, as the engine counts what it
// allocates.
func TestFullSizeMemory(t *testing.T) {
	const gib = 1 << 30
	roomy := roomy()
	for _, c := range []struct {
		name   string
		f16    bool
		limits gpu.Limits
		change func(*settings.Settings)
		most   float64
	}{
		{"f16", true, roomy, func(*settings.Settings) {}, 2.4 * gib},
		{"f16 low memory", true, roomy, func(s *settings.Settings) { s.LowMemory = true }, 2.0 * gib},
		{"f32", false, roomy, func(*settings.Settings) {}, 2.4 * gib},
		{"f32 low memory", false, roomy, func(s *settings.Settings) { s.LowMemory = true }, 2.0 * gib},
		{"default limits", false, gpu.DefaultLimits, func(*settings.Settings) {}, 2.0 * gib}, // the engine chooses the low-memory mode
		{"Plus", true, roomy, func(s *settings.Settings) { s.IPAdapters()[0].Weights = "ip-adapter-plus_sd15.safetensors" }, 2.4 * gib},
		// With a ControlNet 3.0 GiB, and 2.4 in the low-memory mode.
		{"ControlNet f16", true, roomy, withControlNet(1), 3.0 * gib},
		{"ControlNet f16 low memory", true, roomy, func(s *settings.Settings) { withControlNet(1)(s); s.LowMemory = true }, 2.4 * gib},
		{"ControlNet f32", false, roomy, withControlNet(1), 3.0 * gib},
		{"ControlNet f32 low memory", false, roomy, func(s *settings.Settings) { withControlNet(1)(s); s.LowMemory = true }, 2.4 * gib},
		{"image to image", false, roomy, func(s *settings.Settings) { s.LowMemory, s.InitImage, s.NumImages = true, "start.png", 2 }, 2.0 * gib},
	} {
		t.Run(c.name, func(t *testing.T) {
			if peak, _ := plan(t, gpu.NewPlanner(c.f16, c.limits), c.change); float64(peak) > c.most {
				t.Errorf("%d MiB at the peak, %.0f are allowed", peak>>20, c.most/(1<<20))
			}
		})
	}
}

// Winograd's algorithm takes more memory where the budget has room for it, and only there.
func TestFullSizeWinograd(t *testing.T) {
	draw := func(e *Engine, change func(*settings.Settings)) (held int64, loaded map[string]bool) {
		s := settings.Default()
		s.Model, s.Prompt, s.NumInferenceSteps = "sd15", "a fox in the snow", 1
		change(&s)
		loaded = map[string]bool{}
		if err := e.Generate(context.Background(), s, nil, func(ev Event) { loaded[ev.Network] = true }, func(Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
		return e.loaded.memory.Bytes(e.loaded.pipeline.UNet) >> 20, loaded
	}
	const direct = 1640 // MiB of the UNet's weights
	for _, c := range []struct {
		name   string
		change func(*settings.Settings)
		more   int64 // MiB
	}{
		{"normal", func(*settings.Settings) {}, 90},
		{"low memory", func(s *settings.Settings) { s.LowMemory = true }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := gpu.NewPlanner(true, roomy())
			if err := d.SetKernels(gpu.Kernels{For: "gpu"}.With("conv", "winograd")); err != nil {
				t.Fatal(err)
			}
			e := New(d, readFullSize(t))
			defer e.Unload()
			held, _ := draw(e, c.change)
			if held != direct+c.more {
				t.Errorf("the UNet takes %d MiB, not %d and %d more", held, direct, c.more)
			}
			if peak := d.PeakMemoryBytes(); peak > nn.DefaultBudget {
				t.Errorf("%d MiB at the peak", peak>>20)
			}
			if c.more == 0 {
				return
			}
			// A larger picture needs the memory, and the convolutions are uploaded again.
			large := func(s *settings.Settings) { s.Width, s.Height = 704, 704 }
			held, loaded := draw(e, large)
			if held != direct || !loaded["UNet"] {
				t.Errorf("for a larger picture the UNet takes %d MiB; loaded are %v", held, loaded)
			}
			// Then they stay as they are.
			if _, loaded = draw(e, c.change); loaded["UNet"] {
				t.Error("for the smaller picture again, the UNet is loaded once more")
			}
		})
	}
}

// A picture whose decoder does not fit is decoded in tiles, and its settings say so. One that fits is not.
func TestTiledByItself(t *testing.T) {
	for side, tiled := range map[int]bool{768: false, 1536: true} {
		t.Run(fmt.Sprint(side), func(t *testing.T) {
			peak, drawn := plan(t, gpu.NewPlanner(true, roomy()), func(s *settings.Settings) {
				s.Width, s.Height, s.GuidanceScale, s.NumInferenceSteps, s.Guides, s.LowMemory = side, side, 1, 1, nil, true
			})
			if drawn.VAETiling != tiled {
				t.Errorf("the settings say that tiling is %t", drawn.VAETiling)
			}
			if peak > nn.LowBudget {
				t.Errorf("%d MiB at the peak", peak>>20)
			}
		})
	}
}
