package ipadapter

import (
	"context"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/model/guides"
)

// Embeds are what an image encoder made of pictures, before the adapter's projection: diffusers'
// ip_adapter_image_embeds of one adapter.
type Embeds struct {
	Pictures int
	Tokens   int       // of a picture: 1 for image embeddings, and for hidden states as many as the encoder gives
	Size     int       // of a token
	Values   []float32 // [Pictures, Tokens, Size]
	// Negative is what the negative prompt's branch sees, [Pictures, Tokens, Size]. nil stands for
	// image embeddings of zeros; hidden states without it need a run without guidance.
	Negative []float32
	Encoder  string // the image encoder's name, for messages; "" where it is not known
}

// pictures cuts values into those of each picture.
func (e *Embeds) pictures(values []float32) [][]float32 {
	return slices.Collect(slices.Chunk(values, e.Tokens*e.Size))
}

// negative is what stands for no picture, [Tokens, Size], beside the first picture. differs says
// whether other pictures have another one.
func (e *Embeds) negative() (first []float32, differs bool) {
	if e.Negative == nil {
		return make([]float32, e.Tokens*e.Size), false
	}
	list := e.pictures(e.Negative)
	return list[0], slices.ContainsFunc(list, func(other []float32) bool { return !slices.Equal(other, list[0]) })
}

// checkEmbeds refuses embeddings that the adapter does not read.
func (a *Adapter) checkEmbeds(e *Embeds) error {
	by := ""
	if e.Encoder != "" {
		by = " (they were made by " + e.Encoder + ")"
	}
	switch states := e.Tokens > 1; {
	case states && !a.readsPatches():
		return fmt.Errorf("the kept embeddings are hidden states%s, which Plus and full-face adapters read, and this adapter reads image embeddings: encode the pictures with this adapter", by)
	case !states && a.readsPatches():
		return fmt.Errorf("the kept embeddings are image embeddings%s, and this adapter reads hidden states, as Plus and full-face adapters do: encode the pictures with this adapter", by)
	}
	return a.checkSize("the kept embeddings have", e.Size)
}

// Embed encodes the guide's pictures for NewGuideOf. It encodes the same pictures together as Prepare
// does, so that what is drawn with the embeddings is the same to the bit. r.Batch has to be 2.
func (g *Guide) Embed(ctx context.Context, r *guides.Run) (*Embeds, error) {
	e := &Embeds{Pictures: len(g.pixels)}
	seen := make([][]float32, len(g.pixels))
	for _, place := range g.places() {
		t, err := g.see(ctx, r, len(place.Pictures), slices.Concat(g.pixelsOf(place)...))
		if err != nil {
			return nil, err
		}
		values, err := t.Float32(ctx)
		e.Tokens, e.Size = t.Shape[1], t.Shape[2]
		t.Release()
		if err != nil {
			return nil, err
		}
		for i, v := range e.pictures(values) {
			seen[place.Pictures[i]] = v
		}
	}
	e.Values, e.Encoder = slices.Concat(seen...), g.adapter.encoder(e.Size)
	none, err := g.nothing(ctx, r, 1)
	if err != nil {
		return nil, err
	}
	negative, err := none.Float32(ctx)
	e.Negative = slices.Repeat(negative, e.Pictures)
	return e, err
}
