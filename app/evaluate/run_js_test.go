//go:build js && wasm

package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/imageproc"
)

const clipFixture = "../../tests/fixtures/clip"

// split shows a CLIPModel's folder in diffusers' layout.
type split struct{ whole loader.Folder }

func (s split) Open(ctx context.Context, name string) (loader.Source, error) {
	folder, file, _ := strings.Cut(name, "/")
	switch folder {
	case "text_encoder", "tokenizer", "image_encoder":
		return s.whole.Open(ctx, file)
	}
	return nil, os.ErrNotExist
}

func open(t *testing.T, noF16 bool) *gpu.Device {
	t.Helper()
	d, err := gpu.Open(context.Background(), gpu.Options{NoF16: noF16})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// The embeddings and cosines equal transformers' (tests/reference/clip.py), for a complete
// CLIPModel and for its parts.
func TestJudge(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(clipFixture, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Pictures, Captions []string
		IDs                [][]int32
		ImageEmbeds        [][]float32 `json:"image_embeds"`
		TextEmbeds         [][]float32 `json:"text_embeds"`
		CLIPI              [][]float64 `json:"clip_i"`
		CLIPT              [][]float64 `json:"clip_t"`
		F16Error           float64     `json:"f16_error"`
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	f32, f16 := open(t, true), open(t, false)
	for _, c := range []struct {
		name      string
		folder    loader.Folder
		device    *gpu.Device
		tolerance float64
	}{
		{"whole f32", loader.Directory(clipFixture), f32, 1e-5},
		{"whole f16", loader.Directory(clipFixture), f16, 2 * want.F16Error},
		{"split f32", split{loader.Directory(clipFixture)}, f32, 1e-5},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, err := loadJudge(ctx, c.device, c.folder)
			if err != nil {
				t.Fatal(err)
			}
			defer j.clip.Release()
			var images, texts [][]float32
			for _, name := range want.Pictures {
				file, err := os.ReadFile(filepath.Join(clipFixture, name))
				if err != nil {
					t.Fatal(err)
				}
				m, err := imageproc.Decode(file)
				if err != nil {
					t.Fatal(err)
				}
				e, err := j.picture(ctx, m)
				if err != nil {
					t.Fatal(err)
				}
				images = append(images, e)
			}
			for i, caption := range want.Captions {
				if ids := j.tokenizer.Encode(caption).IDs; !equal(ids, want.IDs[i]) {
					t.Errorf("%q: the tokens are %v, not %v", caption, ids, want.IDs[i])
				}
				e, err := j.words(ctx, caption)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, e)
			}
			largest := 0.0
			check := func(what string, got, want float64) {
				largest = max(largest, math.Abs(got-want))
				if !(math.Abs(got-want) <= c.tolerance) {
					t.Errorf("%s is %.6f, transformers' %.6f, at most %.2g apart allowed", what, got, want, c.tolerance)
				}
			}
			for i, a := range images {
				for k, b := range images {
					check("CLIP-I of "+want.Pictures[i]+" and "+want.Pictures[k], clip.Cosine(a, b), want.CLIPI[i][k])
				}
				for k, b := range texts {
					check("CLIP-T of "+want.Pictures[i]+" and "+want.Captions[k], clip.Cosine(a, b), want.CLIPT[i][k])
				}
				// The length has to be right, too, not only the direction.
				check("the size of "+want.Pictures[i], length(a)/length(want.ImageEmbeds[i]), 1)
			}
			for k, b := range texts {
				check("the size of "+want.Captions[k], length(b)/length(want.TextEmbeds[k]), 1)
			}
			t.Logf("largest error %.2g, at most %.2g", largest, c.tolerance)
		})
	}
}

