package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
)

// changeWeights makes the model's weights those that the settings' LoRAs give. Networks that are
// on the GPU get their changed tensors when they are needed next.
func (e *Engine) changeWeights(ctx context.Context, s settings.Settings) error {
	m := e.loaded
	networks := map[string]nn.Network{loader.UNet: m.pipeline.UNet, loader.TextEncoder: m.pipeline.Text}
	changes := map[string]nn.Changes{loader.UNet: {}, loader.TextEncoder: {}}
	for i, l := range s.LoRAs {
		scales := map[string]float64{loader.UNet: l.Scale, loader.TextEncoder: l.Scale}
		if l.TextEncoder != nil {
			scales[loader.TextEncoder] = *l.TextEncoder
		}
		found, err := e.openLoRA(ctx, l.Weights, networks)
		if err != nil {
			return fmt.Errorf("LoRA %d: %w", i+1, err)
		}
		for network, tensors := range found {
			if scales[network] == 0 {
				continue // a DoRA as well, although LyCORIS would change its direction
			}
			for key, c := range tensors {
				changes[network][key] = append(changes[network][key], loader.AtScale(c, scales[network]))
			}
		}
	}
	for name, network := range networks {
		m.memory.Change(network, changes[name])
	}
	return nil
}

// openLoRA opens a LoRA's file, once, and finds the layers that it changes.
func (e *Engine) openLoRA(ctx context.Context, name string, networks map[string]nn.Network) (map[string]map[string]gpu.Change, error) {
	return openOnce(e.loaded, "LoRA "+name, func() (map[string]map[string]gpu.Change, error) {
		s, err := e.host.File(ctx, name)
		if err != nil {
			return nil, err
		}
		l, err := loader.OpenLoRA(ctx, s)
		if err != nil {
			return nil, err
		}
		shapes := map[string]map[string][]int{}
		for name, network := range networks {
			shapes[name] = nn.Shapes(network)
		}
		changes, left, err := l.For(shapes)
		if err != nil {
			return nil, err
		}
		if len(left) > 0 {
			text := fmt.Sprintf("%s has a tensor that this model has no place for, and which is left out: %s.", l.Name, left[0])
			if len(left) > 1 {
				text = fmt.Sprintf("%s has %d tensors that this model has no place for, and which are left out: %s and %d more.", l.Name, len(left), left[0], len(left)-1)
			}
			e.warn(text)
		}
		return changes, nil
	})
}
