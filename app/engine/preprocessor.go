package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/preprocessors"
	"github.com/imprompt/imprompt/model/preprocessors/depth"
	"github.com/imprompt/imprompt/model/preprocessors/hed"
	"github.com/imprompt/imprompt/model/preprocessors/lineart"
)

// openMapNetwork lays out a network that makes maps and opens its weights, by the network's kind (maps.Method.Network).
var openMapNetwork = map[string]func(ctx context.Context, host Host, weights string) (preprocessors.Network, nn.Checkpoint, error){
	"depth_anything": mapFile(loader.KindDepthAnything, depth.Open),
	"hed":            mapFile(loader.KindHED, hed.Open),
	"lineart":        mapFile(loader.KindLineart, lineart.Open),
}

// mapFile opens a network whose weights are one file of a kind. build lays it out.
func mapFile(kind loader.Kind, build func(c nn.Checkpoint) (preprocessors.Network, error)) func(context.Context, Host, string) (preprocessors.Network, nn.Checkpoint, error) {
	return func(ctx context.Context, host Host, weights string) (preprocessors.Network, nn.Checkpoint, error) {
		s, err := host.File(ctx, weights)
		if err != nil {
			return nil, nil, err
		}
		c, err := loader.OpenMapNetwork(ctx, s, kind)
		if err != nil {
			return nil, nil, err
		}
		n, err := build(c)
		return n, c, err
	}
}

// madeMap is a map that a network made. key says from what.
type madeMap struct {
	key string
	m   *imageproc.Image
}

// keptMaps is how many maps of networks are kept: as many as the page has at once, and as many that the visitor may go back to.
const keptMaps = 8

// Map makes the map of a picture for a result of width × height pixels. weights has the weights of the preprocessor's network,
// if it has one.
func (e *Engine) Map(ctx context.Context, p maps.Preprocessor, weights string, m *imageproc.Image, width, height int) (*imageproc.Image, error) {
	made, err := e.makeMap(ctx, p, weights, m, width, height)
	return made, e.explained(ctx, err)
}

// makeMap is Map, with errors of the GPU's memory as they are.
func (e *Engine) makeMap(ctx context.Context, p maps.Preprocessor, weights string, m *imageproc.Image, width, height int) (*imageproc.Image, error) {
	if p.Method.Network == "" {
		return p.Map(m, width, height), nil
	}
	fit := maps.Fit(m.RGB(), width, height)
	key := fmt.Sprintf("%s %s %d %x", p, weights, fit.Width, sha256.Sum256(fit.Pix))
	for _, made := range e.maps {
		if made.key == key {
			return made.m, nil
		}
	}
	var made *imageproc.Image
	var err error
	if p.Method.Weights == "" {
		made, err = PlainMap(ctx, e.host, p, m, width, height)
	} else {
		made, err = e.runMapNetwork(ctx, p, weights, fit)
	}
	var leaves *preprocessors.RangeError
	if errors.As(err, &leaves) {
		return nil, &RangeError{leaves.Network, cutOff, e.Device.F16}
	}
	if err != nil {
		return nil, fmt.Errorf("the preprocessor %s: %w", p.Method.Name, err)
	}
	if len(e.maps) == keptMaps {
		e.maps = e.maps[1:]
	}
	e.maps = append(e.maps, madeMap{key, made})
	return made, nil
}

// runMapNetwork loads a preprocessor's network, runs it once and frees it.
func (e *Engine) runMapNetwork(ctx context.Context, p maps.Preprocessor, weights string, m *imageproc.Image) (*imageproc.Image, error) {
	open := openMapNetwork[p.Method.Network]
	if open == nil {
		return nil, fmt.Errorf("there is no network %q", p.Method.Network)
	}
	n, c, err := open(ctx, e.host, weights)
	if err != nil {
		return nil, err
	}
	memory := &nn.Memory{Device: e.Device, Budget: nn.DefaultBudget}
	if e.loaded != nil {
		memory = e.loaded.memory
	}
	as := gpu.WeightF16
	if !e.Device.F16 && isSmallF32(c) {
		as = gpu.WeightF32
	}
	if err := memory.Add(n, c, as); err != nil {
		return nil, err
	}
	defer memory.Remove(n)
	memory.Room(memory.Bytes(n)+preprocessors.Memory(m), n)
	if err := memory.Need(ctx, n); err != nil {
		return nil, err
	}
	return n.Map(ctx, e.Device, m, p.Values)
}
