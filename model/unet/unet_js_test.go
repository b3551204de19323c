package unet_test

import (
	"context"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

func TestMain(m *testing.M) { modeltest.Main(m) }

// The UNet gives what diffusers' gives, at several timesteps that share one conditioning.
func TestUNet(t *testing.T) {
	f := modeltest.ReadNetworks(t)
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		for name, m := range modeltest.Models(t) {
			t.Run(name, func(t *testing.T) {
				f.Check(t, d, m, "unet", evaluate(t, d, m, f, f.Timesteps, unet.ConditioningTaps{}, nil))
			})
		}
	})
}

// With an input of one entry, everything before the first cross-attention is computed once,
// and the result is the same, to the bit.
func TestSharedBeginning(t *testing.T) {
	f, m := modeltest.ReadNetworks(t), modeltest.Models(t)["c"]
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		ctx := context.Background()
		c, err := unet.ParseConfig(m.Configs["unet"])
		if err != nil {
			t.Fatal(err)
		}
		u := unet.New(c)
		modeltest.Load(t, d, u, m, "unet")
		words := modeltest.Given(d, m, "encoder_hidden_states", 2, len(f.IDs[0]), c.CrossAttentionDim)
		defer words.Release()
		cond, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: f.Timesteps[:1], Words: words})
		if err != nil {
			t.Fatal(err)
		}
		defer cond.Release()
		sample := d.NewTensor("sample", gpu.Act, 2, f.Latents[0], f.Latents[1], c.InChannels)
		defer sample.Release()
		one := modeltest.GivenValues(m, "sample", sample.Rows()*sample.Channels()/2)
		sample.SetFloat32(append(one, one...))
		twice := modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return u.Record(p, sample, cond, nil) })
		once := modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return u.Record(p, sample.First(1), cond, nil) })
		if !slices.Equal(once, twice) {
			t.Errorf("the results differ by %.2g", modeltest.RelativeError(once, twice))
		}
	})
}

// evaluation is a UNet while evaluate records it.
type evaluation struct {
	unet         *unet.UNet
	conditioning *unet.Conditioning
	program      *gpu.Program
	given        func(name string, shape ...int) *gpu.Tensor // an input of tests/reference, released at the end
	release      []func()
}

// mask is an input of weights between 0 and 1.
func (e *evaluation) mask(m modeltest.Model, name string, s shape) *gpu.Tensor {
	values := modeltest.GivenValues(m, name, s[0]*s[1])
	for i, v := range values {
		values[i] = 0.5 + 0.5*v
	}
	x := e.program.Device.NewTensor(name, gpu.F32, 1, len(values))
	x.SetFloat32(values)
	e.release = append(e.release, x.Release)
	return x
}

// evaluate runs a model's UNet on the fixture's inputs, one timestep after the other. tap,
// which may be nil, does what guides do when a step is recorded.
func evaluate(t *testing.T, d *gpu.Device, m modeltest.Model, f modeltest.Networks, timesteps []float64, before unet.ConditioningTaps, tap func(e *evaluation, t *unet.StepTaps)) []float32 {
	t.Helper()
	ctx := context.Background()
	c, err := unet.ParseConfig(m.Configs["unet"])
	if err != nil {
		t.Fatal(err)
	}
	e := &evaluation{unet: unet.New(c)}
	defer func() {
		for _, f := range e.release {
			f()
		}
	}()
	e.given = func(name string, shape ...int) *gpu.Tensor {
		x := modeltest.Given(d, m, name, shape...)
		e.release = append(e.release, x.Release)
		return x
	}
	modeltest.Load(t, d, e.unet, m, "unet")
	words := e.given("encoder_hidden_states", 2, len(f.IDs[0]), c.CrossAttentionDim)
	sample := e.given("sample", 2, f.Latents[0], f.Latents[1], c.InChannels)
	e.conditioning, err = e.unet.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: timesteps, Words: words, Height: f.Latents[0], Width: f.Latents[1], Taps: before})
	if err != nil {
		t.Fatal(err)
	}
	defer e.conditioning.Release()
	e.program = d.NewProgram("unet")
	defer e.program.Release()
	var taps *unet.StepTaps
	if tap != nil {
		taps = &unet.StepTaps{}
		tap(e, taps)
	}
	eps := e.unet.Record(e.program, sample, e.conditioning, taps)
	e.program.Keep(eps)
	defer eps.Release()
	if err := e.program.Build(ctx); err != nil {
		t.Fatal(err)
	}
	var got []float32
	for step := range timesteps {
		if err := e.program.Run(ctx, step); err != nil {
			t.Fatal(err)
		}
		v, err := eps.Float32(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v...)
	}
	return got
}
