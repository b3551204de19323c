package evaluate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/imageproc"
)

// Progress reports a picture that is finished.
type Progress struct {
	Row, Picture string
	Seed         int
	Done, Total  int // pictures of the whole table
	Drawn        bool
}

// Options are the inputs of Run.
type Options struct {
	Spec   *Spec
	Engine *engine.Engine
	Host   engine.Host
	Judge  *gpu.Device // the device for CLIP, without shader-f16, whatever the pictures are drawn with
	Dir    string      // the folder for the results; what is there already is not done again
	Tell   func(Progress)
}

// Run draws the missing pictures, measures them, and writes into Dir:
//
//	pictures/KEY.png  each picture, with its settings
//	results.jsonl     a Score per line
//	table.json, table.md, sheet.png
//
// It goes seed by seed, so that there is a complete table early on, with fewer seeds.
func Run(ctx context.Context, o Options) (*Table, error) {
	r := &run{Options: o, pictures: engine.Pictures{}, weights: map[int]string{}}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	defer r.judge.clip.Release()
	total := o.Spec.Seeds * len(r.rows) * len(r.examples)
	done := 0
	for seed := range o.Spec.Seeds {
		for i := range r.rows {
			for k := range r.examples {
				drawn, err := r.one(ctx, i, k, seed)
				if err != nil {
					return nil, fmt.Errorf("row %q, %s: %w", r.rows[i].Name, r.examples[k]["picture"], err)
				}
				done++
				o.Tell(Progress{r.rows[i].Name, r.examples[k]["picture"], seed, done, total, drawn})
			}
			// Write a table of what there is so far, so that a long run can be watched.
			if err := r.writeTable(); err != nil {
				return nil, err
			}
		}
		// Once only: compressing the sheet takes seconds, and it shows only the first seed.
		if seed == 0 {
			if err := r.writeSheet(); err != nil {
				return nil, err
			}
		}
	}
	return r.table(), nil
}

type run struct {
	Options
	rows     []Row
	examples []Example
	results  *results
	judge    *judge
	pictures engine.Pictures // the image prompts' files
	weights  map[int]string  // by row: fingerprints

	prompts, captions, others [][]float32       // embeddings, by example
	scores                    []map[int][]Score // by row and seed
	sheet                     [][]*imageproc.Image
}

// open reads everything that is small, and computes the judge's embeddings of the list.
func (r *run) open(ctx context.Context) error {
	var err error
	if r.rows, err = r.Spec.Rows(); err != nil {
		return err
	}
	list, err := os.ReadFile(r.Spec.Pictures)
	if err != nil {
		return fmt.Errorf("the list of pictures: %w", err)
	}
	if r.examples, err = ReadExamples(list, r.Spec.Count); err != nil {
		return fmt.Errorf("%s: %w", r.Spec.Pictures, err)
	}
	if err := os.MkdirAll(filepath.Join(r.Dir, "pictures"), 0o755); err != nil {
		return err
	}
	if r.results, err = openResults(r.Dir); err != nil {
		return err
	}
	// Report a missing file before hours of drawing.
	for i, row := range r.rows {
		if r.weights[i], err = weightsOf(ctx, r.Host, row); err != nil {
			return fmt.Errorf("row %q: %w", row.Name, err)
		}
		for _, e := range r.examples {
			if _, err := r.Spec.settings(row, e, 0); err != nil {
				return fmt.Errorf("row %q: %w", row.Name, err)
			}
		}
		r.scores = append(r.scores, map[int][]Score{})
		r.sheet = append(r.sheet, make([]*imageproc.Image, len(r.examples)))
	}
	folder, err := r.Host.Folder(ctx, r.Spec.CLIP)
	if err != nil {
		return fmt.Errorf("the CLIP that judges: %w", err)
	}
	if r.judge, err = loadJudge(ctx, r.Judge, folder); err != nil {
		return fmt.Errorf("the CLIP that judges: %w", err)
	}
	return r.embed(ctx)
}

// imagePrompt returns a picture as the engine sees it.
func imagePrompt(file []byte) (*imageproc.Image, error) {
	m, alpha, err := imageproc.DecodeAlpha(file)
	if err != nil {
		return nil, err
	}
	return m.Flatten(alpha, [3]uint8{255, 255, 255}), nil
}

// embed computes the embeddings of the list's own pictures and words.
func (r *run) embed(ctx context.Context) error {
	everywhere := true
	for _, e := range r.examples {
		everywhere = everywhere && e["other"] != ""
	}
	for _, e := range r.examples {
		file, err := os.ReadFile(filepath.Join(filepath.Dir(r.Spec.Pictures), e["picture"]))
		if err != nil {
			return err
		}
		r.pictures[e["picture"]] = file
		m, err := imagePrompt(file)
		if err != nil {
			return fmt.Errorf("%s: %w", e["picture"], err)
		}
		prompt, err := r.judge.picture(ctx, m)
		if err != nil {
			return err
		}
		caption, err := r.judge.words(ctx, e["caption"])
		if err != nil {
			return err
		}
		r.prompts, r.captions = append(r.prompts, prompt), append(r.captions, caption)
		if everywhere {
			other, err := r.judge.words(ctx, e["other"])
			if err != nil {
				return err
			}
			r.others = append(r.others, other)
		}
	}
	return nil
}

