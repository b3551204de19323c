// The same as attention.wgsl, which says what is computed, with two queries to a thread. A
// value that is read from workgroup memory is then used twice, and that memory is what limits
// attention on most GPUs.
//
// Two queries are shared by SPLIT threads that are neighbours in a subgroup, each with QUADS
// vec4 of both heads. Their parts of the scores are added up by exchanges between them, with
// no barrier. An even thread ends with the score of the first query and an odd one with that
// of the second, so that each keeps one running maximum and one sum.
//
// The result is rescaled only when a score exceeds the maximum that is in use by more than
// SLACK powers of two. Until then weights may be that much greater than 1, which changes
// nothing in f32.
//
// Constants: QUADS, SPLIT (2, 4, 8 or 16, at most the size of a subgroup), KEYS, RUN (a
// divisor of KEYS), THREADS, CROSS and CAUSAL, as in attention.wgsl.

//needs subgroups
//needs prelude_attention
//needs prelude_attention_passes

const QUERIES = THREADS / SPLIT * 2u;
const HEAD = QUADS * SPLIT;
const SLACK = 8.0;

// What one of the threads that share a head has of a tile. The threads come first in the tiles,
// so that the rest of an index is constant but for run, and compilers put it into the loads. The
// last vec4 keeps the threads in different banks of workgroup memory.
struct Part {
    runs: array<array<array<vec4<f32>, QUADS>, RUN>, KEYS / RUN>,
    unused: vec4<f32>,
}

var<workgroup> k_tile: array<Part, SPLIT>;
var<workgroup> v_tile: array<Part, SPLIT>;

var<private> query: array<array<vec4<f32>, QUADS>, 2>;
var<private> acc: array<array<vec4<f32>, QUADS>, 2>;
var<private> highest: f32;    // of this thread's query, as are the sum and the weights
var<private> sum: f32;

// A value of the even thread's and of the odd thread's query, in both threads.
fn of_both(mine: f32, odd: bool) -> vec2<f32> {
    let other = quadSwapX(mine);
    return select(vec2<f32>(mine, other), vec2<f32>(other, mine), odd);
}

// Adds up the parts of two scores. The result is this thread's query's.
fn add_parts(a: f32, b: f32, odd: bool) -> f32 {
    var s = select(a, b, odd) + quadSwapX(select(b, a, odd));
    if SPLIT >= 4u { s += quadSwapY(s); }
    if SPLIT >= 8u { s += subgroupShuffleXor(s, 4u); }
    if SPLIT >= 16u { s += subgroupShuffleXor(s, 8u); }
    return s;
}

fn dot4(a: vec4<f32>, k: vec4<f32>, s: f32) -> f32 { return fma(a.x, k.x, fma(a.y, k.y, fma(a.z, k.z, fma(a.w, k.w, s)))); }

fn scale_acc(by: f32, odd: bool) {
    let both = of_both(by, odd);
    for (var i = 0u; i < QUADS; i++) {
        acc[0][i] *= both.x;
        acc[1][i] *= both.y;
    }
}

fn pass_keys(kind: u32, keys: Keys, row: u32, t: u32) {
    let lane = t % SPLIT;
    let odd = t % 2u == 1u;
    let row0 = row / 2u * 2u;    // of the first query
    if kind != ADD {
        highest = LOWEST;
        sum = 0.0;
    }
    if kind == WHOLE {
        for (var i = 0u; i < QUADS; i++) {
            acc[0][i] = vec4<f32>(0.0);
            acc[1][i] = vec4<f32>(0.0);
        }
    }
    for (var key0 = 0u; key0 < keys.count; key0 += KEYS) {
        workgroupBarrier();
        // Beyond the last key, the last one is read again, and its score is masked.
        for (var j = t; j < KEYS * HEAD; j += THREADS) {
            let at = (keys.batch_at + min(key0 + j / HEAD, keys.count - 1u)) * keys.pitch + j % HEAD;
            var k: vec4<f32>;
            var v: vec4<f32>;
            if CROSS && keys.image {
                k = act4(image_kv[at + keys.k_at]);
                v = act4(image_kv[at + keys.v_at]);
            } else {
                k = act4(kv[at + keys.k_at]);
                v = act4(kv[at + keys.v_at]);
            }
            k_tile[j % SPLIT].runs[j / HEAD / RUN][j / HEAD % RUN][j % HEAD / SPLIT] = k;
            v_tile[j % SPLIT].runs[j / HEAD / RUN][j / HEAD % RUN][j % HEAD / SPLIT] = v;
        }
        workgroupBarrier();

        for (var run = 0u; run < KEYS / RUN; run++) {
            let first = key0 + run * RUN;
            if first >= keys.count { break; }
            var score: array<f32, RUN>;
            var top = highest;
            for (var j = 0u; j < RUN; j++) {
                // A masked key's score begins at LOWEST, which its products leave almost as low.
                let key = first + j;
                var a = select(0.0, LOWEST, key >= keys.count || (CAUSAL && key > row0));
                var b = select(0.0, LOWEST, key >= keys.count || (CAUSAL && key > row0 + 1u));
                for (var i = 0u; i < QUADS; i++) {
                    let k = k_tile[lane].runs[run][j][i];
                    a = dot4(query[0][i], k, a);
                    b = dot4(query[1][i], k, b);
                }
                score[j] = add_parts(a, b, odd);
                top = max(top, score[j]);
            }
            if !(CROSS && kind == ADD) && subgroupAny(top > highest + SLACK) {
                let rescale = exp2(highest - top);
                highest = top;
                sum *= rescale;
                if !(CROSS && kind == WEIGH) { scale_acc(rescale, odd); }
            }
            for (var j = 0u; j < RUN; j++) {
                var e = exp2(score[j] - highest);
                if CROSS && kind == ADD {
                    e *= sum;
                } else {
                    sum += e;
                }
                if CROSS && kind == WEIGH { continue; }
                let both = of_both(e, odd);
                for (var i = 0u; i < QUADS; i++) {
                    let v = v_tile[lane].runs[run][j][i];
                    acc[0][i] = fma(vec4<f32>(both.x), v, acc[0][i]);
                    acc[1][i] = fma(vec4<f32>(both.y), v, acc[1][i]);
                }
            }
        }
    }
}

// Ends the pass over the words.
fn divide(t: u32) { scale_acc(1.0 / sum, t % 2u == 1u); }

// Replaces an image prompt's sum by the factor of its values.
fn weigh(weight: f32, mask: u32, row: u32) { sum = masked(weight / sum, mask, row); }

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row0 = group.x * QUERIES + t / SPLIT * 2u;
    let row = row0 + t % 2u;    // of this thread's maximum and sum
    let head = group.y * HEAD;
    let batch = group.z;
    let mine = head + t % SPLIT;
    for (var n = 0u; n < 2u; n++) {
        let q_at = (batch * p.t_q + min(row0 + n, p.t_q - 1u)) * p.q_pitch + p.q_at + mine;
        for (var i = 0u; i < QUADS; i++) { query[n][i] = act4(q[q_at + i * SPLIT]) * p.scale; }
    }

    attend(row, head, batch, t);

    for (var n = 0u; n < 2u; n++) {
        if row0 + n < p.t_q {
            for (var i = 0u; i < QUADS; i++) { y[(batch * p.t_q + row0 + n) * p.y_pitch + mine + i * SPLIT] = to_act4(acc[n][i]); }
        }
    }
}
