// The same as attention.wgsl, which says what is computed, as two tiled matrix products: the
// scores of a tile of queries and keys, and then their weights times the values. A vec4 that is
// read from workgroup memory serves ten products on average, and a thread needs few registers,
// so that nothing is spilled on GPUs that have 128 for a thread.
//
// A workgroup's threads are ROWS by SPLIT. A thread has the scores of the four queries of its row
// and the four keys of its column, and of these queries' results every SPLIT-th vec4. Queries
// and keys pass through workgroup memory in slabs of DEPTH vec4 of a head, transposed, and the
// values in runs of RUN keys. The online softmax is updated once for each tile of KEYS.
//
// The loops over a slab, a run and a row of threads have ends that no compiler knows. Unrolled, they
// would need more registers.
//
// Constants: QUADS (vec4 of a result that a thread has), SPLIT, ROWS, DEPTH (at most ROWS and SPLIT),
// RUN (a multiple of 4, at most ROWS), THREADS (ROWS · SPLIT), CROSS and CAUSAL, as in attention.wgsl.

//needs prelude_attention
//needs prelude_attention_passes

const KEYS = 4u * SPLIT;    // of a tile
const QUERIES = 4u * ROWS;  // of a workgroup
const HEAD = QUADS * SPLIT; // vec4 per head
const FOURS = RUN / 4u;     // of the keys of a run

// The slab of queries, [vec4 of the head][its channel][query / 4], and afterwards the weights,
// [key / 4][key % 4][query / 4].
var<workgroup> left: array<array<array<vec4<f32>, ROWS>, 4>, max(SPLIT, DEPTH)>;
// The slab of keys, [vec4 of the head][its channel][key / 4], and afterwards the run of values,
// [i · FOURS + key / 4][key % 4][column]. Between the two it has what the threads of a row exchange.
var<workgroup> right: array<array<array<vec4<f32>, SPLIT>, 4>, max(max(DEPTH, QUADS * FOURS), (ROWS + 3u) / 4u)>;

// Each has the numbers of the thread's four queries. sum is first that of this thread's keys, and
// after a pass that of all.
var<private> highest: vec4<f32>;
var<private> sum: vec4<f32>;
var<private> acc: array<array<vec4<f32>, QUADS>, 4>;
// Where in q the four queries begin of which this thread loads a vec4 for each slab.
var<private> q_at: vec4<u32>;

// Shows a row of threads the vec4 of each.
fn show(v: vec4<f32>, x: u32, y: u32) {
    workgroupBarrier();
    right[y / 4u][y % 4u][x] = v;
    workgroupBarrier();
}

fn row_max(v: vec4<f32>, x: u32, y: u32) -> vec4<f32> {
    show(v, x, y);
    var m = right[y / 4u][y % 4u][0];
    for (var i = 1u; i < p.quads / QUADS; i++) { m = max(m, right[y / 4u][y % 4u][i]); }
    return m;
}

fn row_sum(v: vec4<f32>, x: u32, y: u32) -> vec4<f32> {
    show(v, x, y);
    var s = right[y / 4u][y % 4u][0];
    for (var i = 1u; i < p.quads / QUADS; i++) { s += right[y / 4u][y % 4u][i]; }
    return s;
}

fn scale_acc(by: vec4<f32>) {
    for (var n = 0u; n < 4u; n++) {
        for (var i = 0u; i < QUADS; i++) { acc[n][i] *= by[n]; }
    }
}

const FOUR = vec4<u32>(0u, 1u, 2u, 3u);

fn load(image: bool, at: u32) -> vec4<f32> {
    if CROSS && image { return act4(image_kv[at]); }
    return act4(kv[at]);
}

// The scores of the thread's four keys, each with its four queries.
fn scores(keys: Keys, key0: u32, t: u32) -> array<vec4<f32>, 4> {
    let x = t % SPLIT;
    let y = t / SPLIT;
    // Beyond the last key something else is read, whose score is masked, as beyond the last query,
    // of which nothing is written.
    let k_at = (keys.batch_at + key0 + 4u * x + FOUR) * keys.pitch + keys.k_at + y;
    var s: array<vec4<f32>, 4>;
    for (var n = 0u; n < 4u; n++) { s[n] = vec4<f32>(0.0); }
    for (var slab = 0u; slab < HEAD; slab += DEPTH) {
        workgroupBarrier();
        if t < ROWS * DEPTH {
            let m = transpose(mat4x4<f32>(act4(q[q_at.x + slab]), act4(q[q_at.y + slab]), act4(q[q_at.z + slab]), act4(q[q_at.w + slab])));
            for (var n = 0u; n < 4u; n++) { left[t / ROWS][n][t % ROWS] = m[n]; }
        }
        if y < DEPTH {
            let m = transpose(mat4x4<f32>(load(keys.image, k_at.x + slab), load(keys.image, k_at.y + slab), load(keys.image, k_at.z + slab), load(keys.image, k_at.w + slab)));
            for (var n = 0u; n < 4u; n++) { right[y][n][x] = m[n]; }
        }
        workgroupBarrier();
        let end = min(slab + DEPTH, p.quads);
        for (var quad = slab; quad < end; quad++) {
            for (var c = 0u; c < 4u; c++) {
                let a = left[quad - slab][c][y];
                let b = right[quad - slab][c][x];
                s[0] = fma(vec4<f32>(b.x), a, s[0]);
                s[1] = fma(vec4<f32>(b.y), a, s[1]);
                s[2] = fma(vec4<f32>(b.z), a, s[2]);
                s[3] = fma(vec4<f32>(b.w), a, s[3]);
            }
        }
    }
    for (var n = 0u; n < 4u; n++) { s[n] *= p.scale; }
    return s;
}

