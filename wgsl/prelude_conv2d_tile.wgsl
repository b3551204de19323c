// What the kernels of a convolution for a GPU share, which is all but the type of a tile's
// numbers in workgroup memory. A kernel declares that (Tile4, tile_act4 and tile_weight4) and
// where sums go after half of a pass (halfway, which rolled products leave out), after each pass
// (flush) and at the end (total). conv2d.wgsl says what is computed.
//
// The products are in main itself, because the compiler of WGSL knows only there that the
// thread's indices are less than 8, and need not be clamped.

// How the buffers of prelude_conv2d.wgsl are read.
alias InputVector = Act4;
alias WeightVector = Weight4;
alias F32Vector = vec4<f32>;
alias ResidualVector = Act4;
alias OutVector = Out;

const TILE_M = 32u * MV;
const TILE_N = 32u * NV;
const B_LOADS = 2u * NV;    // vec4 of w that a thread loads in a pass

const A = 8u * MV;          // vec4 in a row of a_tile
const B = 8u * NV;          // and of b_tile
const A1 = 8u * (MV - 1u);  // from a thread's first vec4 in a row to its second
const B1 = 8u * (NV - 1u);

// Sums for blocks of 4 pixels by 4 channels. Pixel i of a block is at
// 4 · (MV block · NV + NV block) + i. A kernel says what a Tile4 is.
const RESULTS = 4u * MV * NV;
alias Acc = array<vec4<f32>, RESULTS>;
alias Sums = array<Tile4, RESULTS>;

var<workgroup> a_tile: array<Tile4, BK * A>;   // [k][pixel / 4]
var<workgroup> b_tile: array<Tile4, BK * B>;   // [k][channel / 4]

// Where a thread loads its part of a pass: vec4 of four pixels of x (and of x2), and of w.
struct Place {
    x: vec4<u32>,
    x2: vec4<u32>,
    w: u32,
}

