// Attention without a matrix of scores, and the IP-Adapter's decoupled cross-attention
// (Ye et al. 2023, section 3.2.2), in one kernel:
//
//   y = softmax(Q·Kᵗ)·V + Σ_i λ_i · mask_i · softmax(Q·K_iᵗ)·V_i
//
// Q is read once; the softmaxes are independent. Keys and values pass through
// workgroup memory in tiles of KEYS; a query's running maximum, sum and result stay in
// registers (online softmax, Milakov and Gimelshein 2018; as in FlashAttention). A
// query's head is split over SPLIT threads, each with QUADS vec4 of it, so that heads of
// 80 and more fit the registers; their parts of a score meet in workgroup memory.
// λ_i = 0 leaves the branch out: the result is the base model's, bit for bit.
//
//   q        [B, T_q, ..]   activations; a head's channels are contiguous
//   kv       [B, T_k, ..]   keys from channel 4·k_at on, values from 4·v_at
//   y        [B, T_q, C]
// With CROSS, image prompts i < p.prompts:
//   image_kv [B, ΣT_i, ..]  their keys and values, one prompt behind the other
//   spans    [prompts] vec4<u32>: first token, tokens, mask number + 1 or 0, unused
//   scales   [steps, scale_row] f32: λ of layer and prompt at scale_at + i; step [1] u32
//   masks    [masks, T_q] f32, or anything where no mask is used
//
// Constants: QUADS, SPLIT, KEYS, CROSS, CAUSAL (key ≤ query), UNROLL: whether the loops
// over a tile are unrolled; not on a CPU, whose compiler takes minutes for it.

struct Params {
    t_q: u32,
    t_k: u32,
    q_pitch: u32,      // in vec4, like all pitches and places
    q_at: u32,
    kv_pitch: u32,
    k_at: u32,
    v_at: u32,
    y_pitch: u32,
    image_tokens: u32, // ΣT_i
    image_pitch: u32,
    image_v_at: u32,
    prompts: u32,
    scale_row: u32,
    scale_at: u32,
    scale: f32,        // log2(e) / √d
    keys: u32,         // KEYS and QUADS, where the compiler shall not know them
    quads: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> q: array<Act4>;
@group(0) @binding(2) var<storage, read> kv: array<Act4>;
@group(0) @binding(3) var<storage, read_write> y: array<Act4>;
@group(0) @binding(4) var<storage, read> image_kv: array<Act4>;
@group(0) @binding(5) var<storage, read> spans: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> scales: array<f32>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read> masks: array<f32>;

const THREADS = 64u;
const QUERIES = THREADS / SPLIT;    // a workgroup
const HEAD = QUADS * SPLIT;         // vec4 a head
const LOWEST = -1e30;

var<workgroup> k_tile: array<vec4<f32>, KEYS * HEAD>;
var<workgroup> v_tile: array<vec4<f32>, KEYS * HEAD>;
var<workgroup> parts: array<f32, THREADS * KEYS>;

var<private> query: array<vec4<f32>, QUADS>;
var<private> acc: array<vec4<f32>, QUADS>;

// Softmax(Q·Kᵗ)·V over keys [first, first + count) of one batch entry, times weight,
// added to acc's owner by the caller; acc holds the unnormalised sum, and the sum of
// the weights is returned.
fn attend(image: bool, batch_at: u32, pitch: u32, k_at: u32, v_at: u32, count: u32, row: u32, t: u32) -> f32 {
    let part = t % SPLIT;
    let keys = select(p.keys, KEYS, UNROLL);
    let quads = select(p.quads, QUADS, UNROLL);
    var highest = LOWEST;
    var sum = 0.0;
    for (var i = 0u; i < quads; i++) { acc[i] = vec4<f32>(0.0); }
    for (var key0 = 0u; key0 < count; key0 += KEYS) {
        workgroupBarrier();
        for (var j = t; j < KEYS * HEAD; j += THREADS) {
            let key = key0 + j / HEAD;
            var k = vec4<f32>(0.0);
            var v = vec4<f32>(0.0);
            if key < count {
                let at = (batch_at + key) * pitch + j % HEAD;
                if CROSS && image {
                    k = act4(image_kv[at + k_at]);
                    v = act4(image_kv[at + v_at]);
                } else {
                    k = act4(kv[at + k_at]);
                    v = act4(kv[at + v_at]);
                }
            }
            k_tile[j] = k;
            v_tile[j] = v;
        }
        workgroupBarrier();

        var score: array<f32, KEYS>;
        for (var j = 0u; j < keys; j++) {
            var s = vec4<f32>(0.0);
            for (var i = 0u; i < quads; i++) { s = fma(query[i], k_tile[j * HEAD + part * QUADS + i], s); }
            score[j] = s.x + s.y + s.z + s.w;
        }
        if SPLIT > 1u {
            for (var j = 0u; j < keys; j++) { parts[j * THREADS + t] = score[j]; }
            workgroupBarrier();
            for (var j = 0u; j < keys; j++) {
                var s = 0.0;
                for (var i = 0u; i < SPLIT; i++) { s += parts[j * THREADS + t - part + i]; }
                score[j] = s;
            }
        }

        var top = highest;
        for (var j = 0u; j < keys; j++) {
            let masked = key0 + j >= count || (CAUSAL && key0 + j > row);
            score[j] = select(score[j], LOWEST, masked);
            top = max(top, score[j]);
        }
        let rescale = exp2(highest - top);
        highest = top;
        sum *= rescale;
        for (var i = 0u; i < quads; i++) { acc[i] *= rescale; }
        for (var j = 0u; j < keys; j++) {
            // A masked key stays out also where every key so far was masked.
            let e = select(exp2(score[j] - top), 0.0, score[j] <= LOWEST);
            sum += e;
            for (var i = 0u; i < quads; i++) { acc[i] = fma(vec4<f32>(e), v_tile[j * HEAD + part * QUADS + i], acc[i]); }
        }
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = group.x * QUERIES + t / SPLIT;
    let clamped = min(row, p.t_q - 1u);
    let head = group.y * HEAD;
    let batch = group.z;
    let mine = head + t % SPLIT * QUADS;
    for (var i = 0u; i < QUADS; i++) {
        query[i] = act4(q[(batch * p.t_q + clamped) * p.q_pitch + p.q_at + mine + i]) * p.scale;
    }

    let sum = attend(false, batch * p.t_k, p.kv_pitch, p.k_at + head, p.v_at + head, p.t_k, clamped, t);
    var result: array<vec4<f32>, QUADS>;
    for (var i = 0u; i < QUADS; i++) { result[i] = acc[i] / sum; }

    if CROSS {
        for (var prompt = 0u; prompt < p.prompts; prompt++) {
            let lambda = scales[step[0] * p.scale_row + p.scale_at + prompt];
            if lambda == 0.0 { continue; }
            let span = spans[prompt];
            let total = attend(true, batch * p.image_tokens + span.x, p.image_pitch, head, p.image_v_at + head, span.y, clamped, t);
            var weight = lambda;
            if span.z > 0u { weight *= masks[(span.z - 1u) * ((p.t_q + 3u) / 4u * 4u) + clamped]; }
            for (var i = 0u; i < QUADS; i++) { result[i] = fma(vec4<f32>(weight / total), acc[i], result[i]); }
        }
    }

    if row >= p.t_q { return; }
    for (var i = 0u; i < QUADS; i++) {
        y[(batch * p.t_q + row) * p.y_pitch + mine + i] = to_act4(result[i]);
    }
}
