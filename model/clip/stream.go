package clip

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// stream runs a network with one part of it on the GPU at a time: the embeddings, each layer, the
// projection. It reads the weights once, as loading the network does.
type stream struct {
	ctx        context.Context
	memory     *nn.Memory
	network    nn.Network
	checkpoint nn.Checkpoint
	weights    gpu.WeightDType
	h          *gpu.Tensor // what has come of the parts so far
	err        error       // of the first part that failed; the parts after it are left out
}

func newStream(ctx context.Context, memory *nn.Memory, network nn.Network) *stream {
	c, weights := memory.Checkpoint(network)
	return &stream{ctx: ctx, memory: memory, network: network, checkpoint: c, weights: weights}
}

// run loads a part, whose keys are below a prefix, records it over the tensor so far, and unloads
// the part.
func (s *stream) run(label string, part nn.Network, prefix string, record func(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor) {
	if s.err != nil {
		return
	}
	d := s.memory.Device
	if s.err = nn.Load(s.ctx, d, part, nn.Below(s.checkpoint, prefix), s.weights, nil); s.err != nil {
		return
	}
	defer nn.Unload(part)
	next, err := nn.Once(s.ctx, d, label, func(p *gpu.Program) *gpu.Tensor { return record(p, s.h) })
	if s.err = err; err == nil {
		s.h.Release()
		s.h = next
	}
}

// layers runs layers of the transformer, and tells the progress.
func (s *stream) layers(list []*layer, c Config, causal bool, prefix string) {
	for i, l := range list {
		name := fmt.Sprintf("encoder.layers.%d", i)
		s.run(fmt.Sprintf("%s, layer %d", s.network.Name(), i), l, prefix+name+".", func(p *gpu.Program, h *gpu.Tensor) *gpu.Tensor {
			return l.forward(p, h, c, causal, name)
		})
		if s.memory.Progress != nil {
			s.memory.Progress(s.network.Name(), int64(i+1), int64(len(list)))
		}
	}
}

// result is what has come of all parts, a tensor that the caller releases.
func (s *stream) result() (*gpu.Tensor, error) {
	if s.err != nil {
		s.h.Release()
		return nil, s.err
	}
	return s.h, nil
}

// The parts are networks for as long as they are loaded. The rest of the checkpoint was
// checked when the whole network was added to Memory.

func (*visionStart) Name() string { return "image encoder" }
func (*textStart) Name() string   { return "text tower" }
func (*layer) Name() string       { return "transformer" }
func (*visionEnd) Name() string   { return "image encoder" }
func (*textEnd) Name() string     { return "text tower" }

// visionStart is what comes before the layers, below vision_model.
type visionStart struct {
	Embeddings  *visionEmbeddings `weight:"embeddings"`
	PreLayrnorm *nn.LayerNorm     `weight:"pre_layrnorm"`
}

// visionEnd is what follows the layers.
type visionEnd struct {
	PostLayernorm *nn.LayerNorm `weight:"vision_model.post_layernorm"`
	Projection    *nn.Linear    `weight:"visual_projection"`
}

// textStart is what comes before the layers, below text_model.
type textStart struct {
	Embeddings *textEmbeddings `weight:"embeddings"`
}

// textEnd is what follows the layers.
type textEnd struct {
	FinalLayerNorm *nn.LayerNorm `weight:"text_model.final_layer_norm"`
	Projection     *nn.Linear    `weight:"text_projection"`
}
