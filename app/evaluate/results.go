package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// results holds the scores of a folder. Each line of the file is a JSON object, so that a
// run that was interrupted can go on where it stopped.
type results struct {
	file   string
	scores map[string]Score // by key and CLIP
}

func openResults(dir string) (*results, error) {
	r := &results{file: filepath.Join(dir, "results.jsonl"), scores: map[string]Score{}}
	b, err := os.ReadFile(r.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, text := range bytes.Split(b, []byte("\n")) {
		var s Score
		// The last line of a run that was interrupted may be incomplete. That picture is measured again.
		if json.Unmarshal(text, &s) == nil {
			r.scores[s.Key+s.CLIP] = s
		}
	}
	return r, nil
}

func (r *results) find(key, clip string) (Score, bool) {
	s, ok := r.scores[key+clip]
	return s, ok
}

func (r *results) add(s Score) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(r.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	// Begin a new line, even after an incomplete one.
	_, err = f.Write(append(append([]byte("\n"), line...), '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	r.scores[s.Key+s.CLIP] = s
	return nil
}

// writeFile replaces a file atomically.
func writeFile(name string, data []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return err
	}
	return os.Rename(part, name)
}