func equal(a, b []int32) bool {
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func length(v []float32) float64 {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	return math.Sqrt(squares)
}

// host finds the model that ships, and the fixture's CLIP.
type host struct{}

func (host) Folder(_ context.Context, name string) (loader.Folder, error) {
	if name == "" {
		name = "../../web/model"
	}
	return loader.Directory(name), nil
}

func (host) File(_ context.Context, name string) (loader.Source, error) { return loader.OpenFile(name) }

// A complete run gives what the engine and the judge give when they are called separately.
// A second run draws nothing and gives the same table.
func TestRun(t *testing.T) {
	ctx := context.Background()
	d := open(t, false)
	e := engine.New(d, host{})
	defer e.Unload()
	dir := t.TempDir()
	list := filepath.Join(dir, "list", "list.jsonl")
	if err := os.Mkdir(filepath.Dir(list), 0o755); err != nil {
		t.Fatal(err)
	}
	disc, err := os.ReadFile(filepath.Join(clipFixture, "disc.png"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"list.jsonl": []byte(`{"picture": "disc.png", "caption": "a red fox", "other": "on a blue lake"}`), "disc.png": disc} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(list), name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spec, err := ParseSpec([]byte(`{"clip": "../../tests/fixtures/clip", "height": 64, "width": 64, "num_inference_steps": 2, "seeds": 2,
		"adapters": {"global": {"ip_adapter": "../../web/model/ip-adapter.safetensors"}},
		"rows": [{"row": "words", "words": "{caption}"}, {"row": "both", "words": "{other}", "adapters": ["global"], "scales": [0.6]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	spec.Pictures = list
	var drawn int
	o := Options{Spec: spec, Engine: e, Host: host{}, Judge: open(t, true), Dir: filepath.Join(dir, "out"), Tell: func(p Progress) {
		if p.Total != 4 {
			t.Errorf("%d pictures in all", p.Total)
		}
		if p.Drawn {
			drawn++
		}
	}}
	table, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if drawn != 4 || len(table.Lines) != 2 {
		t.Fatalf("%d pictures drawn, %d rows", drawn, len(table.Lines))
	}

	j, err := loadJudge(ctx, o.Judge, loader.Directory(clipFixture))
	if err != nil {
		t.Fatal(err)
	}
	defer j.clip.Release()
	see := func(file []byte) []float32 {
		m, err := imageproc.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := j.picture(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	read := func(text string) []float32 {
		v, err := j.words(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	s := settings.Default()
	s.Scheduler, s.NumInferenceSteps, s.GuidanceScale, s.Height, s.Width = "dpmpp_2m", 2, 5, 64, 64
	for i, l := range table.Lines {
		s.Prompt = "a red fox"
		if i == 1 {
			s.Prompt = "on a blue lake"
			a := settings.DefaultIPAdapter()
			a.Weights, a.Lambda, a.Images = "../../web/model/ip-adapter.safetensors", 0.6, []settings.ImagePrompt{{Picture: "disc.png"}}
			s.Guides = settings.Guides{&a}
		}
		var clipI, clipT, other []float64
		for seed := range 2 {
			s.Seed = uint64(seed)
			err := e.Generate(ctx, s, engine.Pictures{"disc.png": disc}, func(engine.Event) {}, func(r engine.Result) error {
				var b bytes.Buffer
				if err := settings.EncodePNG(&b, r.RGBA, r.Width, r.Height, r.Settings); err != nil {
					return err
				}
				v := see(b.Bytes())
				clipI, clipT, other = append(clipI, clip.Cosine(v, see(disc))), append(clipT, clip.Cosine(v, read("a red fox"))), append(other, clip.Cosine(v, read("on a blue lake")))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			what string
			got  Measure
			want []float64
		}{{"CLIP-I", l.CLIPI, clipI}, {"CLIP-T", l.CLIPT, clipT}, {"CLIP-T of other words", *l.Other, other}} {
			mean, spread := (c.want[0]+c.want[1])/2, math.Abs(c.want[0]-c.want[1])/math.Sqrt2
			if math.Abs(c.got.Mean-mean) > 1e-9 || math.Abs(*c.got.Spread-spread) > 1e-9 {
				t.Errorf("row %s: %s is %v, and %g ± %g one by one", l.Name, c.what, c.got, mean, spread)
			}
		}
		if clipI[0] == clipI[1] {
			t.Errorf("row %s: both seeds give the same", l.Name)
		}
	}
	if table.Lines[0].CLIPI.Mean == table.Lines[1].CLIPI.Mean {
		t.Error("both rows give the same")
	}
	if table.Own.CLIPI != 1 && math.Abs(table.Own.CLIPI-1) > 1e-12 {
		t.Errorf("a picture's CLIP-I with itself is %g", table.Own.CLIPI)
	}

	again, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if drawn != 4 || again.Markdown() != table.Markdown() {
		t.Errorf("the second run drew %d pictures and says\n%s", drawn-4, again.Markdown())
	}
	for _, name := range []string{"table.json", "table.md", "sheet.png", "results.jsonl"} {
		if info, err := os.Stat(filepath.Join(o.Dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	sheet, err := os.ReadFile(filepath.Join(o.Dir, "sheet.png"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := png.Decode(bytes.NewReader(sheet)); err != nil || m.Bounds().Dy() != 3*(sheetCell+sheetGap)+sheetGap {
		t.Errorf("the sheet: %v", err)
	}
}

// Missing files are reported before anything is drawn.
func TestMissing(t *testing.T) {
	ctx := context.Background()
	if _, err := loadJudge(ctx, open(t, true), loader.Directory("../../tests/fixtures")); err == nil {
		t.Error("a folder without a CLIP is no error")
	}
	spec, err := ParseSpec([]byte(`{"pictures": "../../tests/heldout/pictures.jsonl", "height": 64, "width": 64,
		"adapters": {"none": {"ip_adapter": "none.safetensors"}}, "rows": [{"row": "picture", "adapters": ["none"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(ctx, Options{Spec: spec, Engine: engine.New(open(t, true), host{}), Host: host{}, Judge: open(t, true), Dir: t.TempDir(), Tell: func(Progress) {}})
	if err == nil || !strings.Contains(err.Error(), "none.safetensors") || !strings.Contains(err.Error(), `"picture"`) {
		t.Errorf("an adapter that is missing gives %v", err)
	}
}
