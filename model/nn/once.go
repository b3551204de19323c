package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// Once records a program, runs it once, and returns its result as a persistent tensor,
// which the caller releases. record must not return another tensor's Reshape, which owns no
// memory.
func Once(ctx context.Context, d *gpu.Device, name string, record func(p *gpu.Program) *gpu.Tensor) (*gpu.Tensor, error) {
	p := d.NewProgram(name)
	result := record(p)
	p.Keep(result)
	defer p.Release()
	if err := p.Build(ctx); err != nil {
		result.Release()
		return nil, err
	}
	if err := p.Run(ctx, 0); err != nil {
		result.Release()
		return nil, err
	}
	return result, nil
}
