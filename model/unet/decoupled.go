package unet

import "github.com/imprompt/imprompt/gpu"

// decoupled is the ConditioningTaps' Decoupled, all of them together, in the form in which
// the attention kernel reads them.
type decoupled struct {
	kv     []*gpu.Tensor          // by cross-attention: Act [B, ΣT, 2C]
	spans  *gpu.Tensor            // U32 [n, 4]: first token, number of tokens, 1 + the mask's row or 0, 0
	lambda *gpu.Tensor            // F32 [steps, layers·n]
	count  int                    // n, of the Decoupled
	masks  map[[2]int]*gpu.Tensor // by the attention's height and width: F32 [masks, H·W]
	own    []*gpu.Tensor          // the kv that this struct releases
}

// newDecoupled records the concatenation of the keys and values into p, and makes the tables.
func (e *Encoder) newDecoupled(p *gpu.Program, o ConditioningOptions) *decoupled {
	d, list := p.Device, o.Taps.decoupled
	c := &decoupled{count: len(list), masks: map[[2]int]*gpu.Tensor{}}
	for i := range e.blocks {
		var parts []*gpu.Tensor
		for _, x := range list {
			parts = append(parts, x.KV[i])
		}
		kv := o.Taps.twice(p, gpu.ConcatTokens(p, parts...))
		if len(parts) > 1 || o.Taps.reference {
			p.Keep(kv)
			c.own = append(c.own, kv)
		}
		c.kv = append(c.kv, kv)
	}

	spans := make([]uint32, 0, 4*len(list))
	var masked []Decoupled
	at := 0
	for _, x := range list {
		row := 0
		if x.Mask != nil {
			masked = append(masked, x)
			row = len(masked)
		}
		tokens := x.KV[0].Shape[1]
		spans = append(spans, uint32(at), uint32(tokens), uint32(row), 0)
		at += tokens
	}
	c.spans = d.NewTensor("decoupled spans", gpu.U32, len(list), 4)
	c.spans.SetUint32(spans)

	var lambda []float32
	for step := range o.Timesteps {
		for layer := range e.blocks {
			for _, x := range list {
				lambda = append(lambda, x.Lambda[step][layer])
			}
		}
	}
	c.lambda = d.NewTensor("lambda", gpu.F32, len(o.Timesteps), len(e.blocks)*len(list))
	c.lambda.SetFloat32(lambda)

	if len(masked) > 0 {
		h, w := o.Height, o.Width
		for range e.Config.BlockOutChannels {
			t := d.NewTensor("decoupled masks", gpu.F32, len(masked), h*w)
			var values []float32
			for _, x := range masked {
				values = append(values, x.Mask(h, w)...)
			}
			t.SetFloat32(values)
			c.masks[[2]int{h, w}] = t
			h, w = e.halved(h), e.halved(w)
		}
	}
	return c
}

// at is what the cross-attention of that number reads, over a picture of that size.
func (c *decoupled) at(index, height, width int) *gpu.ImageAttention {
	return &gpu.ImageAttention{KV: c.kv[index], Spans: c.spans, Prompts: c.count, Lambda: c.lambda, Layer: index, Masks: c.masks[[2]int{height, width}]}
}

func (c *decoupled) release() {
	for _, t := range c.own {
		t.Release()
	}
	c.spans.Release()
	c.lambda.Release()
	for _, t := range c.masks {
		t.Release()
	}
}
