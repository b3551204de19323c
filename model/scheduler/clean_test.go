package scheduler

import (
	"math"
	"strings"
	"testing"
)

// Where the model's output is exactly what was mixed into the sample, the predicted clean
// sample is what it was mixed into, in every step of every scheduler.
func TestCleanSample(t *testing.T) {
	const x0, noise = 0.7, -1.3
	for _, name := range Names() {
		for _, prediction := range []string{"epsilon", "v_prediction", "sample"} {
			c, err := ParseConfig([]byte(`{"_class_name":"DDIMScheduler","beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","prediction_type":"` + prediction + `"}`))
			if err != nil {
				t.Fatal(err)
			}
			s, err := New(name, c, 7, Options{Strength: 0.9})
			if err != nil && strings.Contains(err.Error(), "prediction_type") {
				continue // a class that does not have it
			}
			if err != nil {
				t.Fatal(name, err)
			}
			a, b := s.AddNoise.Latents, s.AddNoise.Noise
			for i, st := range s.Steps {
				x := a*x0 + b*noise
				scale := math.Sqrt(a*a + b*b)
				e := map[string]float64{"epsilon": noise, "v_prediction": (a*noise - b*x0) / scale, "sample": x0}[prediction]
				if got := st.Clean.X*x + st.Clean.E*e; math.Abs(got-x0) > 1e-9 {
					t.Errorf("%s, %s, step %d: the clean sample is %g, not %g", name, prediction, i, got, x0)
				}
				a, b = st.Init, st.InitNoise
			}
		}
	}
}
