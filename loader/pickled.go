package loader

import (
	"context"
	"fmt"
	"io"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/pickle"
)

// PickledTensors reads which tensors a file has that torch.save wrote (.bin, .pt, .pth, .ckpt), and
// those of the strings beside them that are in keptMetadata. Nothing in the file is run. open
// reads a part of the file. The tensors come in the order of their bytes. Unlike those of
// safetensors they may share bytes, and may have other bytes between them.
func PickledTensors(open func(at, n int64) io.Reader, size int64) ([]Tensor, map[string]string, error) {
	f, err := pickle.Open(open, size)
	if err != nil {
		return nil, nil, err
	}
	var list []Tensor
	for _, t := range f.Tensors {
		list = append(list, Tensor(t))
	}
	metadata := map[string]string{}
	if name, ok := f.Texts[embeddingName]; ok {
		metadata[embeddingName] = name
	}
	return list, metadata, nil
}

// embeddingName is the field of an embedding's pickle that has its name.
const embeddingName = "name"

// maxGathered is how many bytes of a file are read at most to put numbers into order.
const maxGathered = 64 << 20

// gather returns bytes [off, off+n) of a tensor whose numbers are not in order in the file, such
// as those of a transposed matrix, or of a kernel in torch's channels_last format. They pass
// through Go's heap.
func (t located) gather(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	width := dtypeBits[t.DType] / 8
	if width == 0 || off%width != 0 || n%width != 0 {
		return webapi.BytesOf(nil), fmt.Errorf("the tensor %q has numbers of the type %s, which cannot be put into order", t.Name, t.DType)
	}
	places := make([]int64, n/width)
	first, last := t.End-t.Begin, int64(0)
	for i := range places {
		at, rest := int64(0), off/width+int64(i)
		for d := len(t.Shape) - 1; d >= 0; d-- {
			at += rest % int64(t.Shape[d]) * int64(t.Strides[d])
			rest /= int64(t.Shape[d])
		}
		places[i] = at * width
		first, last = min(first, at*width), max(last, (at+1)*width)
	}
	if n == 0 {
		return webapi.BytesOf(nil), nil
	}
	if last-first > maxGathered {
		return webapi.BytesOf(nil), fmt.Errorf("the tensor %q is stored in another order than its shape's (strides %v), and is too large to be put into order here: open the file with torch and save it again with .contiguous()", t.Name, t.Strides)
	}
	b, err := t.source.ReadRange(ctx, t.Begin+first, last-first)
	if err != nil {
		return b, err
	}
	from, to := webapi.GoBytes(b), make([]byte, n)
	for i, at := range places {
		copy(to[int64(i)*width:][:width], from[at-first:])
	}
	return webapi.BytesOf(to), nil
}
