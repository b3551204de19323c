package unet

import "github.com/imprompt/imprompt/gpu"

// DeepCache (Ma et al. 2023, "DeepCache: Accelerating Diffusion Models for Free", arXiv 2312.00858) computes most of
// the UNet in some of the steps only. The other steps read what the last of these left, and compute conv_in and the
// last layer: DeepCacheSDHelper of the package DeepCache, with cache_branch_id 0.

// deepCache keeps the result of UNet.deep from step to step.
type deepCache struct {
	full []bool      // by step, whether everything is computed
	kept *gpu.Tensor // Act [B, H, W, C]
}

// FullSteps says in which of a UNet's steps everything is computed, if that is one in interval of them. active says
// in which steps the UNet runs at all; nil means in all of them.
func FullSteps(interval, steps int, active []bool) []bool {
	full, at := make([]bool, steps), 0
	for i := range full {
		if active == nil || active[i] {
			full[i] = at%interval == 0
			at++
		}
	}
	return full
}

// record records what deep records, into the steps that compute everything, and returns what all steps read.
func (c *deepCache) record(p *gpu.Program, deep func() *gpu.Tensor) *gpu.Tensor {
	if c == nil {
		return deep()
	}
	p.When(c.full, func() {
		h := deep()
		if c.kept == nil {
			c.kept = p.Device.NewTensor("DeepCache", h.DType, h.Shape...)
		}
		gpu.CopyRows(p, h, c.kept, 0, 0, h.Rows())
	})
	return c.kept
}

// steps are those in which everything is computed. nil means all of them.
func (c *deepCache) steps() []bool {
	if c == nil {
		return nil
	}
	return c.full
}

func (c *deepCache) release() {
	if c != nil {
		c.kept.Release()
		c.kept = nil
	}
}
