// Attention without a matrix of scores, and the IP-Adapter's decoupled cross-attention
// (Ye et al. 2023, section 3.2.2), in one kernel:
//
//   y = softmax(Q·Kᵗ)·V + Σ_i λ_i · mask_i · softmax(Q·K_iᵗ)·V_i
//
// Q is read once; the softmaxes are independent. Keys and values pass through
// workgroup memory in tiles of KEYS; a query's running maximum, sum and result stay in
// registers (online softmax, Milakov and Gimelshein 2018; as in FlashAttention), which
// are rescaled once a RUN of keys. A query's head is split over SPLIT threads, each with
// QUADS vec4 of it, so that heads of 80 and more fit the registers; their parts of a
// score meet in workgroup memory. A thread takes ROWS queries: on a CPU, where reading
// workgroup memory costs several products, one read serves them all.
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
// Constants: QUADS, SPLIT, KEYS, RUN (divides KEYS), ROWS, THREADS (a workgroup), CROSS,
// CAUSAL (key ≤ query), UNROLL: whether the loops over a head are unrolled; not on a
// CPU, whose compiler takes minutes for it.

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
    quads: u32,        // QUADS, where the compiler shall not know it
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

const QUERIES = THREADS / SPLIT;    // a row of them; a workgroup has ROWS
const HEAD = QUADS * SPLIT;         // vec4 a head
const LOWEST = -1e30;

var<workgroup> k_tile: array<vec4<f32>, KEYS * HEAD>;
var<workgroup> v_tile: array<vec4<f32>, KEYS * HEAD>;
var<workgroup> parts: array<f32, THREADS * ROWS * RUN>;

var<private> query: array<vec4<f32>, ROWS * QUADS>;
var<private> acc: array<vec4<f32>, ROWS * QUADS>;
var<private> sum: array<f32, ROWS>;

// Softmax(Q·Kᵗ)·V over count keys of one batch entry: acc becomes the weighted sum of
// the values, and sum that of the weights, by which it is yet to be divided.
fn attend(image: bool, batch_at: u32, pitch: u32, k_at: u32, v_at: u32, count: u32, row: u32, t: u32) {
    let part = t % SPLIT * QUADS;
    let quads = select(p.quads, QUADS, UNROLL);
    var highest: array<f32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        highest[r] = LOWEST;
        sum[r] = 0.0;
        for (var i = 0u; i < quads; i++) { acc[r * QUADS + i] = vec4<f32>(0.0); }
    }
    for (var key0 = 0u; key0 < count; key0 += KEYS) {
        let keys = min(KEYS, count - key0);
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

        for (var run = 0u; run < keys; run += RUN) {
            // Set by hand: without it, the scores of the run before were left here, under Dawn and lavapipe.
            var score: array<f32, ROWS * RUN>;
            for (var j = 0u; j < ROWS * RUN; j++) { score[j] = 0.0; }
            for (var i = 0u; i < quads; i++) {
                let at = run * HEAD + part + i;
                for (var j = 0u; j < RUN; j++) {
                    let k = k_tile[at + j * HEAD];
                    for (var r = 0u; r < ROWS; r++) {
                        let a = query[r * QUADS + i];
                        score[r * RUN + j] = fma(a.x, k.x, fma(a.y, k.y, fma(a.z, k.z, fma(a.w, k.w, score[r * RUN + j]))));
                    }
                }
            }
            if SPLIT > 1u {
                workgroupBarrier();
                for (var j = 0u; j < ROWS * RUN; j++) { parts[j * THREADS + t] = score[j]; }
                workgroupBarrier();
                for (var j = 0u; j < ROWS * RUN; j++) {
                    var s = 0.0;
                    for (var i = 0u; i < SPLIT; i++) { s += parts[j * THREADS + t - t % SPLIT + i]; }
                    score[j] = s;
                }
            }

            var rescale: array<f32, ROWS>;
            for (var r = 0u; r < ROWS; r++) {
                var top = highest[r];
                for (var j = 0u; j < RUN; j++) {
                    let key = key0 + run + j;
                    if key >= count || (CAUSAL && key > row + r * QUERIES) { score[r * RUN + j] = LOWEST; }
                    top = max(top, score[r * RUN + j]);
                }
                rescale[r] = exp2(highest[r] - top);
                highest[r] = top;
                sum[r] *= rescale[r];
                for (var j = 0u; j < RUN; j++) {
                    // A masked key stays out also where every key so far was masked.
                    let e = select(exp2(score[r * RUN + j] - top), 0.0, score[r * RUN + j] <= LOWEST);
                    sum[r] += e;
                    score[r * RUN + j] = e;
                }
            }
            for (var i = 0u; i < quads; i++) {
                let at = run * HEAD + part + i;
                var v: array<vec4<f32>, RUN>;
                for (var j = 0u; j < RUN; j++) { v[j] = v_tile[at + j * HEAD]; }
                for (var r = 0u; r < ROWS; r++) {
                    var a = acc[r * QUADS + i] * rescale[r];
                    for (var j = 0u; j < RUN; j++) { a = fma(vec4<f32>(score[r * RUN + j]), v[j], a); }
                    acc[r * QUADS + i] = a;
                }
            }
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = group.x * QUERIES * ROWS + t / SPLIT;
    let head = group.y * HEAD;
    let batch = group.z;
    let quads = select(p.quads, QUADS, UNROLL);
    let mine = head + t % SPLIT * QUADS;
    for (var r = 0u; r < ROWS; r++) {
        let at = (batch * p.t_q + min(row + r * QUERIES, p.t_q - 1u)) * p.q_pitch + p.q_at + mine;
        for (var i = 0u; i < quads; i++) { query[r * QUADS + i] = act4(q[at + i]) * p.scale; }
    }

    attend(false, batch * p.t_k, p.kv_pitch, p.k_at + head, p.v_at + head, p.t_k, row, t);
    var result: array<vec4<f32>, ROWS * QUADS>;
    for (var r = 0u; r < ROWS; r++) {
        for (var i = 0u; i < quads; i++) { result[r * QUADS + i] = acc[r * QUADS + i] / sum[r]; }
    }

    if CROSS {
        for (var prompt = 0u; prompt < p.prompts; prompt++) {
            let lambda = scales[step[0] * p.scale_row + p.scale_at + prompt];
            if lambda == 0.0 { continue; }
            let span = spans[prompt];
            attend(true, batch * p.image_tokens + span.x, p.image_pitch, head, p.image_v_at + head, span.y, row, t);
            for (var r = 0u; r < ROWS; r++) {
                var weight = lambda / sum[r];
                if span.z > 0u { weight *= masks[(span.z - 1u) * ((p.t_q + 3u) / 4u * 4u) + min(row + r * QUERIES, p.t_q - 1u)]; }
                for (var i = 0u; i < quads; i++) { result[r * QUADS + i] = fma(vec4<f32>(weight), acc[r * QUADS + i], result[r * QUADS + i]); }
            }
        }
    }

    for (var r = 0u; r < ROWS; r++) {
        let at = row + r * QUERIES;
        if at < p.t_q {
            for (var i = 0u; i < quads; i++) { y[(batch * p.t_q + at) * p.y_pitch + mine + i] = to_act4(result[r * QUADS + i]); }
        }
    }
}
