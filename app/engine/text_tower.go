package engine

import (
	"context"
	"fmt"
	"math"
	"os"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/tokenizer"
)

// textTower is the text half of an image encoder's CLIP.
type textTower struct {
	network   *clip.TextTower
	weights   nn.Checkpoint
	tokenizer *tokenizer.Tokenizer
}

// Encoders is what a Host may be as well: it lists image encoders that are here. Many are published without
// the text half of their CLIP, which is then found in a file of the whole CLIP.
type Encoders interface {
	ImageEncoders(ctx context.Context) ([]string, error)
}

// openTextTower opens the text half of the CLIP whose image encoder has a name and projects to size numbers: from
// where the image encoder is, or else from another one that is the same. The error is os.ErrNotExist where there
// is none.
func (e *Engine) openTextTower(ctx context.Context, name string, size int) (*textTower, error) {
	// A text half that cannot be read is as good as none, for the pictures can be compared without it.
	if t, err := e.textHalf(ctx, name, size); err == nil {
		return t, nil
	}
	if host, ok := e.host.(Encoders); ok {
		others, err := host.ImageEncoders(ctx)
		if err != nil {
			return nil, err
		}
		for _, other := range others {
			if !e.sameEncoder(ctx, name, other) {
				continue
			}
			if t, err := e.textHalf(ctx, other, size); err == nil {
				return t, nil
			}
		}
	}
	return nil, fmt.Errorf("the text half of the image encoder %s: %w", name, os.ErrNotExist)
}

// textHalf opens the text half that is where an image encoder is.
func (e *Engine) textHalf(ctx context.Context, name string, size int) (*textTower, error) {
	folder, at, err := ImageEncoder(ctx, e.host, e.loaded.folder, name)
	if err != nil {
		return nil, err
	}
	weights, file, vocabulary, err := loader.TextHalf(ctx, folder, at)
	if err != nil {
		return nil, err
	}
	if n := clip.TextProjectionDim(weights); n != size {
		return nil, fmt.Errorf("it projects to %d numbers and the image encoder to %d", n, size)
	}
	config, err := clip.ParseTextConfig(file)
	if err != nil {
		return nil, err
	}
	words, err := OpenTokenizer(ctx, folder, vocabulary)
	return &textTower{clip.NewTextTower(config, size), nn.PartOf(weights, "text_model.", "text_projection."), words}, err
}

// sameEncoder reports whether two image encoders have the same projection, by its first numbers, which one of
// them may have as float16. Those of encoders that were trained apart differ.
func (e *Engine) sameEncoder(ctx context.Context, name, other string) bool {
	x, y := e.projection(ctx, name), e.projection(ctx, other)
	if name == other || len(x) == 0 || len(x) != len(y) {
		return false
	}
	for i := range x {
		if d := math.Abs(float64(x[i] - y[i])); !(d <= 1e-6+1e-3*math.Abs(float64(x[i]))) {
			return false
		}
	}
	return true
}

// projection returns the first numbers of an image encoder's projection, or nothing if they cannot be read.
func (e *Engine) projection(ctx context.Context, encoder string) []float32 {
	folder, at, err := ImageEncoder(ctx, e.host, e.loaded.folder, encoder)
	if err != nil {
		return nil
	}
	c, err := loader.OpenFolder(folder).Network(ctx, at)
	if err != nil {
		return nil
	}
	const name = "visual_projection.weight"
	dtype, shape, ok := c.Info(name)
	if !ok || len(shape) != 2 {
		return nil
	}
	p := gpu.Parameter{Name: name, DType: dtype, Shape: []int{min(256, shape[0]*shape[1])}, Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
		return c.Read(ctx, name, off, n)
	}}
	values, err := p.Float32(ctx)
	if err != nil {
		return nil
	}
	return values
}
