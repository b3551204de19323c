package gpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// samplerTolerance: a step sums about fifteen products in f32, with random coefficients of
// about one, and the error of each step grows in those after it. With f16 the next input is
// rounded once.
const samplerTolerance = 5e-6

func inputTolerance(d *Device) float64 {
	if d.F16 {
		return 4e-4
	}
	return samplerTolerance
}

// referenceSampler is the arithmetic of sampler_step.wgsl in float64.
type referenceSampler struct {
	x, saved []float64
	history  [4][]float64
	clean    []float64
}

func (s *referenceSampler) step(r SamplerRow, eps [][]float32, noise, mask, init, noise0 []float32) {
	next := make([]float64, len(s.x))
	saved := make([]float64, len(s.x))
	m := make([]float64, len(s.x))
	s.clean = make([]float64, len(s.x))
	for j, x := range s.x {
		e := float64(eps[0][j])
		if len(eps) == 2 {
			e += r.Guidance * (float64(eps[1][j]) - e)
		}
		m[j] = r.MX*x + r.ME*e
		if r.Clip > 0 {
			m[j] = min(max(m[j], -r.Clip), r.Clip)
		}
		next[j] = r.CX*x + r.CS*s.saved[j] + r.CE*e + r.CM[0]*m[j]
		saved[j] = r.SX*x + r.SS*s.saved[j] + r.SM[0]*m[j]
		for k, h := range s.history {
			next[j] += r.CM[k+1] * h[j]
			saved[j] += r.SM[k+1] * h[j]
		}
		if r.CN != 0 {
			next[j] += r.CN * float64(noise[j])
		}
		s.clean[j] = r.PX*x + r.PE*e
		if mask != nil && r.Blend {
			a := float64(mask[j])
			s.clean[j] = (1-a)*float64(init[j]) + a*s.clean[j]
			next[j] = (1-a)*(r.BlendInit*float64(init[j])+r.BlendMix*float64(noise0[j])) + a*next[j]
		}
	}
	s.x = next
	if r.Save {
		s.saved = saved
	}
	if r.Push {
		s.history = [4][]float64{m, s.history[0], s.history[1], s.history[2]}
	}
}

// Six steps in a row, so that saved samples and the outputs of the four steps before are
// used, with and without guidance, noise, inpainting, and the nine channels of an inpainting
// UNet, of which the last five must not change.
func TestSampler(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		ctx := context.Background()
		rng := rand.New(rand.NewPCG(17, 18))
		for _, c := range []struct {
			batch, h, w, channels int
			noise, inpaint        bool
		}{{1, 1, 1, 4, false, false}, {2, 7, 9, 4, true, false}, {1, 8, 8, 9, true, true}, {2, 13, 11, 9, false, true}, {2, 5, 13, 4, true, true}} {
			const steps = 6
			pixels := c.h * c.w
			n := 4 * pixels
			rows := []SamplerRow{{InputScale: 0.5 + rng.Float64()}}
			coefficient := func() float64 { return 0.5 * rng.NormFloat64() }
			for i := range steps {
				r := SamplerRow{InputScale: 0.5 + rng.Float64(), Guidance: 7.5 * rng.Float64(), MX: coefficient(), ME: coefficient(),
					CX: coefficient(), CS: coefficient(), CE: coefficient(), Save: i%2 == 0, SX: coefficient(), SS: coefficient(),
					Push: i != 2, Blend: i != 3, BlendInit: rng.Float64(), BlendMix: rng.Float64(), PX: coefficient(), PE: coefficient()}
				for k := range r.CM {
					r.CM[k], r.SM[k] = coefficient(), coefficient()
				}
				if i%3 == 1 {
					r.Clip = 1
				}
				if c.noise && i != 1 {
					r.CN = coefficient()
				}
				rows = append(rows, r)
			}

			s := &Sampler{State: d.NewTensor("state", F32, SamplerState, pixels, 4), Table: d.NewSamplerTable(rows),
				Input: d.NewTensor("unet input", Act, c.batch, c.h, c.w, c.channels)}
			first := normals(rng, n)
			s.State.SetFloat32(append(append([]float32(nil), first...), make([]float32, (SamplerState-1)*n)...))
			before := normals(rng, c.batch*pixels*c.channels)
			s.Input.SetFloat32(before)
			var noise, inpaint []float32
			if c.noise {
				s.Noise, noise = input(d, F32, normals(rng, steps*n), steps, pixels, 4)
			}
			if c.inpaint {
				inpaint = normals(rng, 3*n)
				for i := range n {
					inpaint[i] = rng.Float32()
				}
				s.Inpaint, _ = input(d, F32, inpaint, 3, pixels, 4)
			}
			eps := d.NewTensor("prediction", F32, c.batch, c.h, c.w, 4)
			start, step := d.NewProgram("start"), d.NewProgram("step")
			SamplerStart(start, s)
			SamplerStep(step, eps, s)

			want := &referenceSampler{saved: make([]float64, n)}
			for _, v := range first {
				want.x = append(want.x, float64(v))
			}
			for k := range want.history {
				want.history[k] = make([]float64, n)
			}
			checkInput := func(what string, scale float64) {
				t.Helper()
				expected := append([]float32(nil), before...)
				for b := range c.batch {
					for i := range pixels {
						for k := range 4 {
							expected[(b*pixels+i)*c.channels+k] = float32(want.x[4*i+k] * scale)
						}
					}
				}
				compare(t, what, output(t, s.Input), expected, inputTolerance(d))
			}
			run(t, start, 0)
			checkInput(fmt.Sprintf("%+v: first input", c), rows[0].InputScale)
			if err := step.Build(ctx); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(step.Release)
			for i := range steps {
				predicted := normals(rng, c.batch*n)
				eps.SetFloat32(predicted)
				if err := step.Run(ctx, i); err != nil {
					t.Fatal(err)
				}
				parts := [][]float32{predicted[:n]}
				if c.batch == 2 {
					parts = append(parts, predicted[n:])
				}
				var drawn, mask, known, noise0 []float32
				if c.noise {
					drawn = noise[i*n : (i+1)*n]
				}
				if c.inpaint {
					mask, known, noise0 = inpaint[:n], inpaint[n:2*n], inpaint[2*n:]
				}
				want.step(rows[i+1], parts, drawn, mask, known, noise0)
				state := output(t, s.State)
				what := fmt.Sprintf("%+v: step %d", c, i)
				compare(t, what, state[:n], toFloat32(want.x), samplerTolerance)
				compare(t, what+", saved", state[n:2*n], toFloat32(want.saved), samplerTolerance)
				for k, h := range want.history {
					compare(t, fmt.Sprintf("%s, output %d before", what, k), state[(2+k)*n:(3+k)*n], toFloat32(h), samplerTolerance)
				}
				compare(t, what+", clean sample", state[CleanSample*n:], toFloat32(want.clean), samplerTolerance)
				checkInput(what+", next input", rows[i+1].InputScale)
			}
			afterRun(t, step)
		}
	})
}
