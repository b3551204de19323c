package loader

import (
	"context"
	"fmt"
)

// Networks that make maps, of which each has a kind of its own. Each is published as one file.

// mapNetworks tells those kinds by a tensor that no other file has.
var mapNetworks = []struct {
	kind Kind
	has  string
}{
	{KindHED, "block1.convs.0.weight"},
	{KindLineart, "model2.0.conv_block.1.weight"},
	{KindDepthAnything, "neck.fusion_stage.layers.0.projection.weight"},
}

// OpenMapNetwork opens the weights of a network that makes maps. For any other file the error says what it is.
func OpenMapNetwork(ctx context.Context, s Source, kind Kind) (*Checkpoint, error) {
	c, err := OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	is, err := Recognise(c)
	if err == nil && is != kind {
		err = fmt.Errorf("this is of the kind %q and should be of the kind %q", is.Name(), kind.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return c, nil
}

// mapNetworkOf returns the kind of a checkpoint that is a network that makes maps.
func mapNetworkOf(c *Checkpoint) (Kind, bool) {
	for _, n := range mapNetworks {
		if c.has(n.has) {
			return n.kind, true
		}
	}
	return "", false
}
