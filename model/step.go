package model

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// StepOptions are what a UNet is evaluated on, without a pipeline around it.
type StepOptions struct {
	Batch, Height, Width int       // of the latents
	Timesteps            []float64 // one a step
	Words                []float32 // [Batch, WordTokens, cross_attention_dim]: the text encoder's last hidden states
	WordTokens           int
	Adapter              *IPAdapter // or nil
	Picture              []float32  // [Batch, Adapter.NumTokens(), cross_attention_dim]: the adapter's tokens, projected
	Scale                float64    // the adapter's λ
}

// Step is the UNet by itself, as a picture's steps run it: what all steps share is
// computed when it is made. Benchmarks compare it with other engines.
type Step struct {
	Sample     *gpu.Tensor // Act [B, H, W, in_channels]
	Prediction *gpu.Tensor // F32 [B, H, W, out_channels]
	Program    *gpu.Program

	conditioning *conditioning
}

// NewStep records and compiles the network for a size.
func (u *UNet) NewStep(ctx context.Context, d *gpu.Device, o StepOptions) (*Step, error) {
	dim := u.Config.CrossAttentionDim
	tokens := func(name string, values []float32, count int) *gpu.Tensor {
		t := d.NewTensor(name, gpu.Act, o.Batch, count, dim)
		t.SetFloat32(values)
		return t
	}
	words := tokens("encoder_hidden_states", o.Words, o.WordTokens)
	defer words.Release()
	var images []imageTokens
	if o.Adapter != nil {
		picture := tokens("image tokens", o.Picture, o.Adapter.NumTokens())
		defer picture.Release()
		images = []imageTokens{{prompt: ImagePrompt{Adapter: o.Adapter}, tokens: picture}}
	}
	c, err := u.newConditioning(ctx, d, o.Timesteps, 0, words, images)
	if err != nil {
		return nil, err
	}
	if o.Adapter != nil {
		c.spans = d.NewTensor("image prompts", gpu.U32, 1, 4)
		c.spans.SetUint32([]uint32{0, uint32(o.Adapter.NumTokens()), 0, 0})
		lambda := make([]float32, len(o.Timesteps)*len(u.cross))
		for i := range lambda {
			lambda[i] = float32(o.Scale)
		}
		c.scales = d.NewTensor("ip_adapter_scale", gpu.F32, len(o.Timesteps), len(u.cross))
		c.scales.SetFloat32(lambda)
	}
	s := &Step{conditioning: c, Program: d.NewProgram("UNet step"),
		Sample: d.NewTensor("sample", gpu.Act, o.Batch, o.Height, o.Width, u.Config.InChannels)}
	s.Prediction = u.record(s.Program, s.Sample, c)
	s.Program.Keep(s.Prediction)
	if err := s.Program.Build(ctx); err != nil {
		s.Release()
		return nil, err
	}
	return s, nil
}

// Release frees all but the weights.
func (s *Step) Release() {
	s.Program.Release()
	s.Sample.Release()
	s.Prediction.Release()
	s.conditioning.release()
}
