package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
)

// memo is the engine's Memo in a file of the user's cache folder.
type memo struct{ file string }

func (m memo) read() map[string]string {
	texts := map[string]string{}
	if b, err := os.ReadFile(m.file); err == nil {
		_ = json.Unmarshal(b, &texts) // what cannot be read is measured again
	}
	return texts
}

// Recall implements engine.Memo.
func (m memo) Recall(_ context.Context, key string) (string, error) { return m.read()[key], nil }

// Remember implements engine.Memo.
func (m memo) Remember(_ context.Context, key, text string) error {
	texts := m.read()
	texts[key] = text
	b, err := json.MarshalIndent(texts, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(m.file, b, 0o644)
}
