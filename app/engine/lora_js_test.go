//go:build js && wasm

package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/pipeline"
)

// loraFixture is what tests/reference/lora.py writes.
type loraFixture struct {
	Model     string
	Tolerance float64
	Cases     map[string]loraCase
	Pictures  map[string]struct {
		LoRAs         []string
		IDs           []int32
		NegativeIDs   []int32 `json:"negative_ids"`
		Scheduler     string
		Steps         int
		Guidance      float64
		Height, Width int
		Seed          uint64
		Latents       []float32
		F16Error      float64 `json:"f16_error"`
	}
}

type loraCase struct {
	DType    string
	Scale    float64
	Metadata map[string]string
	Tensors  map[string]json.RawMessage // a shape, or a number
	Merged   map[string]struct {
		Norm   float64
		Every  int
		Values []float32
	}
}

func readLoRAs(t *testing.T) (f loraFixture) {
	t.Helper()
	modeltest.Fixture(t, "lora/lora.json", &f)
	if len(f.Cases) < 20 {
		t.Fatalf("the fixture has %d cases", len(f.Cases))
	}
	return f
}

// file is the LoRA as a safetensors file.
func (c loraCase) file(t *testing.T, name string) []byte {
	t.Helper()
	header := map[string]any{}
	if c.Metadata != nil {
		header["__metadata__"] = c.Metadata
	}
	var data []byte
	for _, key := range slices.Sorted(maps.Keys(c.Tensors)) {
		shape, values := []int{}, []float32{0}
		if json.Unmarshal(c.Tensors[key], &values[0]) != nil {
			if err := json.Unmarshal(c.Tensors[key], &shape); err != nil {
				t.Fatal(err)
			}
			values = modeltest.Values("lora/"+name+"/"+key, shape)
		}
		begin := len(data)
		for _, v := range values {
			switch bits := math.Float32bits(v); c.DType {
			case "F16":
				data = binary.LittleEndian.AppendUint16(data, gpu.Float16(v))
			case "BF16":
				data = binary.LittleEndian.AppendUint16(data, uint16((bits+0x7fff+bits>>16&1)>>16))
			default:
				data = binary.LittleEndian.AppendUint32(data, bits)
			}
		}
		header[key] = map[string]any{"dtype": c.DType, "shape": shape, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

// loraHost has the fixture's LoRAs as files.
type loraHost struct {
	Host
	t *testing.T
	f loraFixture
}

func (h loraHost) File(_ context.Context, name string) (loader.Source, error) {
	return loader.Memory(name+".safetensors", h.f.Cases[name].file(h.t, name)), nil
}

// counted counts the bytes that are read of a checkpoint, by tensor.
type counted struct {
	nn.Checkpoint
	read map[string]int64
}

func (c counted) Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error) {
	c.read[name] += n
	return c.Checkpoint.Read(ctx, name, off, n)
}

// loraModel is the fixture's model on a GPU, in an engine that knows its LoRAs.
func loraModel(t *testing.T, d *gpu.Device, f loraFixture) (e *Engine, read map[string]int64) {
	t.Helper()
	m := modeltest.Models(t)[f.Model]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.New(d, pipeline.Configs{UNet: m.Configs["unet"], VAE: m.Configs["vae"], Text: m.Configs["text_encoder"], Scheduler: m.Configs["scheduler"]})
	must(err)
	p.Memory = &nn.Memory{Device: d, Budget: nn.DefaultBudget}
	read = map[string]int64{}
	for part, networks := range map[string][]nn.Network{"unet": {p.UNet}, "vae": {p.VAE.Encoder, p.VAE.Decoder}, "text_encoder": {p.Text}} {
		for _, n := range networks {
			must(p.Memory.Add(n, counted{m.Checkpoint(part, !d.F16), read}, modeltest.Weights(d)))
		}
	}
	e = New(d, loraHost{t: t, f: f})
	e.Warn = func(text string) { t.Error(text) }
	e.loaded = &loadedModel{pipeline: p, memory: p.Memory, opened: map[string]any{}}
	t.Cleanup(e.Unload)
	return e, read
}

// Every layout's changes, merged on the GPU, give the reference's weights.
func TestLoRAWeights(t *testing.T) {
	f := readLoRAs(t)
	m := modeltest.Models(t)[f.Model]
	shapes := map[string]map[string][]int{loader.UNet: m.Keys["unet"], loader.TextEncoder: m.Keys["text_encoder"]}
	checkpoints := map[string]nn.Checkpoint{loader.UNet: m.Checkpoint("unet", true), loader.TextEncoder: m.Checkpoint("text_encoder", true)}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		ctx := context.Background()
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				l, err := loader.OpenLoRA(ctx, loader.Memory("x.safetensors", c.file(t, name)))
				if err != nil {
					t.Fatal(err)
				}
				changes, left, err := l.For(shapes)
				if err != nil || len(left) > 0 {
					t.Fatalf("%v; left: %v", err, left)
				}
				count, worst := 0, 0.0
				for network, tensors := range changes {
					for key, change := range tensors {
						count++
						want, ok := c.Merged[key]
						if !ok {
							t.Errorf("%s is changed", key)
							continue
						}
						dtype, shape, _ := checkpoints[network].Info(key)
						p := gpu.Parameter{Name: key, DType: dtype, Shape: shape, Changes: []gpu.Change{loader.AtScale(change, c.Scale)},
							Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
								return checkpoints[network].Read(ctx, key, off, n)
							}}
						read := d.Changed
						if len(shape) == 1 {
							read = func(ctx context.Context, p gpu.Parameter) ([]float32, error) { return p.Float32(ctx) }
						}
						got, err := read(ctx, p)
						if err != nil {
							t.Fatal(err)
						}
						var some []float32
						sum := 0.0
						for i, v := range got {
							if i%want.Every == 0 {
								some = append(some, v)
							}
							sum += float64(v) * float64(v)
						}
						off := max(modeltest.RelativeError(some, want.Values), math.Abs(math.Sqrt(sum)/want.Norm-1))
						worst = max(worst, off)
						if !(off <= f.Tolerance) {
							t.Errorf("%s is off by %.3g", key, off)
						}
					}
				}
				if count != len(c.Merged) {
					t.Errorf("%d tensors are changed, want %d", count, len(c.Merged))
				}
				t.Logf("off by at most %.2g", worst)
			})
		}
	})
}

