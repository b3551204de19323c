package depth

import (
	"fmt"

	"github.com/imprompt/imprompt/model/nn"
)

// Config says how large the network is.
type Config struct {
	HiddenSize, Layers, Heads, MLP int
	PatchSize                      int
	Side                           int    // of the square of patches that the positions are made for
	OutIndices                     []int  // after how many layers each of the neck's inputs is taken
	Neck                           [4]int // channels of the neck's inputs
	Fusion, Head                   int    // channels
}

// headSize is that of all published models.
const headSize = 64

// ConfigOf reads a configuration from the shapes of a checkpoint's tensors.
func ConfigOf(checkpoint nn.Checkpoint) (c Config, err error) {
	side := func(name string, at int) int {
		_, shape, ok := checkpoint.Info(name)
		if (!ok || at >= len(shape) || shape[at] < 1) && err == nil {
			err = fmt.Errorf("%s is missing, or has the shape %v", name, shape)
		}
		if err != nil {
			return 1
		}
		return shape[at]
	}
	c.HiddenSize, c.PatchSize = side("backbone.embeddings.cls_token", 2), side("backbone.embeddings.patch_embeddings.projection.weight", 2)
	positions := side("backbone.embeddings.position_embeddings", 1) - 1
	for c.Side*c.Side < positions {
		c.Side++
	}
	c.Heads, c.MLP = max(1, c.HiddenSize/headSize), side("backbone.encoder.layer.0.mlp.fc1.weight", 0)
	for c.Layers < 48 {
		if _, _, ok := checkpoint.Info(fmt.Sprintf("backbone.encoder.layer.%d.norm1.weight", c.Layers)); !ok {
			break
		}
		c.Layers++
	}
	c.OutIndices = []int{c.Layers / 4, c.Layers / 2, c.Layers * 3 / 4, c.Layers} // 3, 6, 9, 12
	if c.Layers == 24 {
		c.OutIndices = []int{5, 12, 18, 24}
	}
	for i := range c.Neck {
		c.Neck[i] = side(fmt.Sprintf("neck.reassemble_stage.layers.%d.projection.weight", i), 0)
	}
	c.Fusion, c.Head = side("neck.convs.0.weight", 0), side("head.conv2.weight", 0)
	if err == nil && (c.Side*c.Side != positions || c.Layers < 4 || c.HiddenSize%headSize != 0) {
		err = fmt.Errorf("%d positions, %d layers and %d channels are those of no Depth Anything", positions, c.Layers, c.HiddenSize)
	}
	return c, err
}
