package gpu

import (
	"cmp"
	"math"
	"strconv"
)

// AttentionOptions are the options of Attention. Q, K and V may be parts of one tensor, one
// after another along the channels, which is what a product with all three weights gives.
type AttentionOptions struct {
	Label    string
	Heads    int
	HeadSize int             // channels per head; a multiple of 4
	Scale    float64         // of the scores; 0 means 1/√HeadSize
	Causal   bool            // a query sees only the keys up to its own position
	QAt      int             // the channel of q at which the queries begin
	KAt, VAt int             // the channels of kv at which the keys and the values begin
	Image    *ImageAttention // image prompts, or nil
	tiled    bool            // for tests: use a GPU's kernel on every device
	variant  string          // for tests: of that kernel
	tile     attentionTile   // for tests: the tile of attention_pair.wgsl or attention_tile.wgsl
}

// ImageAttention is the decoupled part of a cross-attention (IP-Adapter, section 3.2.2).
// Every image prompt has a softmax of its own, whose result is added, times λ.
type ImageAttention struct {
	KV      *Tensor // Act [B, ΣTᵢ, 2C]: the keys, then the values, of all image prompts
	Spans   *Tensor // U32 [prompts, 4]: the first token, the number of tokens, 1 + the mask's row in Masks (0: no mask), 0
	Prompts int
	Lambda  *Tensor // F32 [steps, layers·prompts]: λ
	Layer   int     // the index of this attention among the layers
	Masks   *Tensor // F32 [masks, T_q], or nil
}

// Attention computes softmax(Q·Kᵗ·scale)·V for every head and adds the part of the image
// prompts. q is [B, T_q, ..] or [B, H, W, ..] and kv is [B, T_k, ..], both Act. The result
// has the shape of q with Heads·HeadSize channels.
func Attention(p *Program, q, kv *Tensor, o AttentionOptions) *Tensor {
	channels := o.Heads * o.HeadSize
	shape := append([]int(nil), q.Shape...)
	shape[len(shape)-1] = channels
	y := p.NewTensor(o.Label, Act, shape...)
	AttentionInto(p, q, kv, y, o)
	return y
}

// AttentionInto is Attention with its result in y, Act [B, T, Heads · HeadSize].
func AttentionInto(p *Program, q, kv, y *Tensor, o AttentionOptions) {
	channels := o.Heads * o.HeadSize
	batch := q.Shape[0]
	if y.Rows() != q.Rows() || y.Channels() != channels || o.HeadSize%4 != 0 || kv.Shape[0] != batch || q.Channels() < o.QAt+channels ||
		kv.Channels() < max(o.KAt, o.VAt)+channels || o.QAt%4 != 0 || o.KAt%4 != 0 || o.VAt%4 != 0 {
		p.Fail("gpu: %s: attention with %d heads of %d channels does not fit %s and %s", o.Label, o.Heads, o.HeadSize, q, kv)
		return
	}
	tq, tk := q.Rows()/batch, kv.Rows()/batch
	scale := o.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(o.HeadSize))
	}
	var image ImageAttention
	var step *Tensor
	tokens, imageTokens, imagePitch, lambdaRow := tk, 0, 0, 0
	if o.Image != nil {
		image = *o.Image
		if image.KV.Shape[0] != batch || image.KV.Channels() != 2*channels || image.Lambda.Channels() < (image.Layer+1)*image.Prompts {
			p.Fail("gpu: %s: the image prompts' keys and values %s do not fit %s", o.Label, image.KV, q)
			return
		}
		step = p.Step()
		imageTokens, imagePitch, lambdaRow = image.KV.Shape[1], image.KV.Pitch()/4, image.Lambda.Pitch()
		tokens += imageTokens
	}
	params := []Param{{"t_q", tq}, {"t_k", tk}, {"q_pitch", q.Pitch() / 4}, {"q_at", o.QAt / 4},
		{"kv_pitch", kv.Pitch() / 4}, {"k_at", o.KAt / 4}, {"v_at", o.VAt / 4}, {"y_pitch", y.Pitch() / 4}, {"scale", scale * math.Log2E},
		{"image_tokens", imageTokens}, {"image_pitch", imagePitch}, {"image_v_at", channels / 4}, {"prompts", image.Prompts},
		{"lambda_row", lambdaRow}, {"lambda_at", image.Layer * image.Prompts}, {"quads", o.HeadSize / 4}, {"causal", o.Causal}}
	bind := []Binding{In("q", q), In("kv", kv), Out("y", y), In("image_kv", image.KV).Optional(), In("spans", image.Spans).Optional(),
		In("lambda", image.Lambda).Optional(), In("step", step).Optional(), In("masks", image.Masks).Optional()}
	cost := 4 * float64(batch*tq*tokens*channels)
	if p.Device.onProcessor() && !o.tiled {
		// A thread has two queries. Different head sizes share a pipeline, because compiling takes
		// long.
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
		return
	}
	kernel, t := p.Device.chooseAttention(o)
	p.Dispatch(Dispatch{
		Kernel: kernel, Label: o.Label,
		Consts: t.consts(kernel, o),
		Params: params,
		Bind:   bind,
		Groups: [3]int{(tq + t.queries - 1) / t.queries, o.Heads, batch},
		Cost:   cost,
	})
}

