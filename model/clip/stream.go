package clip

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// stream is Encode with one part of the encoder on the GPU at a time: the embeddings, each
// layer, the projection. It reads the weights once, as loading the encoder does.
func (m *VisionEncoder) stream(ctx context.Context, memory *nn.Memory, pixels *gpu.Tensor, o Output) (*gpu.Tensor, error) {
	d := memory.Device
	c, weights := memory.Checkpoint(m)
	var h *gpu.Tensor
	// run loads a part, records it over the tensor so far, and unloads it.
	run := func(label string, part nn.Network, c nn.Checkpoint, record func(p *gpu.Program) *gpu.Tensor) error {
		if err := nn.Load(ctx, d, part, c, weights, nil); err != nil {
			return err
		}
		defer nn.Unload(part)
		next, err := nn.Once(ctx, d, label, record)
		if err != nil {
			return err
		}
		h.Release()
		h = next
		return nil
	}
	layers := m.layers(o)
	err := run("embeddings", &visionStart{m.Model.Embeddings, m.Model.PreLayrnorm}, nn.Below(c, "vision_model."), func(p *gpu.Program) *gpu.Tensor {
		return m.embed(p, pixels)
	})
	for i := 0; err == nil && i < layers; i++ {
		l := m.Model.Encoder.Layers[i]
		name := fmt.Sprintf("encoder.layers.%d", i)
		err = run(fmt.Sprintf("%s, layer %d", m.Name(), i), l, nn.Below(c, "vision_model."+name+"."), func(p *gpu.Program) *gpu.Tensor {
			return l.forward(p, h, m.Config, false, name)
		})
		if memory.Progress != nil {
			memory.Progress(m.Name(), int64(i+1), int64(layers))
		}
	}
	if err == nil && o == ImageEmbeds {
		err = run("visual projection", &visionEnd{m.Model.PostLayernorm, m.Projection}, c, func(p *gpu.Program) *gpu.Tensor { return m.project(p, h) })
	}
	if err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

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

// The parts are networks for as long as they are loaded. The rest of the checkpoint was
// checked when the whole encoder was added to Memory.

func (*visionStart) Name() string { return "image encoder" }
func (*layer) Name() string       { return "image encoder" }
func (*visionEnd) Name() string   { return "image encoder" }
