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
	tile := chooseAttentionTile(p.Device, o.HeadSize/4)
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
	queries := tile.threads / tile.split * tile.rows
	quads, cross, causal := o.HeadSize/4/tile.split, o.Image != nil, o.Causal
	software := p.Device.Info.Software
	most := quads
	if software {
		p.Dispatch(Dispatch{
			Kernel: "attention_cpu", Label: o.Label,
			Consts: []Const{{"QUADS", max(o.HeadSize/4, mostQuads)}},
			Params: append(params, scale*math.Log2E, o.HeadSize/4, o.Causal),
			Bind:   bind,
			Groups: [3]int{(tq + 31) / 32, o.Heads, batch},
			Cost:   4 * float64(batch*tq*tokens*channels),
		})
		return y
		// One pipeline for heads of all sizes, with image prompts or without: the uniform says it.
		most, cross, causal = max(quads, mostQuads), true, false
	}
	p.Dispatch(Dispatch{
		Kernel: "attention", Label: o.Label,
		Consts: []Const{{"QUADS", most}, {"SPLIT", tile.split}, {"KEYS", tile.keys}, {"RUN", tile.run}, {"ROWS", tile.rows},
			{"THREADS", tile.threads}, {"CROSS", cross}, {"CAUSAL", causal}, {"UNROLL", !software}},
		Params: append(params, scale*math.Log2E, quads, o.Causal),
		Bind:   bind,
		Groups: [3]int{(tq + queries - 1) / queries, o.Heads, batch},
		Cost:   4 * float64(batch*tq*tokens*channels),
	})
	return y
}

// attentionTile is how the kernel cuts the work; see its constants.
type attentionTile struct{ split, keys, run, rows, threads int }

// mostQuads is how many vec4 of a head a CPU's pipeline has room for in a thread. Its
// compiler takes time in proportion to it.
const mostQuads = 16

// chooseAttentionTile chooses for a head of so many vec4: over how many threads it is
// split (so that each has ten vec4 or fewer, sixteen on a CPU, if it divides so), and how
// many keys are in workgroup memory: as many as fit beside the parts of the scores, of
// 16 KiB on a CPU and of 9 on a GPU, since with more fewer workgroups run at once.
// It does not depend on image prompts: another order of sums would change the last bits
// of a picture that λ = 0 leaves to the words. Runs of four keys keep 8 waves a SIMD of
// RDNA3 with image prompts, too (tests/bench/gpucost_attention_norm.mjs).
func chooseAttentionTile(d *Device, quads int) attentionTile {
	if d.Info.Software {
		return cpuAttentionTile(quads)
	}
	t := attentionTile{split: splitHead(quads, 10), keys: 16, run: 4, rows: 1, threads: 64}
	t.fit(quads, 9<<10)
	return t
}

// cpuAttentionTile has few answers, as cpuTile has. Reads of workgroup memory are what
// costs, and long code to compile.
func cpuAttentionTile(quads int) attentionTile {
	t := attentionTile{split: splitHead(quads, mostQuads), keys: 16, run: 2, rows: 4}
	t.threads = min(64, 16*t.split)
	t.fit(max(quads, mostQuads*t.split), 16<<10)
	return t
}

// splitHead is the least power of two that leaves a thread so many vec4, if quads divides so.
func splitHead(quads, most int) int {
	split := 1
	for quads/split > most && split < 16 && quads%(2*split) == 0 {
		split *= 2
	}
	return split
}

// fit takes as many keys as there is room for, in bytes.
func (t *attentionTile) fit(quads, room int) {
	parts := 4
	if t.split > 1 {
		parts = t.threads * t.rows * t.run * 4
	}
	for t.keys > 1 && t.keys*quads*32+parts > room {
		t.keys /= 2
	}
	t.run = min(t.run, t.keys)
}