// Pictures with LoRAs are the reference's. Another scale, or none, loads only the tensors that the
// LoRAs change, and without them the picture is what it was, to the bit.
func TestLoRAPictures(t *testing.T) {
	f := readLoRAs(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		ctx := context.Background()
		e, read := loraModel(t, d, f)
		draw := func(picture string, scale float64, names ...string) []float32 {
			t.Helper()
			clear(read)
			var s settings.Settings
			for _, name := range names {
				s.LoRAs = append(s.LoRAs, settings.LoRA{Weights: name, Scale: scale * f.Cases[name].Scale})
			}
			if err := e.changeWeights(ctx, s); err != nil {
				t.Fatal(err)
			}
			c := f.Pictures[picture]
			req := &pipeline.Request{IDs: c.IDs, NegativeIDs: c.NegativeIDs, Height: c.Height, Width: c.Width, Scheduler: c.Scheduler, Steps: c.Steps,
				GuidanceScale: c.Guidance, Seed: c.Seed, NumImages: 1}
			var latents []float32
			if err := e.loaded.pipeline.Run(ctx, req, func(pipeline.Progress) {}, func(r pipeline.Result) error {
				latents = r.Latents
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return latents
		}
		const any = "three"
		base := draw(any, 1)
		changed := map[string]bool{}
		for name, c := range f.Pictures {
			got := draw(name, 1, c.LoRAs...)
			t.Run(name, func(t *testing.T) { modeltest.Compare(t, d, got, c.Latents, c.F16Error) })
			for _, lora := range c.LoRAs {
				for key := range f.Cases[lora].Merged {
					changed[key] = true
				}
			}
		}
		half := draw(any, 0.5, f.Pictures[any].LoRAs...)
		if e := modeltest.RelativeError(half, base); e < 0.1 {
			t.Errorf("LoRAs at half their scale move the picture by only %g", e)
		}
		check := func(what string) {
			t.Helper()
			for key := range read {
				// A layer is loaded as a whole: its bias, and what is one product with it.
				if !slices.ContainsFunc(slices.Collect(maps.Keys(changed)), func(c string) bool { return sameLayer(c, key) }) {
					t.Errorf("%s: %s is read", what, key)
				}
			}
			if len(read) == 0 {
				t.Errorf("%s: nothing is read", what)
			}
		}
		check("half the scale")
		need := func() {
			t.Helper()
			if err := e.loaded.memory.Need(ctx, e.loaded.pipeline.Text, e.loaded.pipeline.UNet); err != nil {
				t.Fatal(err)
			}
		}
		need()
		clear(read)
		if need(); len(read) > 0 {
			t.Errorf("the same LoRAs again: %d tensors are read", len(read))
		}
		if again := draw(any, 0, f.Pictures[any].LoRAs...); !slices.Equal(again, base) {
			t.Error("at the scale 0 the picture is not the base model's")
		}
		check("without")
		need() // the words' states were kept, so that the text encoder was not
		clear(read)
		if err := e.changeWeights(ctx, settings.Settings{}); err != nil {
			t.Fatal(err)
		}
		if need(); len(read) > 0 {
			t.Errorf("without LoRAs, after the scale 0: %d tensors are read", len(read))
		}
	})
}

// sameLayer reports whether two tensors are loaded together.
func sameLayer(a, b string) bool {
	layer := func(key string) string {
		key = key[:strings.LastIndexByte(key, '.')]
		for _, one := range []string{"to_q", "to_k", "to_v", "q_proj", "k_proj", "v_proj"} {
			key = strings.TrimSuffix(key, one)
		}
		return key
	}
	return layer(a) == layer(b)
}

// What does not fit, or is of another kind, is named.
func TestLoRAErrors(t *testing.T) {
	f := readLoRAs(t)
	d, err := gpu.Open(context.Background(), gpu.Options{NoF16: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	bad := func(name string, change func(tensors map[string]json.RawMessage)) {
		c := f.Cases["kohya"]
		c.Tensors = maps.Clone(c.Tensors)
		change(c.Tensors)
		f.Cases[name] = c
	}
	const q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
	shape := func(s ...int) json.RawMessage { b, _ := json.Marshal(s); return b }
	bad("no up", func(m map[string]json.RawMessage) { delete(m, q+".lora_up.weight") })
	bad("another size", func(m map[string]json.RawMessage) { m[q+".lora_up.weight"] = shape(41, 4) })
	bad("another model", func(m map[string]json.RawMessage) {
		clear(m)
		m["lora_unet_nowhere.lora_up.weight"], m["lora_unet_nowhere.lora_down.weight"] = shape(4, 1), shape(1, 4)
	})
	bad("strange", func(m map[string]json.RawMessage) {
		m["lora_unet_nowhere.lora_up.weight"], m["lora_unet_nowhere.lora_down.weight"] = shape(4, 1), shape(1, 4)
		m[q+".oft_blocks"], m[q+".diff_b"] = shape(4, 4), shape(40)
	})
	for name, want := range map[string]string{
		"no up":         q + ` has [`,
		"another size":  "changes a weight of 41 × 40, and the model's has the shape [40 40]",
		"another model": "changes no layer of this model",
	} {
		e, _ := loraModel(t, d, f)
		err := e.changeWeights(context.Background(), settings.Settings{LoRAs: []settings.LoRA{{Weights: name, Scale: 1}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "LoRA 1") {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	e, _ := loraModel(t, d, f)
	var said string
	e.Warn = func(text string) { said += text }
	err = e.changeWeights(context.Background(), settings.Settings{LoRAs: []settings.LoRA{{Weights: "strange", Scale: 1}}})
	if err != nil || !strings.Contains(said, "4 tensors") {
		t.Errorf("%v, said %q", err, said)
	}
}