// chooseAttention chooses the kernel of the variant that is chosen, and its tile. A head that
// does not fit a variant has the first one.
func (d *Device) chooseAttention(o AttentionOptions) (kernel string, t attentionTile) {
	quads := o.HeadSize / 4
	variant := o.variant
	if variant == "" {
		variant = d.kernels.variant(AttentionClass, strconv.Itoa(o.HeadSize))
	}
	ok := false
	switch variant {
	case "pair":
		kernel = "attention_pair"
		t, ok = choosePairTile(quads, d.SubgroupMin)
	case "tile":
		kernel = "attention_tile"
		t, ok = chooseProductTile(quads)
	}
	if !ok {
		return "attention", chooseAttentionTile(quads)
	}
	return kernel, cmp.Or(o.tile, t)
}

// attentionTile says how attention.wgsl and its variants divide the work; see their constants.
// queries is how many a workgroup has. Only attention_tile.wgsl has a depth.
type attentionTile struct{ split, keys, run, threads, queries, depth int }

func (t attentionTile) consts(kernel string, o AttentionOptions) []Const {
	list := []Const{{"QUADS", o.HeadSize / 4 / t.split}, {"SPLIT", t.split}, {"RUN", t.run}, {"THREADS", t.threads}, {"CROSS", o.Image != nil}, {"CAUSAL", o.Causal}}
	if kernel == "attention_tile" {
		return append(list, Const{"ROWS", t.threads / t.split}, Const{"DEPTH", t.depth})
	}
	return append(list, Const{"KEYS", t.keys})
}

// chooseAttentionTile chooses the tile for heads of that many vec4. It splits a head over
// threads so that each has at most ten vec4, if the head divides evenly, and takes as many
// keys as fit in 9 KiB of workgroup memory beside the parts of the scores. With more, fewer
// workgroups would run at once. Runs of four keys leave RDNA3 with 8 waves per SIMD even
// with image prompts (wgsl/COST.md).
//
// The tile does not depend on whether there are image prompts: λ = 0 has to give the same
// picture as no image prompts, to the bit, and another tile would sum in another order.
func chooseAttentionTile(quads int) attentionTile {
	t := attentionTile{split: splitHead(quads, 10), keys: 16, run: 4, threads: 64}
	t.fit(quads, 9<<10)
	t.queries = t.threads / t.split
	return t
}

// choosePairTile chooses the tile for attention_pair.wgsl. A thread has at most eight vec4 of
// each of its queries, and at least two threads share them. The threads of a head have to be
// in one subgroup, however small the device's are. Heads that do not divide so have no tile.
// The more threads share a head, the larger is the workgroup, so that a tile serves at least 32
// queries, and the keys take no more than 5 KiB of workgroup memory for each 64 threads.
func choosePairTile(quads, subgroup int) (attentionTile, bool) {
	split := max(2, splitHead(quads, 8))
	if quads%split != 0 || quads/split > 8 || split > subgroup {
		return attentionTile{}, false
	}
	t := attentionTile{split: split, keys: 16, threads: 64 * max(1, split/4)}
	for t.keys > 1 && t.keys*quads*32 > min(t.threads/64*5, 10)<<10 {
		t.keys /= 2
	}
	t.run = min(8, t.keys)
	t.queries = 2 * t.threads / t.split
	return t, true
}

// chooseProductTile chooses the tile for attention_tile.wgsl. A thread has two vec4 of each of its
// four results, or four of a large head. A workgroup has 16 rows of threads, or fewer where that
// is more than 160 threads. Heads of an odd number of vec4 have no tile.
func chooseProductTile(quads int) (attentionTile, bool) {
	each := 2
	if quads > 64 {
		each = 4
	}
	t := attentionTile{split: quads / each}
	if quads%each != 0 || t.split > 32 {
		return attentionTile{}, false
	}
	rows := 16
	for rows > 4 && rows*t.split > 160 {
		rows /= 2
	}
	t.threads, t.keys, t.queries = rows*t.split, 4*t.split, 4*rows
	// The slabs and the runs take no more than 5 KiB of workgroup memory.
	t.depth, t.run = min(rows, t.split), rows
	for t.depth > 1 && t.depth*4*t.split*16 > 5<<10 {
		t.depth /= 2
	}
	for t.run > 4 && t.run*quads*16 > 5<<10 {
		t.run /= 2
	}
	return t, true
}

// splitHead returns the least power of two that leaves a thread at most that many vec4, as
// long as quads divides evenly.
func splitHead(quads, most int) int {
	split := 1
	for quads/split > most && split < 16 && quads%(2*split) == 0 {
		split *= 2
	}
	return split
}

// fit reduces the keys until they fit in that many bytes.
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
