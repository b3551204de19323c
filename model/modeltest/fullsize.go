package modeltest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/nn"
)

// FullSize is Stable Diffusion 1.5 without its numbers (tests/full/weights.py --layout):
// every file's configuration, or its keys and shapes.
type FullSize map[string]json.RawMessage

// ReadFullSize reads tests/fixtures/full/layout.json.
func ReadFullSize(t *testing.T) FullSize {
	t.Helper()
	f := FullSize{}
	Fixture(t, "full/layout.json", &f)
	return f
}

// Checkpoint is a file's weights, all of which are zero.
func (f FullSize) Checkpoint(t *testing.T, file string) nn.Checkpoint {
	t.Helper()
	var layout struct{ Shapes map[string][]int }
	if err := json.Unmarshal(f[file], &layout); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return Zeros(layout.Shapes)
}

// Zeros is a checkpoint of tensors of these shapes, all of which are zero.
type Zeros map[string][]int

func (z Zeros) Names() []string { return slices.Collect(maps.Keys(z)) }

func (z Zeros) Info(name string) (string, []int, bool) {
	shape, ok := z[name]
	return "F16", shape, ok
}

func (z Zeros) Read(_ context.Context, _ string, _, n int64) (webapi.Bytes, error) {
	return webapi.BytesOf(make([]byte, n)), nil
}
