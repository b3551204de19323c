package gpu

import "math"

// AttentionOptions are those of Attention. Q, K and V may lie in one tensor, one
// behind the other over the channels, as a product with the three weights side by
// side leaves them.
type AttentionOptions struct {
	Label    string
	Heads    int
	HeadSize int     // numbers a head; a multiple of 4
	Scale    float64 // of the scores; 1/√HeadSize where it is 0
	Causal   bool    // a query sees the keys up to its own place
	QAt      int     // the channel of q where the queries begin
	KAt, VAt int     // the channels of kv where keys and values begin
	Image    *ImageAttention
}

// ImageAttention is the decoupled part of a cross-attention (IP-Adapter, section
// 3.2.2): every image prompt has a softmax of its own, which is added times λ.
type ImageAttention struct {
	KV      *Tensor // Act [B, ΣTᵢ, 2C]: keys, then values, of all image prompts
	Spans   *Tensor // U32 [prompts, 4]: first token, tokens, 1 + the mask's row in Masks or 0, 0
	Prompts int
	Scales  *Tensor // F32 [steps, layers·prompts]: λ
	Layer   int     // this attention's place among the layers
	Masks   *Tensor // F32 [masks, T_q], or nil
}

// Attention computes softmax(Q·Kᵗ·scale)·V for every head, plus the image prompts'
// part. q is [B, T_q, ..] or [B, H, W, ..], kv [B, T_k, ..], both Act; the result is
// [.., Heads·HeadSize] with q's first dimensions.
func Attention(p *Program, q, kv *Tensor, o AttentionOptions) *Tensor {
	channels := o.Heads * o.HeadSize
	shape := append([]int(nil), q.Shape...)
	shape[len(shape)-1] = channels
	y := p.NewTensor(o.Label, Act, shape...)
	batch := q.Shape[0]
	if o.HeadSize%4 != 0 || kv.Shape[0] != batch || q.Channels() < o.QAt+channels ||
		kv.Channels() < max(o.KAt, o.VAt)+channels || o.QAt%4 != 0 || o.KAt%4 != 0 || o.VAt%4 != 0 {
		p.Fail("gpu: %s: attention of %d heads of %d over %s and %s", o.Label, o.Heads, o.HeadSize, q, kv)
		return y
	}
	tq, tk := q.Rows()/batch, kv.Rows()/batch
	scale := o.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(o.HeadSize))
	}
	split, keys := attentionTile(o.HeadSize / 4)
	params := []any{tq, tk, q.Pitch() / 4, o.QAt / 4, kv.Pitch() / 4, o.KAt / 4, o.VAt / 4, y.Pitch() / 4}
	dummy := In(kv)
	bind := []Binding{In(q), In(kv), Out(y), dummy, dummy, dummy, dummy, dummy}
	tokens := tk
	if im := o.Image; im != nil {
		if im.KV.Shape[0] != batch || im.KV.Channels() != 2*channels || im.Scales.Channels() < (im.Layer+1)*im.Prompts {
			p.Fail("gpu: %s: image prompts' %s does not fit %s", o.Label, im.KV, q)
			return y
		}
		params = append(params, im.KV.Shape[1], im.KV.Pitch()/4, channels/4, im.Prompts, im.Scales.Pitch(), im.Layer*im.Prompts)
		bind[3], bind[4], bind[5], bind[6] = In(im.KV), In(im.Spans), In(im.Scales), In(p.Step())
		if im.Masks != nil {
			bind[7] = In(im.Masks)
		}
		tokens += im.KV.Shape[1]
	} else {
		params = append(params, 0, 0, 0, 0, 0, 0)
	}
	queries := 64 / split
	p.Dispatch(Dispatch{
		Kernel: "attention", Label: o.Label,
		Consts: []Const{{"QUADS", o.HeadSize / 4 / split}, {"SPLIT", split}, {"KEYS", keys}, {"CROSS", o.Image != nil}, {"CAUSAL", o.Causal}, {"UNROLL", !p.Device.Info.Software}},
		Params: append(params, scale*math.Log2E, keys, o.HeadSize/4/split),
		Bind:   bind,
		Groups: [3]int{(tq + queries - 1) / queries, o.Heads, batch},
		Cost:   4 * float64(batch*tq*tokens*channels),
	})
	return y
}

// attentionTile chooses over how many threads a head of so many vec4 is split (at
// most 16 vec4 each, if it divides so), and how many keys a tile has: as many as fit
// 16 KiB of workgroup memory beside the parts of the scores.
func attentionTile(quads int) (split, keys int) {
	split = 1
	for quads/split > 10 && split < 16 {
		next := split * 2
		if quads%next != 0 {
			break
		}
		split = next
	}
	for keys = 16; keys > 1; keys /= 2 {
		if keys*quads*32+64*keys*4 <= 16<<10 {
			break
		}
	}
	return split, keys
}
