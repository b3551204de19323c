package gpu

// SamplerRow is a row of the table of sampler_step.wgsl, which says what each number does.
type SamplerRow struct {
	InputScale          float64
	Guidance            float64
	MX, ME, Clip        float64
	CX, CS, CE          float64
	CM                  [5]float64 // for this step's converted output, then for the four before it
	CN                  float64
	Save                bool
	SX, SS              float64
	SM                  [5]float64
	Push, Blend         bool
	BlendInit, BlendMix float64 // for the initial latents and for their noise
	PX, PE              float64 // for the predicted clean sample
}

// samplerRow is the length of a row of the table.
const samplerRow = 32

// samplerColumn is one column of a row, or several neighbours that share a name.
type samplerColumn struct {
	name   string // in sampler_step.wgsl
	values []float64
}

// columns returns the columns in their order, which the table and the kernel's constants
// follow.
func (r SamplerRow) columns() []samplerColumn {
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	one := func(name string, v float64) samplerColumn { return samplerColumn{name, []float64{v}} }
	return []samplerColumn{
		one("INPUT_SCALE", r.InputScale), one("GUIDANCE", r.Guidance), one("MX", r.MX), one("ME", r.ME), one("CLIP", r.Clip),
		one("CX", r.CX), one("CS", r.CS), {"CM", r.CM[:]}, one("CN", r.CN),
		one("SAVE", flag(r.Save)), one("SX", r.SX), one("SS", r.SS), {"SM", r.SM[:]},
		one("PUSH", flag(r.Push)), one("BLEND", flag(r.Blend)), one("BLEND_INIT", r.BlendInit), one("BLEND_NOISE", r.BlendMix), one("CE", r.CE),
		one("PX", r.PX), one("PE", r.PE),
	}
}

// samplerConsts are the positions of the columns in a row.
var samplerConsts = func() []Const {
	consts, at := []Const{{"ROW", samplerRow}}, 0
	for _, c := range (SamplerRow{}).columns() {
		consts = append(consts, Const{c.name, at})
		at += len(c.values)
	}
	return consts
}()

// SamplerState is the number of pictures in a Sampler's State, of which CleanSample is the
// last.
const (
	SamplerState = 7
	CleanSample  = SamplerState - 1
)

// Sampler holds a scheduler's state on the GPU.
type Sampler struct {
	State   *Tensor // F32 [SamplerState, h·w, 4]: the sample, the saved sample, the last four converted outputs, the predicted clean sample
	Table   *Tensor // F32 [steps + 1, 32]; row 0 holds only the scale of the first input
	Noise   *Tensor // F32 [steps, h·w, 4], or nil
	Inpaint *Tensor // F32 [3, h·w, 4]: mask, initial latents, their noise; or nil
	Input   *Tensor // Act [B, h, w, C], the UNet's input; B is 2 with guidance
}

// NewSamplerTable uploads the rows. rows[0] is for SamplerStart, the others for the steps.
func (d *Device) NewSamplerTable(rows []SamplerRow) *Tensor {
	t := d.NewTensor("sampler table", F32, len(rows), samplerRow)
	values := make([]float32, len(rows)*samplerRow)
	for i, r := range rows {
		at := i * samplerRow
		for _, c := range r.columns() {
			for _, v := range c.values {
				values[at] = float32(v)
				at++
			}
		}
	}
	t.SetFloat32(values)
	return t
}

// SamplerStep records guidance and the scheduler's step. It takes the UNet's prediction, F32
// [B, h, w, 4], updates s.State, and writes s.Input for the next step.
func SamplerStep(p *Program, eps *Tensor, s *Sampler) { samplerStep(p, eps, s, false) }

// SamplerStart records how s.Input is made from the initial sample.
func SamplerStart(p *Program, s *Sampler) { samplerStep(p, s.State, s, true) }

func samplerStep(p *Program, eps *Tensor, s *Sampler, start bool) {
	pixels := s.State.Shape[1]
	batch := s.Input.Shape[0]
	if !start && (eps.Rows() != batch*pixels || eps.Channels() != 4) {
		p.Fail("gpu: the prediction %s does not fit %d latents", eps, batch*pixels)
		return
	}
	prediction := In("eps", eps)
	if start {
		prediction = In("eps", nil).Optional()
	}
	p.Dispatch(Dispatch{
		Kernel: "sampler_step", Label: "sampler_step",
		Consts: samplerConsts,
		Params: []Param{{"pixels", pixels}, {"input_quads", s.Input.Pitch() / 4}, {"batch", batch}, {"inpaint", s.Inpaint != nil}, {"start", start}},
		Bind: []Binding{prediction, Out("state", s.State), In("table", s.Table), In("step", p.Step()),
			In("noise", s.Noise).Optional(), In("inpaint", s.Inpaint).Optional(), Out("input", s.Input)},
		Groups: [3]int{(pixels + 63) / 64, 1, 1},
		Cost:   float64(64 * pixels),
	})
}
