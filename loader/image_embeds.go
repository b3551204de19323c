package loader

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
)

// ImageEmbeds are the embeddings of an image prompt's pictures, kept in a file. They are what
// diffusers' prepare_ip_adapter_image_embeds returns for one adapter.
type ImageEmbeds struct {
	// Shape is [2, pictures, size] for image embeddings and [2, pictures, tokens, size] for hidden
	// states. The negative embeddings come first. Without them the shape begins with 1.
	Shape   []int
	Values  []float32
	Encoder string   // the image encoder that made them; "" where the file does not say
	Tiled   [][2]int // the widths and heights of the pictures in pixels, if the embeddings are of their tiles
}

// The metadata of a file of embeddings, and the name of its tensor.
const (
	metaEncoder = "image_encoder"
	metaTiled   = "ip_adapter_tiled"
	embedsName  = "ip_adapter_image_embeds"
)

// maxEmbeds is how many numbers a file of embeddings may have: the hidden states of a hundred pictures.
const maxEmbeds = 100 * 2 * 257 * 1280

// OpenImageEmbeds reads a file of embeddings: one that File wrote, or a tensor, or a list of one
// tensor, that was saved from diffusers, by safetensors or by torch.save (.ipadpt).
func OpenImageEmbeds(ctx context.Context, s Source) (*ImageEmbeds, error) {
	c, err := OpenCheckpoint(ctx, s)
	if err != nil {
		return nil, err
	}
	e, err := readImageEmbeds(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return e, nil
}

func readImageEmbeds(ctx context.Context, c *Checkpoint) (*ImageEmbeds, error) {
	names := c.Names()
	if len(names) != 1 {
		return nil, fmt.Errorf("this file has %d tensors, and a file of image embeddings has one. Save the embeddings of each adapter into a file of its own", len(names))
	}
	p := c.parameter(names[0])
	if n := len(p.Shape); n != 3 && n != 4 || p.Shape[0] < 1 || p.Shape[0] > 2 || p.Count() == 0 {
		return nil, fmt.Errorf("its tensor has the shape %v, and image embeddings have [2, pictures, size] or [2, pictures, tokens, size] (prepare_ip_adapter_image_embeds of diffusers)", p.Shape)
	}
	if p.Count() > maxEmbeds {
		return nil, fmt.Errorf("its tensor has the shape %v, which is more than a hundred pictures have", p.Shape)
	}
	e := &ImageEmbeds{Shape: p.Shape, Encoder: brief(c.metadata[metaEncoder], maxLoRAText)}
	if text := c.metadata[metaTiled]; text != "" {
		if err := json.Unmarshal([]byte(text), &e.Tiled); err != nil {
			return nil, fmt.Errorf("its field %s is damaged: %w", metaTiled, err)
		}
	}
	var err error
	e.Values, err = p.Float32(ctx)
	return e, err
}

// File returns the content of a safetensors file of the embeddings. f16 writes the numbers as F16,
// which is exact for those that were computed in it.
func (e *ImageEmbeds) File(f16 bool) ([]byte, error) {
	var data []byte
	dtype := "F32"
	if f16 {
		dtype = "F16"
	}
	for _, v := range e.Values {
		if f16 {
			data = binary.LittleEndian.AppendUint16(data, gpu.Float16(v))
		} else {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	metadata := map[string]string{"format": "pt"}
	if e.Encoder != "" {
		metadata[metaEncoder] = e.Encoder
	}
	if e.Tiled != nil {
		text, err := json.Marshal(e.Tiled)
		if err != nil {
			return nil, err
		}
		metadata[metaTiled] = string(text)
	}
	header, err := MakeHeader(map[string]any{
		"__metadata__": metadata,
		embedsName:     map[string]any{"dtype": dtype, "shape": e.Shape, "data_offsets": []int{0, len(data)}},
	})
	return append(header, data...), err
}