// What it loads, as it is in memory.
struct Loaded {
    x: array<Act4, 4>,
    w: array<Weight4, B_LOADS>,
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
        @builtin(local_invocation_index) t: u32) {
    let m0 = group.x * TILE_M;
    let n0 = group.y * (TILE_N / 4u);
    let lx = local.x;
    let ly = local.y;

    // 1. The four pixels whose channels this thread loads. With MV = 1, half of the threads
    //    load.
    let quad = t % (BK / 4u);
    let pixels = t / (BK / 4u);
    let loads = pixels < A;
    let to = quad * 4u * A + pixels;
    let phase = group.z / p.slices;
    let slice = group.z % p.slices;
    var starts: array<Start, 4>;
    for (var i = 0u; i < 4u; i++) {
        starts[i] = start(m0 + pixels * 4u + i);
        starts[i].top += i32(phase / 2u);
        starts[i].left += i32(phase % 2u * p.phase_step);
    }

    // 2. The passes of this workgroup, and where the first of them loads.
    let c_quads = p.c1_quads + p.c2_quads;
    let taps = p.ksize * p.ksize;
    let tap_passes = (c_quads + BK / 4u - 1u) / (BK / 4u);
    let first = slice * p.slice_passes;
    let last = min(first + p.slice_passes, taps * tap_passes);
    let w_column = (phase * taps * c_quads * 4u + t / B) * p.w_quads + n0 + t % B;
    var tap = first / tap_passes;
    var q = first % tap_passes * (BK / 4u) + quad;
    var source = tap_pixels(&starts, tap);
    var at = place_of(source, quad, tap, w_column);
    at.x += q - quad;
    at.x2 += q - quad;
    at.w += (q - quad) * 4u * p.w_quads;
    var next: Loaded;
    if EARLY { next = load(at, q); }

    var sums: Sums;
    var acc: Acc;
    for (var n_pass = first; n_pass < last; tap++) {
        // 3. Where the next tap loads. After the last one there is nothing, and it loads once more.
        let after_tap = min(tap + 1u, taps - 1u);
        let after = tap_pixels(&starts, after_tap);
        let after_at = place_of(after, quad, after_tap, w_column);
        let tap_end = min(last, (tap + 1u) * tap_passes);
        for (; n_pass < tap_end; n_pass++) {
            // 4. The pass's channels of x, transposed, and its rows of w. What is outside the
            //    border, or beyond the last channel, counts as zero.
            if !EARLY { next = load(at, q); }
            if loads {
                let ends = q >= c_quads;
                let v0 = select(tile_act4(next.x[0]), Tile4(), ends || source.x < 0);
                let v1 = select(tile_act4(next.x[1]), Tile4(), ends || source.y < 0);
                let v2 = select(tile_act4(next.x[2]), Tile4(), ends || source.z < 0);
                let v3 = select(tile_act4(next.x[3]), Tile4(), ends || source.w < 0);
                a_tile[to] = Tile4(v0.x, v1.x, v2.x, v3.x);
                a_tile[to + A] = Tile4(v0.y, v1.y, v2.y, v3.y);
                a_tile[to + 2u * A] = Tile4(v0.z, v1.z, v2.z, v3.z);
                a_tile[to + 3u * A] = Tile4(v0.w, v1.w, v2.w, v3.w);
            }
            for (var i = 0u; i < B_LOADS; i++) { b_tile[t + 64u * i] = tile_weight4(next.w[i]); }
            workgroupBarrier();

            // 5. The next pass's loads, which are under way during this pass's products.
            q += BK / 4u;
            at.x += BK / 4u;
            at.x2 += BK / 4u;
            at.w += BK * p.w_quads;
            if EARLY {
                if n_pass + 1u == tap_end {
                    at = after_at;
                    q = quad;
                }
                next = load(at, q);
            }

            // 6. The products.
            if ROLLED {
                for (var k = 0u; k < BK; k++) {
                    products(a_tile[k * A + ly], a_tile[k * A + A1 + ly], b_tile[k * B + lx], b_tile[k * B + B1 + lx], &sums);
                }
            } else {
                products(a_tile[0u * A + ly], a_tile[0u * A + A1 + ly], b_tile[0u * B + lx], b_tile[0u * B + B1 + lx], &sums);
                products(a_tile[1u * A + ly], a_tile[1u * A + A1 + ly], b_tile[1u * B + lx], b_tile[1u * B + B1 + lx], &sums);
                products(a_tile[2u * A + ly], a_tile[2u * A + A1 + ly], b_tile[2u * B + lx], b_tile[2u * B + B1 + lx], &sums);
                products(a_tile[3u * A + ly], a_tile[3u * A + A1 + ly], b_tile[3u * B + lx], b_tile[3u * B + B1 + lx], &sums);
                products(a_tile[4u * A + ly], a_tile[4u * A + A1 + ly], b_tile[4u * B + lx], b_tile[4u * B + B1 + lx], &sums);
                products(a_tile[5u * A + ly], a_tile[5u * A + A1 + ly], b_tile[5u * B + lx], b_tile[5u * B + B1 + lx], &sums);
                products(a_tile[6u * A + ly], a_tile[6u * A + A1 + ly], b_tile[6u * B + lx], b_tile[6u * B + B1 + lx], &sums);
                products(a_tile[7u * A + ly], a_tile[7u * A + A1 + ly], b_tile[7u * B + lx], b_tile[7u * B + B1 + lx], &sums);
                halfway(&sums, &acc);
                products(a_tile[8u * A + ly], a_tile[8u * A + A1 + ly], b_tile[8u * B + lx], b_tile[8u * B + B1 + lx], &sums);
                products(a_tile[9u * A + ly], a_tile[9u * A + A1 + ly], b_tile[9u * B + lx], b_tile[9u * B + B1 + lx], &sums);
                products(a_tile[10u * A + ly], a_tile[10u * A + A1 + ly], b_tile[10u * B + lx], b_tile[10u * B + B1 + lx], &sums);
                products(a_tile[11u * A + ly], a_tile[11u * A + A1 + ly], b_tile[11u * B + lx], b_tile[11u * B + B1 + lx], &sums);
                products(a_tile[12u * A + ly], a_tile[12u * A + A1 + ly], b_tile[12u * B + lx], b_tile[12u * B + B1 + lx], &sums);
                products(a_tile[13u * A + ly], a_tile[13u * A + A1 + ly], b_tile[13u * B + lx], b_tile[13u * B + B1 + lx], &sums);
                products(a_tile[14u * A + ly], a_tile[14u * A + A1 + ly], b_tile[14u * B + lx], b_tile[14u * B + B1 + lx], &sums);
                products(a_tile[15u * A + ly], a_tile[15u * A + A1 + ly], b_tile[15u * B + lx], b_tile[15u * B + B1 + lx], &sums);
            }
            flush(&sums, &acc);
            workgroupBarrier();
        }
        source = after;
        at = after_at;
        q = quad;
    }
    end(total(sums, acc), m0, n0, lx, ly, phase, slice);
}

// The pixels of x that a tap reads for a thread's four pixels; -1 is outside the border.
fn tap_pixels(starts: ptr<function, array<Start, 4>>, tap: u32) -> vec4<i32> {
    let k = vec2<i32>(i32(tap % p.ksize), i32(tap / p.ksize));
    let enlarged = has(UPSAMPLE);
    return vec4<i32>(place((*starts)[0], k, enlarged), place((*starts)[1], k, enlarged), place((*starts)[2], k, enlarged), place((*starts)[3], k, enlarged));
}

