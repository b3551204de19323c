package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// streamed runs an image encoder that does not fit the GPU beside what is there: a layer
// comes, runs and leaves, so that a new picture does not send the UNet away. It costs one
// reading of the encoder's weights, as loading it does.
//
//	pixels: Act [B, S, S, 3], normalised
//	returns: what record's x has to be for the adapter, persistent: for Plus the
//	penultimate hidden states, Act [B, tokens, hidden_size], or the image embeddings,
//	Act [B, 1, projection_dim]
func (m *VisionEncoder) streamed(ctx context.Context, memory *Memory, pixels *gpu.Tensor, plus bool) (*gpu.Tensor, error) {
	d, c := memory.Device, memory.find(m).checkpoint
	layers := m.Config.Layers
	if plus {
		layers--
	}
	var h *gpu.Tensor
	// run loads the layers of a part, records it over the tensor so far, and frees them.
	run := func(label string, network Network, c Checkpoint, record func(p *gpu.Program) *gpu.Tensor) error {
		if err := load(ctx, d, network, c, nil); err != nil {
			return err
		}
		defer unload(network)
		next, err := once(ctx, d, label, record)
		if err != nil {
			return err
		}
		h.Release()
		h = next
		return nil
	}
	err := run("embeddings", &visionStart{m.Model.Embeddings, m.Model.PreLayrnorm}, below{c, "vision_model."}, func(p *gpu.Program) *gpu.Tensor {
		return m.start(p, pixels)
	})
	for i := 0; err == nil && i < layers; i++ {
		layer := m.Model.Encoder.Layers[i]
		prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", i)
		err = run(fmt.Sprintf("image encoder, layer %d", i), layer, below{c, prefix}, func(p *gpu.Program) *gpu.Tensor {
			return layer.forward(p, h, m.Config, false, prefix[len("vision_model."):len(prefix)-1])
		})
		if memory.Progress != nil {
			memory.Progress(m.part().name, int64(i+1), int64(layers))
		}
	}
	if err == nil && !plus {
		err = run("visual projection", &visionEnd{m.Model.PostLayernorm, m.Projection}, c, func(p *gpu.Program) *gpu.Tensor { return m.end(p, h) })
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
	PreLayrnorm *LayerNorm        `weight:"pre_layrnorm"`
}

// visionEnd is what comes behind them.
type visionEnd struct {
	PostLayernorm *LayerNorm `weight:"vision_model.post_layernorm"`
	Projection    *Linear    `weight:"visual_projection"`
}

// Of these the checkpoint has more: that all of it fits was seen when it was added.
func (s *visionStart) part() networkPart { return networkPart{"image encoder", s, anything} }
func (e *visionEnd) part() networkPart   { return networkPart{"image encoder", e, anything} }
func (l *clipLayer) part() networkPart   { return networkPart{"image encoder", l, anything} }

func anything(string) bool { return true }

// below is the part of a checkpoint whose names have a prefix, which it leaves out.
type below struct {
	Checkpoint
	prefix string
}

func (b below) Names() []string {
	var names []string
	for _, n := range b.Checkpoint.Names() {
		if rest, ok := strings.CutPrefix(n, b.prefix); ok {
			names = append(names, rest)
		}
	}
	return names
}

func (b below) Info(name string) (string, []int, bool) { return b.Checkpoint.Info(b.prefix + name) }

func (b below) Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error) {
	return b.Checkpoint.Read(ctx, b.prefix+name, off, n)
}
