package reference

import (
	"context"
	"errors"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Guide is a reference picture in one run of the pipeline.
type Guide struct {
	// Attention and AdaIN are what the result takes over: reference_attn and reference_adain.
	Attention, AdaIN bool

	picture  []float32
	fidelity float64

	run   *guides.Run
	table *gpu.Tensor // F32 [steps, h·w·4]: the picture's latents
}

// NewGuide returns a guide for one run, with Attention and without AdaIN: what people call reference-only.
//
//	picture: [H, W, 3] of the result's size, in -1..1
//	fidelity: style_fidelity, 0 to 1: how far the unconditional branch goes without the picture,
//	          so that guidance multiplies the picture's effect
func NewGuide(picture []float32, fidelity float64) *Guide {
	return &Guide{Attention: true, picture: picture, fidelity: fidelity}
}

// Networks implements guides.Guide: the UNet reads the picture.
func (g *Guide) Networks() []nn.Network { return nil }

// Picture implements guides.Noised.
func (g *Guide) Picture() []float32 { return g.picture }

// Begin implements guides.Noised.
func (g *Guide) Begin(steps [][]float32) { g.table.SetFloat32(slices.Concat(steps...)) }

// Release implements guides.Guide.
func (g *Guide) Release() { g.table.Release() }

// Prepare implements guides.Guide.
func (g *Guide) Prepare(_ context.Context, r *guides.Run) error {
	if r.UNet.Config.InChannels != 4 {
		return errors.New("a reference picture works with models that read 4 channels, and this one is made for inpainting: choose another model, or leave the reference picture out")
	}
	g.run = r
	for _, b := range r.Branches {
		b.Taps.AddReference()
	}
	g.table = r.Device.NewTensor("reference", gpu.F32, r.Steps, r.Height*r.Width*4)
	return nil
}

// Record implements guides.Guide.
func (g *Guide) Record(p *gpu.Program, _ *gpu.Tensor, b *guides.Branch, t *unet.StepTaps) {
	r := g.run
	picture := unet.Reference{X: gpu.TableRow(p, g.table, "reference", 1, r.Height, r.Width, 4), Attention: g.Attention, AdaIN: g.AdaIN, Fidelity: g.fidelity}
	if r.Batch == 2 && b.First == 0 {
		picture.Mixed = 1 // the unconditional entry
	}
	t.AddReference(picture)
}
