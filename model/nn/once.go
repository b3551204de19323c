package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// Once records a program, runs it once, and returns its result as a persistent tensor,
// which the caller releases. record must not return another tensor's Reshape, which owns no
// memory.
func Once(ctx context.Context, d *gpu.Device, name string, record func(p *gpu.Program) *gpu.Tensor) (*gpu.Tensor, error) {
	results, err := OnceAll(ctx, d, name, func(p *gpu.Program) []*gpu.Tensor { return []*gpu.Tensor{record(p)} })
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// OnceAll is Once for a program that has several results.
func OnceAll(ctx context.Context, d *gpu.Device, name string, record func(p *gpu.Program) []*gpu.Tensor) ([]*gpu.Tensor, error) {
	p := d.NewProgram(name)
	defer p.Release()
	results := record(p)
	for _, t := range results {
		p.Keep(t)
	}
	err := p.Build(ctx)
	if err == nil {
		err = p.Run(ctx, 0)
	}
	if err != nil {
		for _, t := range results {
			t.Release()
		}
		return nil, err
	}
	return results, nil
}
