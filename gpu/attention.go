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
	tiled    bool // for tests: a GPU's kernel in any case
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
	var image ImageAttention
	var step *Tensor
	tokens, imageTokens, imagePitch, scaleRow := tk, 0, 0, 0
	if o.Image != nil {
		image = *o.Image
		if image.KV.Shape[0] != batch || image.KV.Channels() != 2*channels || image.Scales.Channels() < (image.Layer+1)*image.Prompts {
			p.Fail("gpu: %s: image prompts' %s does not fit %s", o.Label, image.KV, q)
			return y
		}
		step = p.Step()
		imageTokens, imagePitch, scaleRow = image.KV.Shape[1], image.KV.Pitch()/4, image.Scales.Pitch()
		tokens += imageTokens
	}
	params := []Param{{"t_q", tq}, {"t_k", tk}, {"q_pitch", q.Pitch() / 4}, {"q_at", o.QAt / 4},
		{"kv_pitch", kv.Pitch() / 4}, {"k_at", o.KAt / 4}, {"v_at", o.VAt / 4}, {"y_pitch", y.Pitch() / 4}, {"scale", scale * math.Log2E},
		{"image_tokens", imageTokens}, {"image_pitch", imagePitch}, {"image_v_at", channels / 4}, {"prompts", image.Prompts},
		{"scale_row", scaleRow}, {"scale_at", image.Layer * image.Prompts}, {"quads", o.HeadSize / 4}, {"causal", o.Causal}}
	bind := []Binding{In("q", q), In("kv", kv), Out("y", y), In("image_kv", image.KV).Optional(), In("spans", image.Spans).Optional(),
		In("scales", image.Scales).Optional(), In("step", step).Optional(), In("masks", image.Masks).Optional()}
	cost := 4 * float64(batch*tq*tokens*channels)
	if p.Device.playsGPU() && !o.tiled {
		// A thread has two queries. Heads share pipelines: compiling is what takes time.
		quads := o.HeadSize / 4
		for _, most := range []int{16, 40} {
			if quads <= most {
				quads = most
				break
			}
		}
		p.Dispatch(Dispatch{
			Kernel: "attention_cpu", Label: o.Label,
			Consts: []Const{{"QUADS", quads}, {"CROSS", o.Image != nil}},
			Params: params,
			Bind:   bind,
			Groups: [3]int{(tq + 31) / 32, o.Heads, batch},
			Cost:   cost,
		})
		return y
	}
	tile := chooseAttentionTile(o.HeadSize / 4)
	queries := tile.threads / tile.split
	p.Dispatch(Dispatch{
		Kernel: "attention", Label: o.Label,
		Consts: []Const{{"QUADS", o.HeadSize / 4 / tile.split}, {"SPLIT", tile.split}, {"KEYS", tile.keys}, {"RUN", tile.run},
			{"THREADS", tile.threads}, {"CROSS", o.Image != nil}, {"CAUSAL", o.Causal}},
		Params: params,
		Bind:   bind,
		Groups: [3]int{(tq + queries - 1) / queries, o.Heads, batch},
		Cost:   cost,
	})
	return y
}

// attentionTile is how attention.wgsl cuts the work; see its constants.
type attentionTile struct{ split, keys, run, threads int }

// chooseAttentionTile chooses for a head of so many vec4: over how many threads it is
// split (so that each has ten vec4 or fewer, if it divides so), and how many keys are in
// workgroup memory: as many as fit beside the parts of the scores in 9 KiB, since with
// more fewer workgroups run at once.
// It does not depend on image prompts: another order of sums would change the last bits
// of a picture that λ = 0 leaves to the words. Runs of four keys keep 8 waves a SIMD of
// RDNA3 with image prompts, too (wgsl/COST.md).
func chooseAttentionTile(quads int) attentionTile {
	t := attentionTile{split: splitHead(quads, 10), keys: 16, run: 4, threads: 64}
	t.fit(quads, 9<<10)
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
		parts = t.threads * t.run * 4
	}
	for t.keys > 1 && t.keys*quads*32+parts > room {
		t.keys /= 2
	}
	t.run = min(t.run, t.keys)
}