// Where the first pass of a tap loads.
fn place_of(source: vec4<i32>, quad: u32, tap: u32, w_column: u32) -> Place {
    let pixel = vec4<u32>(max(source, vec4<i32>(0)));
    return Place(pixel * p.c1_quads + quad, pixel * p.c2_quads + quad - p.c1_quads, tap * (p.c1_quads + p.c2_quads) * 4u * p.w_quads + w_column);
}

// Loads a thread's part of a pass. No load waits behind a branch for another: outside the
// border, or beyond the last channel, something else is read.
fn load(at: Place, q: u32) -> Loaded {
    var l: Loaded;
    if HAS_X2 && q >= p.c1_quads {
        l.x[0] = x2[at.x2.x];
        l.x[1] = x2[at.x2.y];
        l.x[2] = x2[at.x2.z];
        l.x[3] = x2[at.x2.w];
    } else {
        l.x[0] = x[at.x.x];
        l.x[1] = x[at.x.y];
        l.x[2] = x[at.x.z];
        l.x[3] = x[at.x.w];
    }
    for (var i = 0u; i < B_LOADS; i++) { l.w[i] = w[at.w + 64u / B * i * p.w_quads]; }
    return l;
}

fn products(a0: Tile4, a1: Tile4, b0: Tile4, b1: Tile4, sums: ptr<function, Sums>) {
    outer(0u, a0, b0, sums);
    if NV == 2u { outer(4u, a0, b1, sums); }
    if MV == 2u {
        outer(4u * NV, a1, b0, sums);
        if NV == 2u { outer(12u, a1, b1, sums); }
    }
}

// Adds the outer product of 4 pixels and 4 channels.
fn outer(to: u32, a: Tile4, b: Tile4, sums: ptr<function, Sums>) {
    sums[to] = fma(Tile4(a.x), b, sums[to]);
    sums[to + 1u] = fma(Tile4(a.y), b, sums[to + 1u]);
    sums[to + 2u] = fma(Tile4(a.z), b, sums[to + 2u]);
    sums[to + 3u] = fma(Tile4(a.w), b, sums[to + 3u]);
}

// Everything that is applied to the sums. It works on a copy, so that the sums themselves
// need no address even if a compiler does not unroll the loop.
fn end(sums_of: Acc, m0: u32, n0: u32, lx: u32, ly: u32, phase: u32, slice: u32) {
    var sums = sums_of;
    if NV == 2u && has(GEGLU) {
        for (var i = 0u; i < RESULTS / 2u; i++) {
            let block = i / 4u;
            let m = m0 + block * 32u + ly * 4u + i % 4u;
            let value = add_vectors(sums[block * 8u + i % 4u], n0 + lx);
            let gate = add_vectors(sums[block * 8u + 4u + i % 4u], n0 + lx + 8u);
            finish(m, n0 / 2u + lx, value * gelu4(gate));
        }
        return;
    }
    for (var i = 0u; i < RESULTS; i++) {
        let block = i / 4u;    // MV block · NV + NV block
        let m = m0 + block / NV * 32u + ly * 4u + i % 4u;
        let n = n0 + block % NV * 8u + lx;
        if m < p.m { finish(slice * p.m * p.phases + pixel_of(m, phase), n, activate4(p.activation, add_vectors(sums[i], n))); }
    }
}

// The output pixel of pixel m of a phase, whose picture is half as high and half as wide, or, with
// 1 × 1, follows those of the phases before.
fn pixel_of(m: u32, phase: u32) -> u32 {
    if p.phases == 1u || p.ksize == 1u { return phase * p.m + m; }
    return (m / p.w_out * 2u + phase / 2u) * p.w_out * 2u + m % p.w_out * 2u + phase % 2u;
}

// Adds the bias, which is in the order of w's columns, and applies the step's row of the table.
fn add_vectors(v: vec4<f32>, column: u32) -> vec4<f32> {
    var s = v;
    if has(BIAS) { s += bias[column]; }
    if has(TABLE) && column < p.n_quads { s += table[step[0] * p.n_quads + column]; }
    if has(LAMBDA) && column < p.n_quads { s *= table[step[0] * p.n_quads + column]; }
    return s;
}

// row is a row of y. With slices there is no residual, and rows beyond the first slice are
// those of the others.
fn finish(row: u32, n: u32, v: vec4<f32>) {
    if row >= p.m * p.phases * p.slices || n >= p.n_quads { return; }
    put(row * p.n_quads + n, v);
}