// key names a picture by everything that it depends on.
func (r *run) key(row int, s settings.Settings) string {
	given := sha256.New()
	for _, a := range s.IPAdapters() {
		given.Write(r.pictures[a.Images[0].Picture])
	}
	b, err := json.Marshal(struct {
		Settings settings.Settings
		Weights  string
		Pictures []byte
		F16      bool
	}{s, r.weights[row], given.Sum(nil), r.Engine.Device.F16})
	if err != nil {
		panic(err) // numbers and text always marshal
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:10])
}

// one measures one picture. It draws the picture if it is not there yet.
func (r *run) one(ctx context.Context, row, example, seed int) (drawn bool, err error) {
	s, err := r.Spec.settings(r.rows[row], r.examples[example], seed)
	if err != nil {
		return false, err
	}
	key := r.key(row, s)
	file := filepath.Join(r.Dir, "pictures", key+".png")
	score, measured := r.results.find(key, r.judge.print)
	data, err := os.ReadFile(file)
	if err != nil {
		measured = false
		if data, err = r.draw(ctx, s); err != nil {
			return false, err
		}
		if err := writeFile(file, data); err != nil {
			return false, err
		}
		drawn = true
	}
	var m *imageproc.Image
	if !measured || seed == 0 {
		if m, err = imageproc.Decode(data); err != nil {
			return drawn, fmt.Errorf("%s: %w", file, err)
		}
	}
	if seed == 0 {
		r.sheet[row][example] = m
	}
	if !measured {
		if score, err = r.measure(ctx, m, example); err != nil {
			return drawn, err
		}
		score.Key, score.Row, score.Picture, score.Seed = key, r.rows[row].Name, r.examples[example]["picture"], seed
		if err := r.results.add(score); err != nil {
			return drawn, err
		}
	}
	r.scores[row][seed] = append(r.scores[row][seed], score)
	return drawn, nil
}

func (r *run) draw(ctx context.Context, s settings.Settings) ([]byte, error) {
	var file bytes.Buffer
	err := r.Engine.Generate(ctx, s, r.pictures, func(engine.Event) {}, func(res engine.Result) error {
		return settings.EncodePNG(&file, res.RGBA, res.Width, res.Height, res.Settings)
	})
	return file.Bytes(), err
}

func (r *run) measure(ctx context.Context, m *imageproc.Image, example int) (Score, error) {
	seen, err := r.judge.picture(ctx, m)
	if err != nil {
		return Score{}, err
	}
	return r.score(seen, example), nil
}

// score compares an embedding with an example's.
func (r *run) score(seen []float32, example int) Score {
	s := Score{CLIP: r.judge.print, CLIPI: clip.Cosine(seen, r.prompts[example]), CLIPT: clip.Cosine(seen, r.captions[example])}
	if r.others != nil {
		other := clip.Cosine(seen, r.others[example])
		s.Other = &other
	}
	return s
}

// table returns the table of the scores so far.
func (r *run) table() *Table {
	t := &Table{Judge: r.judgeName(), Pictures: len(r.examples), Settings: r.shared()}
	n := len(r.examples)
	baseline := func(shift int) Baseline {
		var i, c, o []float64
		for k := range r.examples {
			s := r.score(r.prompts[(k+shift)%n], k)
			i, c = append(i, s.CLIPI), append(c, s.CLIPT)
			if s.Other != nil {
				o = append(o, *s.Other)
			}
		}
		b := Baseline{CLIPI: mean(i), CLIPT: mean(c)}
		if len(o) > 0 {
			v := mean(o)
			b.Other = &v
		}
		return b
	}
	t.Own = baseline(0)
	if n > 1 {
		another := baseline(1)
		t.Another = &another
	}
	for i, row := range r.rows {
		if l, ok := line(row, r.scores[i], n); ok {
			t.Lines = append(t.Lines, l)
		}
	}
	return t
}

func (r *run) judgeName() string {
	if r.Spec.CLIP == "" {
		return "the model's own CLIP"
	}
	return filepath.Base(r.Spec.CLIP)
}

// shared returns the settings that all rows have in common.
func (r *run) shared() settings.Settings {
	s, _ := r.Spec.settings(Row{}, r.examples[0], 0)
	return s
}

// writeTable writes table.json and table.md.
func (r *run) writeTable() error {
	t := r.table()
	if len(t.Lines) == 0 {
		return nil
	}
	b, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(r.Dir, "table.json"), append(b, '\n')); err != nil {
		return err
	}
	return writeFile(filepath.Join(r.Dir, "table.md"), []byte(t.Markdown()))
}
