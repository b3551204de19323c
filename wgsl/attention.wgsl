// Attention without a matrix of scores, and the IP-Adapter's decoupled cross-attention
// (Ye et al. 2023, section 3.2.2), in one kernel:
//
//   y = softmax(Q·Kᵗ)·V + Σ_i λ_i · mask_i · softmax(Q·K_iᵗ)·V_i
//
// Q is read once; the softmaxes are independent. Keys and values pass through
// workgroup memory in tiles of KEYS; a query's running maximum, sum and result stay in
// registers (online softmax, Milakov and Gimelshein 2018; as in FlashAttention), which
// are rescaled once a RUN of keys. An image prompt is short: its keys are passed twice,
// first for the maximum and the sum, then to add its values, weighted, to the words'
// result, so that no second result has to be kept. λ_i = 0 leaves the branch out: the
// result is the base model's, bit for bit.
// A query's head is split over SPLIT threads, each with QUADS vec4 of it, so that heads
// of 80 and more fit the registers; their parts of a score meet in workgroup memory. A
// thread takes ROWS queries: on a CPU, where reading workgroup memory costs several
// products, one read serves them all.
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
// CPU, whose compiler takes minutes for it. There QUADS is only the most that a thread
// can have, CROSS is true and p.causal says what CAUSAL does, so that heads of all sizes
// share a pipeline.

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
    quads: u32,        // vec4 of a head that a thread has, where the compiler shall not know it
    causal: u32,
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
const LOWEST = -1e30;

var<workgroup> k_tile: array<vec4<f32>, KEYS * QUADS * SPLIT>;
var<workgroup> v_tile: array<vec4<f32>, KEYS * QUADS * SPLIT>;
var<workgroup> parts: array<f32, select(1u, THREADS * ROWS * RUN, SPLIT > 1u)>;

var<private> query: array<vec4<f32>, select(1u, ROWS * QUADS, UNROLL)>;
var<private> query_at: array<u32, ROWS>;
var<private> acc: array<vec4<f32>, ROWS * QUADS>;
var<private> highest: array<f32, ROWS>;
var<private> sum: array<f32, ROWS>;

// On a CPU a query is read where it lies: its compiler takes seconds for an array of them.
fn query_quad(r: u32, i: u32) -> vec4<f32> {
    if UNROLL { return query[r * QUADS + i]; }
    return act4(q[query_at[r] + i]) * p.scale;
}

fn quads() -> u32 { return select(p.quads, QUADS, UNROLL); }

// What a pass over the keys does.
const WHOLE = 0u;    // softmax(Q·Kᵗ)·V into acc, yet to be divided by sum
const WEIGH = 1u;    // the maximum and the sum only
const ADD = 2u;      // add the values to acc, where highest is known and sum a factor of the weights

struct Keys {
    image: bool,
    batch_at: u32,    // tokens
    pitch: u32,
    k_at: u32,
    v_at: u32,
    count: u32,
}

