package loader

import (
	"context"
	"fmt"
	"io"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/pickle"
)

// PickledTensors reads which tensors are in a file that torch.save wrote (.bin, .pt, .pth, .ckpt),
// and the name beside them, if there is one. Nothing in the file is run. open returns a reader of n
// bytes of the file from the byte at on, and size is the file's, in bytes. The tensors come in the
// order of their bytes. Unlike those of a safetensors file, they may share bytes and may have other
// bytes between them.
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

// maxGathered is how many bytes are put into order at a time, and how many bytes of the file are
// read for it, at the most. A tensor whose strides are 0 can be any number of times larger than
// its file.
const maxGathered = 64 << 20

// gather returns bytes [off, off+n) of a tensor whose numbers are not in order in the file, such
// as those of a transposed matrix, or of a kernel in torch's channels_last format. They pass
// through Go's heap.
func (t located) gather(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	width := dtypeBits[t.DType] / 8
	if width == 0 || off%width != 0 || n%width != 0 {
		return webapi.BytesOf(nil), fmt.Errorf("the tensor %q has numbers of the type %s, which cannot be put into order: open the file with torch and save it again with .contiguous()", t.Name, t.DType)
	}
	if n == 0 {
		return webapi.BytesOf(nil), nil
	}
	tooLarge := fmt.Errorf("the tensor %q is stored in another order than its shape's (strides %v), and is too large to be put into order here: open the file with torch and save it again with .contiguous()", t.Name, t.Strides)
	if n > maxGathered {
		return webapi.BytesOf(nil), tooLarge
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
	if last-first > maxGathered {
		return webapi.BytesOf(nil), tooLarge
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
