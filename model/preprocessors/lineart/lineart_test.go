package lineart

import (
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
)

type fixture struct {
	Keys      map[string][]int
	Published map[string][]int
	Shape     []int
	Values    []float32
	F16Error  float64 `json:"f16_error"`
}

func readFixture(t *testing.T) (f fixture) {
	t.Helper()
	modeltest.Fixture(t, "preprocessors/lineart.json", &f)
	return f
}

// The published files have just the tensors that the network has.
func TestPublished(t *testing.T) {
	c := modeltest.Zeros(readFixture(t).Published)
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(n.(*Generator).Residuals); got != 3 {
		t.Errorf("it has %d residual blocks", got)
	}
	unused := func(_ string, keys []string) { t.Errorf("not used: %v", keys) }
	if err := (&nn.Memory{Unused: unused}).Add(n, c, 0); err != nil {
		t.Error(err)
	}
}
