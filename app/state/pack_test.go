package state

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/imprompt/imprompt/app/settings"
)

func TestPack(t *testing.T) {
	read := func(r *Result) ([]byte, error) { return []byte(r.PNG.(string)), nil }
	drawn := func(s Sheet) ([]byte, error) { return []byte(s.FileName), nil }
	late, early, twin := resultOf("late", 9), resultOf("early", 8), resultOf("twin", 8)
	made := time.Date(2026, 3, 4, 5, 6, 8, 0, time.FixedZone("", 3600))
	early.Made, twin.Made = made, made
	early.Settings.Guides = settings.Guides{&settings.IPAdapter{Lambda: 0.5}}
	twin.Settings.Guides = early.Settings.Guides
	early.Score = &Score{CLIPI: []float64{0.84}}
	early.Settings.Model, early.Starred = "https://example.com/model.safetensors?token=secret", true

	t.Run("names and dates say what a picture is", func(t *testing.T) {
		var b bytes.Buffer
		if err := Pack(&b, []*Result{late, early, twin}, read, drawn); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"imprompt-seed-9.png", "imprompt-20260304-050608-seed-8-lambda-0.5.png", "imprompt-20260304-050608-seed-8-lambda-0.5-2.png", "index.json", "contact-sheet-1.png"}
		for i, f := range z.File {
			if i >= len(want) || f.Name != want[i] {
				t.Fatalf("file %d is %s", i, f.Name)
			}
		}
		// The extended timestamp says when it was, and the date of MS-DOS what the clock showed.
		f := z.File[1]
		if !f.Modified.Equal(made) || f.ModifiedTime != 5<<11|6<<5|8/2 || f.ModifiedDate != (2026-1980)<<9|3<<5|4 { //nolint:staticcheck // they are what is tested
			t.Errorf("it was made %s", f.Modified)
		}
		if since := time.Since(z.File[0].Modified); since < 0 || since > time.Minute {
			t.Errorf("a picture of unknown age was made %s", z.File[0].Modified)
		}
		open := func(name string) string {
			f, err := z.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			var content bytes.Buffer
			if _, err := content.ReadFrom(f); err != nil {
				t.Fatal(err)
			}
			return content.String()
		}
		if got := open(want[1]); got != "early 8" {
			t.Errorf("it has %q", got)
		}
		var index []struct {
			File, Made string
			Starred    bool
			Score      *Score
			Settings   settings.Settings
		}
		if err := json.Unmarshal([]byte(open(IndexFile)), &index); err != nil {
			t.Fatal(err)
		}
		if got := index[1]; len(index) != 3 || got.File != want[1] || got.Made != "2026-03-04T05:06:08+01:00" || !got.Starred || got.Settings.Seed != 8 || got.Settings.Model != "https://example.com/model.safetensors" {
			t.Errorf("%+v", got)
		}
		if s := index[1].Score; s == nil || s.CLIPI[0] != 0.84 || s.CLIPT != nil {
			t.Errorf("its score is %v", s)
		}
		if index[0].Made != "" || index[0].Score != nil || index[0].Settings.Prompt != "late" {
			t.Errorf("%+v", index[0])
		}
	})
	t.Run("fails where a picture cannot be read or a sheet cannot be drawn", func(t *testing.T) {
		gone := errors.New("it is gone")
		if err := Pack(&bytes.Buffer{}, []*Result{late}, func(*Result) ([]byte, error) { return nil, gone }, drawn); !errors.Is(err, gone) {
			t.Errorf("%v", err)
		}
		if err := Pack(&bytes.Buffer{}, []*Result{late}, read, func(Sheet) ([]byte, error) { return nil, gone }); !errors.Is(err, gone) {
			t.Errorf("%v", err)
		}
	})
}
