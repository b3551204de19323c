package pipeline

import (
	"cmp"
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

// Precompile begins to compile what a picture from words and an image prompt takes, unless it has done so before. It
// reads no weights and does not wait, so that the pipelines are compiled while the weights are on their way: it draws
// such a picture on a planner (gpu.Device.Planner). The sizes of pictures hardly matter, because nearly all of them
// are parameters of the kernels and not compiled in. What fails here fails again, and is reported, when the picture
// itself is drawn.
func (p *Pipeline) Precompile(ctx context.Context) {
	if !p.precompiled {
		p.precompiled = true
		_ = p.precompile(ctx)
	}
}

func (p *Pipeline) precompile(ctx context.Context) error {
	d := p.Device.Planner()
	q := &Pipeline{Device: d, UNet: unet.New(p.UNet.Config), VAE: vae.New(p.VAE.Config), Text: clip.NewTextEncoder(p.Text.Config), Scheduler: p.Scheduler}
	defer q.Encodings.Release()
	defer q.Forget()
	planned, real := []nn.Network{q.Text, q.UNet, q.VAE.Decoder}, []nn.Network{p.Text, p.UNet, p.VAE.Decoder}
	ids := make([]int32, p.Text.Config.MaxPositions)
	latents := cmp.Or(p.UNet.Config.SampleSize, 64)
	side := latents * p.VAE.Config.Factor()
	req := &Request{IDs: ids, NegativeIDs: ids, Height: side, Width: side, Steps: 1, GuidanceScale: 2, NumImages: 1}
	if p.UNet.Config.InChannels == 9 { // for inpainting alone
		planned, real = append(planned, q.VAE.Encoder), append(real, p.VAE.Encoder)
		picture := make([]float32, 3*side*side)
		req.Init, req.MaskedImage, req.Strength = picture, picture, 1
		req.Mask, req.LatentMask = picture[:side*side], picture[:latents*latents]
	}
	for i, n := range planned {
		if known, err := p.loadPlanned(ctx, d, n, real[i]); err != nil || !known {
			return err
		}
	}
	if err := q.Run(ctx, req, func(Progress) {}, func(Result) error { return nil }); err != nil {
		return err
	}
	return q.precompileImagePrompts(ctx)
}

// loadPlanned loads a network's twin onto a planner, which reads no weights. known is false where the
// network's owner has loaded it already, so that its checkpoint is not known.
func (p *Pipeline) loadPlanned(ctx context.Context, planner *gpu.Device, twin, real nn.Network) (known bool, err error) {
	c, weights := p.Memory.Checkpoint(real)
	if c == nil {
		return false, nil
	}
	return true, nn.Load(ctx, planner, twin, c, weights, nil)
}

// precompileImagePrompts compiles the attention of an image prompt, for each size of heads.
func (p *Pipeline) precompileImagePrompts(ctx context.Context) error {
	d := p.Device
	program := d.NewProgram("image prompts")
	for _, a := range p.UNet.CrossAttentions() {
		kv := d.NewTensor("image prompt", gpu.Act, 1, 1, 2*a.Channels)
		image := &gpu.ImageAttention{KV: kv, Spans: d.NewTensor("spans", gpu.U32, 1, 4), Prompts: 1, Lambda: d.NewTensor("lambda", gpu.F32, 1, 1)}
		gpu.Attention(program, d.NewTensor("queries", gpu.Act, 1, 1, a.Channels), kv,
			gpu.AttentionOptions{Label: a.Name, Heads: a.Heads, HeadSize: a.Channels / a.Heads, VAt: a.Channels, Image: image})
	}
	return program.Build(ctx)
}
