package depth

import (
	"context"
	"math"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/preprocessors"
)

// DepthAnything is transformers' DepthAnythingForDepthEstimation. Its fields carry the checkpoint's names.
type DepthAnything struct {
	Backbone *backbone `weight:"backbone"`
	Neck     *neck     `weight:"neck"`
	Head     *head     `weight:"head"`

	config Config
}

// New lays the network out.
func New(c Config) *DepthAnything {
	return &DepthAnything{newBackbone(c), newNeck(c), newHead(c), c}
}

// Open lays out the network that a checkpoint has.
func Open(c nn.Checkpoint) (preprocessors.Network, error) {
	config, err := ConfigOf(c)
	if err != nil {
		return nil, err
	}
	return New(config), nil
}

// Name implements nn.Network.
func (n *DepthAnything) Name() string { return "depth estimator" }

// Ignores implements nn.Ignorer: these were used while the network was trained, or are never used.
func (n *DepthAnything) Ignores(key string) bool {
	return key == "backbone.embeddings.mask_token" || strings.HasPrefix(key, "neck.fusion_stage.layers.0.residual_layer1.")
}

// The mean and the deviation of the pictures of ImageNet.
var mean, deviation = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}

// size is that of the picture that the network sees: DPTImageProcessor with keep_aspect_ratio, which scales as little as
// possible, and ensure_multiple_of.
func (n *DepthAnything) size(width, height int) (w, h int) {
	wanted := float64(n.config.Side * n.config.PatchSize)
	across, down := wanted/float64(width), wanted/float64(height)
	scale := down
	if math.Abs(1-across) < math.Abs(1-down) {
		scale = across
	}
	side := func(v int) int {
		return max(1, int(math.RoundToEven(scale*float64(v)/float64(n.config.PatchSize)))) * n.config.PatchSize
	}
	return side(width), side(height)
}

// Depth returns how near each pixel of a picture is, from 0 for the farthest to 1 for the nearest.
func (n *DepthAnything) Depth(ctx context.Context, d *gpu.Device, m *imageproc.Image) ([]float32, error) {
	w, h := n.size(m.Width, m.Height)
	seen := m.Resize(w, h, imageproc.Bicubic)
	values := make([]float32, len(seen.Pix))
	for i, v := range seen.Pix {
		values[i] = (float32(v)/255 - mean[i%3]) / deviation[i%3]
	}
	rows, columns, channels := h/n.config.PatchSize, w/n.config.PatchSize, n.config.HiddenSize
	class := make([]float32, channels)
	for i := range class {
		class[i] = n.Backbone.Class.Values[i] + n.Backbone.Positions.Values[i]
	}
	positions := imageproc.InterpolateBicubic(n.Backbone.Positions.Values[channels:], channels, n.config.Side, n.config.Side, rows, columns)
	tensor := func(name string, values []float32, shape ...int) *gpu.Tensor {
		t := d.NewTensor(name, gpu.Act, shape...)
		t.SetFloat32(values)
		return t
	}
	in := []*gpu.Tensor{tensor("picture", values, 1, h, w, 3), tensor("class token", class, 1, 1, channels), tensor("positions", positions, 1, rows*columns, channels)}
	defer func() {
		for _, t := range in {
			t.Release()
		}
	}()
	out, err := preprocessors.Run(ctx, d, n, func(p *gpu.Program) []*gpu.Tensor {
		return []*gpu.Tensor{n.Head.record(p, n.Neck.record(p, n.Backbone.record(p, in[0], in[1], in[2], n.config)), h, w)}
	})
	if err != nil {
		return nil, err
	}
	depth := imageproc.InterpolateBicubic(out[0], 1, h, w, m.Height, m.Width)
	far, near := depth[0], depth[0]
	for _, v := range depth {
		far, near = min(far, v), max(near, v)
	}
	for i, v := range depth {
		depth[i] = (v - far) / max(near-far, 1e-12)
	}
	return depth, nil
}

// Map implements preprocessors.Network as transformers' pipeline for depth does. It has no options.
func (n *DepthAnything) Map(ctx context.Context, d *gpu.Device, m *imageproc.Image, _ []float64) (*imageproc.Image, error) {
	depth, err := n.Depth(ctx, d, m)
	if err != nil {
		return nil, err
	}
	return preprocessors.Grey(depth, m.Width, m), nil
}
