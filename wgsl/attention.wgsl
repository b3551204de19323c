// Attention without a matrix of scores, and the IP-Adapter's decoupled cross-attention
// (Ye et al. 2023, section 3.2.2), in one kernel:
//
//   y = softmax(Q·Kᵗ)·V + Σ_i λ_i · mask_i · softmax(Q·K_iᵗ)·V_i
//
// Q is read once, and the softmaxes are independent. Keys and values pass through workgroup
// memory in tiles of KEYS. A query's running maximum, sum and result stay in registers
// (online softmax, Milakov and Gimelshein 2018, as in FlashAttention) and are rescaled once
// for each RUN of keys.
//
// An image prompt is short, so its keys are read twice: first for the maximum and the sum,
// then to add its weighted values to the result for the words. That saves the registers
// for a second result. If λ_i is 0 the branch is left out, and the result is the base
// model's, bit for bit.
//
// A query's head is split over SPLIT threads, each with QUADS vec4 of it, so that heads of
// 80 channels and more fit in registers. Their parts of a score are added up in workgroup
// memory.
//
// attention_cpu.wgsl computes the same on a processor that emulates a GPU.
//
//   q        [B, T_q, ..]   activations; the channels of a head are contiguous
//   kv       [B, T_k, ..]   keys from channel 4·k_at on, values from channel 4·v_at on
//   y        [B, T_q, C]
// With CROSS, for image prompts i < p.prompts (otherwise these are bound to any buffer):
//   image_kv [B, ΣT_i, ..]  their keys and values, one prompt after another
//   spans    [prompts] vec4<u32>: first token, number of tokens, 1 + mask (0: none), unused
//   lambda   [steps, lambda_row] f32: λ of prompt i in this layer at lambda_at + i
//   step     [1] u32
//   masks    [masks, T_q] f32, or any buffer if no mask is used
//
// Constants: QUADS, SPLIT, KEYS, RUN (a divisor of KEYS), THREADS (of a workgroup), CROSS
// (there are image prompts), CAUSAL (a query sees only keys up to its own position).

//needs prelude_attention
//needs prelude_attention_passes

const QUERIES = THREADS / SPLIT;    // queries of a workgroup
const HEAD = QUADS * SPLIT;         // vec4 per head

// The threads that share a head have every SPLIT-th vec4 of it. The arrays are nested, so that
// the loops over QUADS and RUN leave no index to be clamped.
var<workgroup> k_tile: array<array<array<vec4<f32>, SPLIT>, QUADS>, KEYS>;
var<workgroup> v_tile: array<array<array<vec4<f32>, SPLIT>, QUADS>, KEYS>;
var<workgroup> parts: array<array<f32, select(1u, THREADS, SPLIT > 1u)>, RUN>;

var<private> query: array<vec4<f32>, QUADS>;
var<private> acc: array<vec4<f32>, QUADS>;
var<private> highest: f32;
var<private> sum: f32;

fn pass_keys(kind: u32, keys: Keys, row: u32, t: u32) {
    let lane = t % SPLIT;
    if kind != ADD {
        highest = LOWEST;
        sum = 0.0;
    }
    if kind == WHOLE {
        for (var i = 0u; i < QUADS; i++) { acc[i] = vec4<f32>(0.0); }
    }
    for (var key0 = 0u; key0 < keys.count; key0 += KEYS) {
        workgroupBarrier();
        for (var j = t; j < KEYS * HEAD; j += THREADS) {
            let key = key0 + j / HEAD;
            var k = vec4<f32>(0.0);
            var v = vec4<f32>(0.0);
            if key < keys.count {
                let at = (keys.batch_at + key) * keys.pitch + j % HEAD;
                if CROSS && keys.image {
                    k = act4(image_kv[at + keys.k_at]);
                    v = act4(image_kv[at + keys.v_at]);
                } else {
                    k = act4(kv[at + keys.k_at]);
                    v = act4(kv[at + keys.v_at]);
                }
            }
            k_tile[j / HEAD][j % HEAD / SPLIT][j % SPLIT] = k;
            v_tile[j / HEAD][j % HEAD / SPLIT][j % SPLIT] = v;
        }
        workgroupBarrier();

        for (var run = 0u; run < min(KEYS, keys.count - key0); run += RUN) {
            // Cleared explicitly: Dawn with lavapipe left the scores of the previous run here.
            var score: array<f32, RUN>;
            for (var j = 0u; j < RUN; j++) { score[j] = 0.0; }
            for (var i = 0u; i < QUADS; i++) {
                let a = query[i];
                for (var j = 0u; j < RUN; j++) {
                    let k = k_tile[run + j][i][lane];
                    score[j] = fma(a.x, k.x, fma(a.y, k.y, fma(a.z, k.z, fma(a.w, k.w, score[j]))));
                }
            }
            if SPLIT > 1u {
                workgroupBarrier();
                for (var j = 0u; j < RUN; j++) { parts[j][t] = score[j]; }
                workgroupBarrier();
                for (var j = 0u; j < RUN; j++) {
                    var s = 0.0;
                    for (var i = 0u; i < SPLIT; i++) { s += parts[j][t - lane + i]; }
                    score[j] = s;
                }
            }

            var top = highest;
            for (var j = 0u; j < RUN; j++) {
                let key = key0 + run + j;
                if key >= keys.count || (CAUSAL && key > row) { score[j] = LOWEST; }
                top = max(top, score[j]);
            }
            var e_sum = 0.0;
            for (var j = 0u; j < RUN; j++) {
                // A masked key counts nothing, even if all keys so far were masked.
                let e = select(exp2(score[j] - top), 0.0, score[j] <= LOWEST);
                e_sum += e;
                score[j] = e;
            }
            var rescale = 1.0;
            if CROSS && kind == ADD {
                for (var j = 0u; j < RUN; j++) { score[j] *= sum; }
            } else {
                rescale = exp2(highest - top);
                highest = top;
                sum = fma(sum, rescale, e_sum);
            }
            if CROSS && kind == WEIGH { continue; }
            for (var i = 0u; i < QUADS; i++) {
                var a = acc[i] * rescale;
                for (var j = 0u; j < RUN; j++) { a = fma(vec4<f32>(score[j]), v_tile[run + j][i][lane], a); }
                acc[i] = a;
            }
        }
    }
}

// Ends the pass over the words.
fn divide(t: u32) {
    for (var i = 0u; i < QUADS; i++) { acc[i] = acc[i] / sum; }
}

// Replaces an image prompt's sum by the factor of its values.
fn weigh(weight: f32, mask: u32, row: u32) { sum = masked(weight / sum, mask, row); }

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = group.x * QUERIES + t / SPLIT;
    let head = group.y * HEAD;
    let batch = group.z;
    let mine = head + t % SPLIT;
    let q_at = (batch * p.t_q + min(row, p.t_q - 1u)) * p.q_pitch + p.q_at + mine;
    for (var i = 0u; i < QUADS; i++) { query[i] = act4(q[q_at + i * SPLIT]) * p.scale; }

    attend(row, head, batch, t);    // calls pass_keys for the words, then for each image prompt

    if row < p.t_q {
        for (var i = 0u; i < QUADS; i++) { y[(batch * p.t_q + row) * p.y_pitch + mine + i * SPLIT] = to_act4(acc[i]); }
    }
}
