package unet

import (
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// timeEmbedding is diffusers' TimestepEmbedding (models/embeddings.py).
type timeEmbedding struct {
	Linear1  *nn.Linear `weight:"linear_1"`
	CondProj *nn.Linear `weight:"cond_proj"` // of a distilled LCM's guidance embedding; nil for other models
	Linear2  *nn.Linear `weight:"linear_2"`
}

func newTimeEmbedding(c Config) *timeEmbedding {
	t := &timeEmbedding{Linear1: nn.NewLinear(c.BlockOutChannels[0], c.TimeEmbeddingDim, true), Linear2: nn.NewLinear(c.TimeEmbeddingDim, c.TimeEmbeddingDim, true)}
	if c.TimeCondProjDim > 0 {
		t.CondProj = nn.NewLinear(c.TimeCondProjDim, c.BlockOutChannels[0], false)
	}
	return t
}

// recordTime records the time embedding of all steps, and its projection in every resnet,
// into c.time. The caller calls release after the program has run.
func (e *Encoder) recordTime(p *gpu.Program, c *Conditioning, o ConditioningOptions) (release func()) {
	d := p.Device
	dim := e.Config.BlockOutChannels[0]
	in := d.NewTensor("timesteps", gpu.Act, 1, len(o.Timesteps), dim)
	var values []float32
	for _, t := range o.Timesteps {
		values = append(values, sinusoid(t, dim, e.Config.FlipSinToCos, e.Config.FreqShift)...)
	}
	in.SetFloat32(values)
	releases := []func(){in.Release}

	t := e.TimeEmbedding
	x := in
	if t.CondProj != nil {
		// get_guidance_scale_embedding of the LCM pipelines: the embedding of 1000·w.
		w := d.NewTensor("guidance", gpu.Act, 1, len(o.Timesteps), e.Config.TimeCondProjDim)
		row := sinusoid(1000*o.Guidance, e.Config.TimeCondProjDim, false, 1)
		var rows []float32
		for range o.Timesteps {
			rows = append(rows, row...)
		}
		w.SetFloat32(rows)
		releases = append(releases, w.Release)
		x = t.CondProj.Forward(p, w, gpu.LinearOptions{Label: "time_embedding.cond_proj", Residual: in})
	}
	x = t.Linear1.Forward(p, x, gpu.LinearOptions{Label: "time_embedding.linear_1", Activation: gpu.SiLU})
	// Every resnet takes SiLU of the embedding. It is computed once, here.
	last := gpu.LinearOptions{Label: "time_embedding.linear_2", Activation: gpu.SiLU}
	if o.Taps.time != nil {
		// The program runs as step 0, whose row is added to the embedding of every timestep.
		last.Table = d.NewTensor("time taps", gpu.F32, 1, e.Config.TimeEmbeddingDim)
		last.Table.SetFloat32(o.Taps.time)
		releases = append(releases, last.Table.Release)
	}
	x = t.Linear2.Forward(p, x, last)
	for _, r := range e.resnets {
		row := r.TimeEmbProj.Forward(p, x, gpu.LinearOptions{Label: r.Name + ".time_emb_proj", Output: gpu.F32})
		p.Keep(row)
		c.time[r] = row
	}
	return func() {
		for _, f := range releases {
			f()
		}
	}
}

// sinusoid is get_timestep_embedding of one timestep, in float32 as torch computes it.
func sinusoid(t float64, dim int, flipSinToCos bool, shift float64) []float32 {
	half := dim / 2
	row := make([]float32, dim)
	for i := range half {
		exponent := float32(-math.Log(10000)) * float32(i) / float32(float64(half)-shift)
		angle := float64(float32(t) * float32(math.Exp(float64(exponent))))
		sin, cos := float32(math.Sin(angle)), float32(math.Cos(angle))
		if flipSinToCos {
			row[i], row[half+i] = cos, sin
		} else {
			row[i], row[half+i] = sin, cos
		}
	}
	return row
}
