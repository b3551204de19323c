package state

import (
	"testing"

	"github.com/imprompt/imprompt/model/prompt"
)

func TestMarkClass(t *testing.T) {
	want := map[string]string{"a (": "", "fox": "up much", "cat": "up", "hen": "down", " BREAK ": "break", "dog": "down much"}
	for _, m := range prompt.Marks("a (fox:1.3)(cat)[hen] BREAK (dog:0.5)") {
		if class, ok := want[m.Text]; ok && class != MarkClass(m) {
			t.Errorf("%q is marked %q, want %q", m.Text, MarkClass(m), class)
		}
		delete(want, m.Text)
	}
	if len(want) > 0 {
		t.Errorf("not marked apart: %v", want)
	}
}