fn pass_keys(kind: u32, keys: Keys, row: u32, t: u32) {
    let x = t % SPLIT;
    let y = t / SPLIT;
    if kind != ADD {
        highest = vec4<f32>(LOWEST);
        sum = vec4<f32>(0.0);
    }
    if kind == WHOLE {
        for (var n = 0u; n < 4u; n++) {
            for (var i = 0u; i < QUADS; i++) { acc[n][i] = vec4<f32>(0.0); }
        }
    }
    for (var key0 = 0u; key0 < keys.count; key0 += KEYS) {
        var s = scores(keys, key0, t);
        for (var n = 0u; n < 4u; n++) {
            let key = key0 + 4u * x + n;
            if key >= keys.count { s[n] = vec4<f32>(LOWEST); }
            if CAUSAL { s[n] = select(s[n], vec4<f32>(LOWEST), vec4<u32>(key) > row + FOUR); }
        }
        let top = max(highest, row_max(max(max(s[0], s[1]), max(s[2], s[3])), x, y));
        for (var n = 0u; n < 4u; n++) { s[n] = exp2(s[n] - top); }
        if CROSS && kind == ADD {
            for (var n = 0u; n < 4u; n++) { s[n] *= sum; }
        } else {
            let rescale = exp2(highest - top);
            highest = top;
            sum = fma(sum, rescale, s[0] + s[1] + s[2] + s[3]);
            if CROSS && kind == WEIGH { continue; }
            scale_acc(rescale);
        }
        for (var n = 0u; n < 4u; n++) { left[x][n][y] = s[n]; }

        for (var run = 0u; run < min(KEYS, keys.count - key0); run += RUN) {
            workgroupBarrier();
            if y < RUN {
                let at = (keys.batch_at + min(key0 + run + y, keys.count - 1u)) * keys.pitch + keys.v_at + x;
                for (var i = 0u; i < QUADS; i++) { right[i * FOURS + y / 4u][y % 4u][x] = load(keys.image, at + i * SPLIT); }
            }
            workgroupBarrier();
            // Beyond the last key, the last one is read again, and its weight is 0.
            let first = run / 4u;
            let end = min(first + FOURS, (min(KEYS, keys.count - key0) + 3u) / 4u);
            for (var j = first; j < end; j++) {
                for (var n = 0u; n < 4u; n++) {
                    let e = left[j][n][y];
                    for (var i = 0u; i < QUADS; i++) {
                        let v = right[i * FOURS + j - first][n][x];
                        acc[0][i] = fma(vec4<f32>(e.x), v, acc[0][i]);
                        acc[1][i] = fma(vec4<f32>(e.y), v, acc[1][i]);
                        acc[2][i] = fma(vec4<f32>(e.z), v, acc[2][i]);
                        acc[3][i] = fma(vec4<f32>(e.w), v, acc[3][i]);
                    }
                }
            }
        }
    }
    if kind != ADD { sum = row_sum(sum, x, y); }
}

// Ends the pass over the words.
fn divide(t: u32) { scale_acc(1.0 / sum); }

// Replaces an image prompt's sums by the factors of its values.
fn weigh(weight: f32, mask: u32, row: u32) {
    for (var n = 0u; n < 4u; n++) { sum[n] = masked(weight / sum[n], mask, row + n); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row0 = group.x * QUERIES;
    let row = row0 + t / SPLIT * 4u;    // of the first of the thread's queries
    let head = group.y * HEAD;
    let batch = group.z;
    q_at = (batch * p.t_q + row0 + t % ROWS * 4u + FOUR) * p.q_pitch + p.q_at + head + t / ROWS;

    attend(row, head, batch, t);

    for (var n = 0u; n < 4u; n++) {
        if row + n < p.t_q {
            for (var i = 0u; i < QUADS; i++) { y[(batch * p.t_q + row + n) * p.y_pitch + head + t % SPLIT + i * SPLIT] = to_act4(acc[n][i]); }
        }
    }
}
