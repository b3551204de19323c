package lineart

import (
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
)

// The published files have just the tensors that the network has.
func TestPublished(t *testing.T) {
	n := modeltest.OpenPublished(t, modeltest.ReadMapNetwork(t, "lineart"), Open)
	if got := len(n.(*Generator).Residuals); got != 3 {
		t.Errorf("it has %d residual blocks", got)
	}
}
