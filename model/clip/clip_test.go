package clip

import (
	"math"
	"testing"
)

// The state that stands for a text is that of the first end token or, by the rule for
// configurations that say 2, of the first token with the highest id.
func TestEndOfText(t *testing.T) {
	for name, c := range map[string]struct {
		ids  []int32
		eos  int
		want int
	}{
		"first of two end tokens":                  {[]int32{98, 5, 99, 99}, 99, 2},
		"highest id":                               {[]int32{98, 5, 99, 0}, 2, 2},
		"a token added later has a higher id":      {[]int32{98, 120, 99, 7}, 99, 2},
		"highest id is a token added later":        {[]int32{98, 120, 99, 7}, 2, 1},
		"no end token, as torch's argmax of zeros": {[]int32{98, 5, 7}, 99, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if at := endOfText(c.ids, c.eos); at != c.want {
				t.Errorf("%v, eos %d: %d, not %d", c.ids, c.eos, at, c.want)
			}
		})
	}
}

func TestCosine(t *testing.T) {
	if c := Cosine([]float32{3, 0}, []float32{1, 1}); math.Abs(c-math.Sqrt2/2) > 1e-12 {
		t.Errorf("45°: %g", c)
	}
	if c := Cosine([]float32{1, 2}, []float32{-2, -4}); math.Abs(c+1) > 1e-12 {
		t.Errorf("180°: %g", c)
	}
}
