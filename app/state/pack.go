package state

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/imprompt/imprompt/app/settings"
)

// Indexed is what the index of a zip says of one picture.
type Indexed struct {
	File     string            `json:"file"`
	Made     string            `json:"made,omitempty"` // RFC 3339
	Label    string            `json:"label,omitempty"`
	Starred  bool              `json:"starred,omitempty"`
	Seconds  float64           `json:"seconds,omitempty"`
	Score    *Score            `json:"score,omitempty"`
	Settings settings.Settings `json:"settings"`
}

// IndexFile is the name of the index, a JSON list of Indexed.
const IndexFile = "index.json"

// Pack writes results as a zip of their PNGs, with an index and contact sheets. read returns the bytes of a result's PNG,
// and drawn those of a sheet's.
func Pack(w io.Writer, results []*Result, read func(*Result) ([]byte, error), drawn func(Sheet) ([]byte, error)) error {
	z, now := zip.NewWriter(w), time.Now()
	// PNGs are stored, because they do not shrink any more.
	add := func(name string, made time.Time, method uint16, data []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: made})
		if err == nil {
			_, err = f.Write(data)
		}
		return err
	}
	names, index := fileNames(results), make([]Indexed, len(results))
	for i, r := range results {
		data, err := read(r)
		if err != nil {
			return err
		}
		made := r.Made
		index[i] = Indexed{File: names[i], Label: r.Label, Starred: r.Starred, Seconds: r.Cost.Seconds, Score: r.Score, Settings: r.Settings.Public()}
		if made.IsZero() {
			made = now
		} else {
			index[i].Made = made.Format(time.RFC3339)
		}
		if err := add(names[i], made, zip.Store, data); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return err
	}
	if err := add(IndexFile, now, zip.Deflate, text); err != nil {
		return err
	}
	for _, sheet := range ContactSheets(results) {
		data, err := drawn(sheet)
		if err != nil {
			return err
		}
		if err := add(sheet.FileName, now, zip.Store, data); err != nil {
			return err
		}
	}
	return z.Close()
}

// fileNames returns names for the files of results. No two are the same.
func fileNames(results []*Result) []string {
	names, taken := make([]string, len(results)), map[string]int{}
	for i, r := range results {
		name := r.FileName()
		if taken[name]++; taken[name] > 1 {
			name = fmt.Sprintf("%s-%d.png", strings.TrimSuffix(name, ".png"), taken[name])
		}
		names[i] = name
	}
	return names
}
