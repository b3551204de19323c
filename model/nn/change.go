package nn

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// Changes are what is added to a network's tensors when they are uploaded, by the tensors'
// names. The checkpoint itself stays as it is.
type Changes map[string][]gpu.Change

// Shapes are those of all tensors that a network reads, by their names.
func Shapes(n Network) map[string][]int {
	shapes := map[string][]int{}
	visit(reflect.ValueOf(n), "", func(prefix string, l layer) {
		for _, w := range l.wants(prefix) {
			shapes[w.key] = w.shape
		}
	})
	return shapes
}

// id identifies the changes of a tensor.
func (c Changes) id(key string) string {
	var s strings.Builder
	for _, one := range c[key] {
		fmt.Fprintf(&s, "%q %g %g\n", one.Name, one.Scale, one.Strength)
	}
	return s.String()
}

// differs reports whether a layer has other changes now than before.
func (t task) differs(now, before Changes) bool {
	for _, key := range t.keys {
		if now.id(key) != before.id(key) {
			return true
		}
	}
	return false
}

// mergeBytes is what the changes of a piece of a tensor take on the GPU besides the piece: its
// numbers in f32 up to three times.
const mergeBytes = 6 * gpu.StageBytes