fn pass_keys(kind: u32, keys: Keys, row: u32, t: u32) {
    let quads = quads();
    let head = quads * SPLIT;
    let part = t % SPLIT * quads;
    if kind != ADD {
        for (var r = 0u; r < ROWS; r++) {
            highest[r] = LOWEST;
            sum[r] = 0.0;
        }
    }
    if kind == WHOLE {
        for (var i = 0u; i < ROWS * quads; i++) { acc[i] = vec4<f32>(0.0); }
    }
    for (var key0 = 0u; key0 < keys.count; key0 += KEYS) {
        workgroupBarrier();
        for (var j = t; j < KEYS * head; j += THREADS) {
            let key = key0 + j / head;
            var k = vec4<f32>(0.0);
            var v = vec4<f32>(0.0);
            if key < keys.count {
                let at = (keys.batch_at + key) * keys.pitch + j % head;
                if CROSS && keys.image {
                    k = act4(image_kv[at + keys.k_at]);
                    v = act4(image_kv[at + keys.v_at]);
                } else {
                    k = act4(kv[at + keys.k_at]);
                    v = act4(kv[at + keys.v_at]);
                }
            }
            k_tile[j] = k;
            v_tile[j] = v;
        }
        workgroupBarrier();

        for (var run = 0u; run < min(KEYS, keys.count - key0); run += RUN) {
            // Set by hand: without it, the scores of the run before were left here, under Dawn and lavapipe.
            var score: array<f32, ROWS * RUN>;
            for (var j = 0u; j < ROWS * RUN; j++) { score[j] = 0.0; }
            for (var i = 0u; i < quads; i++) {
                let at = run * head + part + i;
                for (var j = 0u; j < RUN; j++) {
                    let k = k_tile[at + j * head];
                    for (var r = 0u; r < ROWS; r++) {
                        let a = query_quad(r, i);
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
                    if key >= keys.count || (select(p.causal != 0u, CAUSAL, UNROLL) && key > row + r * QUERIES) { score[r * RUN + j] = LOWEST; }
                    top = max(top, score[r * RUN + j]);
                }
                var e_sum = 0.0;
                for (var j = 0u; j < RUN; j++) {
                    // A masked key stays out also where every key so far was masked.
                    let e = select(exp2(score[r * RUN + j] - top), 0.0, score[r * RUN + j] <= LOWEST);
                    e_sum += e;
                    score[r * RUN + j] = e;
                }
                rescale[r] = 1.0;
                if CROSS && kind == ADD {
                    for (var j = 0u; j < RUN; j++) { score[r * RUN + j] *= sum[r]; }
                } else {
                    rescale[r] = exp2(highest[r] - top);
                    highest[r] = top;
                    sum[r] = fma(sum[r], rescale[r], e_sum);
                }
            }
            if CROSS && kind == WEIGH { continue; }
            for (var i = 0u; i < quads; i++) {
                let at = run * head + part + i;
                var v: array<vec4<f32>, RUN>;
                for (var j = 0u; j < RUN; j++) { v[j] = v_tile[at + j * head]; }
                for (var r = 0u; r < ROWS; r++) {
                    var a = acc[r * quads + i] * rescale[r];
                    for (var j = 0u; j < RUN; j++) { a = fma(vec4<f32>(score[r * RUN + j]), v[j], a); }
                    acc[r * quads + i] = a;
                }
            }
        }
    }
}

fn divide() {
    for (var r = 0u; r < ROWS; r++) {
        for (var i = 0u; i < quads(); i++) { acc[r * quads() + i] = acc[r * quads() + i] / sum[r]; }
    }
}

// An image prompt's factor of every value, in the place of its sum.
fn weigh(lambda: f32, mask: u32, row: u32) {
    for (var r = 0u; r < ROWS; r++) {
        var weight = lambda / sum[r];
        if mask > 0u { weight *= masks[(mask - 1u) * ((p.t_q + 3u) / 4u * 4u) + min(row + r * QUERIES, p.t_q - 1u)]; }
        sum[r] = weight;
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let quads = quads();
    let row = group.x * QUERIES * ROWS + t / SPLIT;
    let head = group.y * quads * SPLIT;
    let batch = group.z;
    let mine = head + t % SPLIT * quads;
    for (var r = 0u; r < ROWS; r++) {
        let at = (batch * p.t_q + min(row + r * QUERIES, p.t_q - 1u)) * p.q_pitch + p.q_at + mine;
        query_at[r] = at;
        if UNROLL {
            for (var i = 0u; i < quads; i++) { query[r * quads + i] = act4(q[at + i]) * p.scale; }
        }
    }

    let words = Keys(false, batch * p.t_k, p.kv_pitch, p.k_at + head, p.v_at + head, p.t_k);
    if CROSS {
        // One loop, so that a pass is compiled once: the words', then two for every image prompt.
        for (var n = 0u; n < 1u + 2u * p.prompts; n++) {
            var kind = WHOLE;
            var keys = words;
            if n > 0u {
                let prompt = (n - 1u) / 2u;
                let lambda = scales[step[0] * p.scale_row + p.scale_at + prompt];
                if lambda == 0.0 { continue; }
                let span = spans[prompt];
                keys = Keys(true, batch * p.image_tokens + span.x, p.image_pitch, head, p.image_v_at + head, span.y);
                kind = select(ADD, WEIGH, n % 2u == 1u);
                if kind == ADD { weigh(lambda, span.z, row); }
            }
            pass_keys(kind, keys, row, t);
            if n == 0u { divide(); }
        }
    } else {
        pass_keys(WHOLE, words, row, t);
        divide();
    }

    for (var r = 0u; r < ROWS; r++) {
        let at = row + r * QUERIES;
        if at < p.t_q {
            for (var i = 0u; i < quads; i++) { y[(batch * p.t_q + at) * p.y_pitch + mine + i] = to_act4(acc[r * quads + i]); }
        }
    }
}
