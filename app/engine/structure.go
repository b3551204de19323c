package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/nn"
)

// What ControlNets and T2I-Adapters have in common.

// openStructure opens the folder or the file of a ControlNet or a T2I-Adapter, once. "" is the
// ControlNet that ships. build makes the network for its weights and its config.json, which is nil for
// a file.
func openStructure[T nn.Network](ctx context.Context, e *Engine, name string, kind loader.Kind, build func(c *loader.Checkpoint, config []byte) (T, error)) (T, error) {
	m := e.loaded
	return openOnce(m, kind.Name()+" "+name, func() (network T, err error) {
		folder, err := e.host.Folder(ctx, name)
		if err != nil {
			return network, err
		}
		at := loader.Here
		if name == "" {
			at = loader.ControlNet
		}
		c, config, err := loader.OpenStructure(ctx, folder, at, kind)
		if err == nil {
			network, err = build(c, config)
		}
		if err == nil {
			err = m.memory.Add(network, c, m.weights)
		}
		if err != nil {
			return network, fmt.Errorf("%s: %w", cmp.Or(name, "the one that ships"), err)
		}
		return network, nil
	})
}

// controlMap reads a map for a network that reads so many channels, in 0..1. preprocessor makes it from the picture, with the
// network in weights if it needs one; "" if the picture is the map.
func (in guideInput) controlMap(name, preprocessor, weights string, channels int) ([]float32, error) {
	p, err := in.pictures.picture(name)
	if err != nil {
		return nil, err
	}
	maker, err := maps.Parse(preprocessor)
	if err != nil {
		return nil, err
	}
	if maker.Method.Name != maps.None {
		e := in.pictures.engine
		if p, err = e.makeMap(in.pictures.ctx, maker, weights, p, in.width, in.height); err != nil {
			return nil, err
		}
		if e.MadeMap != nil {
			e.MadeMap(in.number, in.part, p)
		}
	}
	switch channels {
	case 1:
		grey := imageproc.ControlPreprocess(p.Grey(), in.height, in.width)
		values := make([]float32, len(grey)/3)
		for i := range values {
			values[i] = grey[3*i]
		}
		return values, nil
	case 3:
		return imageproc.ControlPreprocess(p, in.height, in.width), nil
	}
	return nil, fmt.Errorf("it reads maps of %d channels, and a picture has 3: it is made for another program", channels)
}
