package gpu

// SamplerRow are the columns of a row of sampler_step.wgsl's table, in its order.
type SamplerRow struct {
	InputScale          float64
	Guidance            float64
	MX, ME, Clip        float64
	CX, CS, CE          float64
	CM                  [5]float64 // this step's converted output, then the four before
	CN                  float64
	Save                bool
	SX, SS              float64
	SM                  [5]float64
	Push, Blend         bool
	BlendInit, BlendMix float64 // of the initial latents and of their noise
}

// samplerColumns is the length of a row of the table.
const samplerColumns = 32

func (r SamplerRow) columns() []float32 {
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	v := []float64{r.InputScale, r.Guidance, r.MX, r.ME, r.Clip, r.CX, r.CS}
	v = append(v, r.CM[:]...)
	v = append(v, r.CN, flag(r.Save), r.SX, r.SS)
	v = append(v, r.SM[:]...)
	v = append(v, flag(r.Push), flag(r.Blend), r.BlendInit, r.BlendMix, r.CE)
	out := make([]float32, samplerColumns)
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

// Sampler is the state of a scheduler on the GPU.
type Sampler struct {
	State   *Tensor // F32 [6, h·w, 4]: the sample, the saved one, the four last converted outputs
	Table   *Tensor // F32 [steps + 1, 32]; row 0 has the first input's scale only
	Noise   *Tensor // F32 [steps, h·w, 4], or nil
	Inpaint *Tensor // F32 [3, h·w, 4]: mask, initial latents, their noise; or nil
	Input   *Tensor // Act [B, h, w, C], the UNet's input; B is 2 with guidance
}

// NewSamplerTable puts the rows on the GPU; rows[0] prepares the first input.
func (d *Device) NewSamplerTable(rows []SamplerRow) *Tensor {
	t := d.NewTensor("sampler table", F32, len(rows), samplerColumns)
	var values []float32
	for _, r := range rows {
		values = append(values, r.columns()...)
	}
	t.SetFloat32(values)
	return t
}

// SamplerStep records guidance and the scheduler's step: it takes the UNet's
// prediction, F32 [B, h, w, 4], moves s.State on and writes s.Input for the next step.
func SamplerStep(p *Program, eps *Tensor, s *Sampler) { samplerStep(p, eps, s, false) }

// SamplerStart records the writing of s.Input from the initial sample.
func SamplerStart(p *Program, s *Sampler) { samplerStep(p, s.State, s, true) }

func samplerStep(p *Program, eps *Tensor, s *Sampler, start bool) {
	pixels := s.State.Shape[1]
	batch := s.Input.Shape[0]
	if !start && (eps.Rows() != batch*pixels || eps.Channels() != 4) {
		p.Fail("gpu: a prediction %s for %d latents", eps, batch*pixels)
		return
	}
	dummy := In(s.Table)
	bind := []Binding{In(eps), Out(s.State), dummy, In(p.Step()), dummy, dummy, Out(s.Input)}
	if start {
		bind[0] = dummy
	}
	if s.Noise != nil {
		bind[4] = In(s.Noise)
	}
	if s.Inpaint != nil {
		bind[5] = In(s.Inpaint)
	}
	p.Dispatch(Dispatch{
		Kernel: "sampler_step", Label: "sampler_step",
		Params: []any{pixels, s.Input.Pitch() / 4, batch, s.Inpaint != nil, start},
		Bind:   bind,
		Groups: [3]int{(pixels + 63) / 64, 1, 1},
		Cost:   float64(64 * pixels),
	})
}
