package unet_test

import (
	"fmt"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// tapsFixture is what tests/reference/taps.py computes.
type tapsFixture struct {
	Timestep float64
	Lambda   float64
	Cases    map[string]modeltest.Output // by "MODEL/CASE"
}

// shape is the height, the width and the channels of activations.
type shape [3]int

// residualShapes are the shapes of all skips, of the mid block's result, and of what every
// down block hands on, for the fixture's latents.
func residualShapes(t *testing.T, m modeltest.Model, f modeltest.Networks) (skips []shape, mid shape, down []shape) {
	t.Helper()
	c, err := unet.ParseConfig(m.Configs["unet"])
	if err != nil {
		t.Fatal(err)
	}
	h, w := f.Latents[0], f.Latents[1]
	skips = append(skips, shape{h, w, c.BlockOutChannels[0]})
	for i, channels := range c.BlockOutChannels {
		for range c.LayersPerBlock[i] {
			skips = append(skips, shape{h, w, channels})
		}
		before := skips[len(skips)-1]
		if i < len(c.BlockOutChannels)-1 {
			h, w = (h+1)/2, (w+1)/2
			skips = append(skips, shape{h, w, channels})
		}
		if c.DownBlockTypes[i] == "CrossAttnDownBlock2D" {
			down = append(down, before)
		} else {
			down = append(down, skips[len(skips)-1])
		}
	}
	return skips, skips[len(skips)-1], down
}

// At every tap the UNet does what diffusers' does.
func TestTaps(t *testing.T) {
	var taps tapsFixture
	modeltest.Fixture(t, "taps/taps.json", &taps)
	f := modeltest.ReadNetworks(t)
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		for _, name := range []string{"a", "b"} {
			m := modeltest.Models(t)[name]
			check := func(what string, before unet.ConditioningTaps, tap func(e *evaluation, t *unet.StepTaps)) {
				t.Run(name+"/"+what, func(t *testing.T) {
					want, ok := taps.Cases[name+"/"+what]
					if !ok {
						t.Fatal("the fixture does not have it")
					}
					got := evaluate(t, d, m, f, []float64{taps.Timestep}, before, tap)
					modeltest.Compare(t, d, got, want.Values, want.F16Error)
				})
			}
			given := func(e *evaluation, name string, batch int, s shape) *gpu.Tensor {
				return e.given(name, batch, s[0], s[1], s[2])
			}
			skips, mid, down := residualShapes(t, m, f)

			check("skips", unet.ConditioningTaps{}, func(e *evaluation, t *unet.StepTaps) {
				for i, s := range skips {
					t.AddSkip(i, unet.Residual{X: given(e, fmt.Sprintf("skip %d", i), 2, s)})
				}
				t.AddMid(unet.Residual{X: given(e, "mid", 2, mid)})
			})
			// λ of another layer is in the table, too, and must not be read.
			check("skips_lambda", unet.ConditioningTaps{}, func(e *evaluation, t *unet.StepTaps) {
				lambda := guides.Lambda{Layers: []float64{9, taps.Lambda}, End: 1}.Tensor(d, 1)
				e.release = append(e.release, lambda.Release)
				residual := func(name string, s shape) unet.Residual {
					return unet.Residual{X: given(e, name, 1, s), Lambda: lambda, LambdaAt: 1, Mask: e.mask(m, name+" mask", s)}
				}
				for i, s := range skips {
					t.AddSkip(i, residual(fmt.Sprintf("skip %d", i), s))
				}
				t.AddMid(residual("mid", mid))
			})
			check("down", unet.ConditioningTaps{}, func(e *evaluation, t *unet.StepTaps) {
				for i, s := range down {
					t.AddDown(i, unet.Residual{X: given(e, fmt.Sprintf("down %d", i), 2, s)})
				}
			})
			var before unet.ConditioningTaps
			c, err := unet.ParseConfig(m.Configs["unet"])
			if err != nil {
				t.Fatal(err)
			}
			vector := modeltest.GivenValues(m, "class embedding", c.TimeEmbeddingDim)
			before.AddTime(vector) // the fixture has twice the vector
			before.AddTime(vector)
			check("time", before, nil)
			check("self", unet.ConditioningTaps{}, func(e *evaluation, t *unet.StepTaps) {
				reference := e.given("reference", 2, f.Latents[0], f.Latents[1], c.InChannels)
				read := &unet.StepTaps{}
				read.ReadSelf(t.AddSelf)
				e.unet.Record(e.program, reference, e.conditioning, read)
			})
			// The same in one batch, alone and beside what other guides add to the sample alone.
			var twice unet.ConditioningTaps
			twice.AddReference()
			batch := func(e *evaluation, t *unet.StepTaps) {
				t.AddReference(unet.Reference{X: e.given("reference", 2, f.Latents[0], f.Latents[1], c.InChannels), Attention: true})
			}
			check("self", twice, batch)
			if name != "a" {
				continue
			}
			residuals := func(e *evaluation, t *unet.StepTaps) {
				for i, s := range skips {
					t.AddSkip(i, unet.Residual{X: given(e, fmt.Sprintf("skip %d", i), 2, s)})
				}
				for i, s := range down {
					t.AddDown(i, unet.Residual{X: given(e, fmt.Sprintf("down %d", i), 2, s)})
				}
				t.AddMid(unet.Residual{X: given(e, "mid", 2, mid)})
			}
			t.Run(name+"/reference beside residuals", func(t *testing.T) {
				want := evaluate(t, d, m, f, []float64{taps.Timestep}, unet.ConditioningTaps{}, func(e *evaluation, t *unet.StepTaps) {
					read := &unet.StepTaps{}
					read.ReadSelf(t.AddSelf)
					e.unet.Record(e.program, e.given("reference", 2, f.Latents[0], f.Latents[1], c.InChannels), e.conditioning, read)
					residuals(e, t)
				})
				got := evaluate(t, d, m, f, []float64{taps.Timestep}, twice, func(e *evaluation, t *unet.StepTaps) {
					batch(e, t)
					residuals(e, t)
				})
				modeltest.Compare(t, d, got, want, taps.Cases["a/self"].F16Error)
			})
		}
	})
}
