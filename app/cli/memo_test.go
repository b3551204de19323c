package cli

import (
	"context"
	"path/filepath"
	"testing"
)

func TestMemo(t *testing.T) {
	ctx := context.Background()
	m := memo{filepath.Join(t.TempDir(), "imprompt", "memo.json")}
	if text, err := m.Recall(ctx, "a"); text != "" || err != nil {
		t.Errorf("at first there is %q, %v", text, err)
	}
	for key, text := range map[string]string{"a": "1", "b": "2"} {
		if err := m.Remember(ctx, key, text); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := m.Recall(ctx, "a"); text != "1" || err != nil {
		t.Errorf("then there is %q, %v", text, err)
	}
}
