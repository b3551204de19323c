// A convolution over NHWC as an implicit matrix product. With a 1 × 1 kernel it is the linear
// layer:
//
//   y[m, n] = (act(Σ_tap Σ_c x[pixel(m, tap), c] · w[tap, c, n] + bias[n] + table[step, n]) + residual[m, n]) · scale
//
// With LAMBDA the table's row is a factor of the sum and its bias, and not a part of the sum.
//
// A workgroup of 8 × 8 threads computes a tile of TILE_M pixels by TILE_N channels, and a
// thread 4·MV pixels by 4·NV channels in registers. Each pass takes one tap and BK input
// channels through workgroup memory, where values are f32, so that they are widened once
// and not in every product. Borders are tested once per tap. The products are written out
// with constant indices into workgroup memory, so that between two of them no index is
// clamped and no address is computed. cost.json shows what a real GPU's compiler makes of
// that.
//
// If there are too few tiles to fill a GPU, the passes are cut into slices, each a workgroup
// in z. Then y is [slices, M, N] in f32 and holds bare sums, and conv2d_sum.wgsl does the
// rest.
//
// conv2d_cpu.wgsl computes the same on a processor that emulates a GPU.
//
// Layouts
//   x, x2     [N, H_i, W_i, C], [N, H_i, W_i, C2]  activations; with HAS_X2 the input is their
//             concatenation over the channels
//   w         [taps, C + C2, NP]  weights; NP is the number of output channels padded to a
//             multiple of 64 (repack_conv2d.wgsl)
//   y         [N, H_o, W_o, N]  activations or, with WIDE, f32
//   residual  [N, H_o, W_o, N]  activations
//   bias      [NP] f32, in the order of w's columns
//   table     [steps, N] f32
//   step      [1] u32
// With GEGLU, 64 columns of w are 32 values and their 32 gates, and y[n] = value · gelu(gate)
// has half as many channels. What a flag switches off is bound to any buffer.
//
// Constants: MV, NV (1 or 2; with GEGLU NV is 2), BK, HAS_X2, and the flags. Everything else
// is in the uniform: it is read once per tap or per tile, and each further constant would
// give a network more pipelines to compile.

//needs prelude_conv2d

// How the buffers of prelude_conv2d.wgsl are read.
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

var<workgroup> a_tile: array<vec4<f32>, BK * A>;   // [k][pixel / 4]
var<workgroup> b_tile: array<vec4<f32>, BK * B>;   // [k][channel / 4]

// Sums for blocks of 4 pixels by 4 channels. Pixel i of a block is at
// 4 · (MV block · NV + NV block) + i.
alias Acc = array<vec4<f32>, 4u * MV * NV>;

const RESULTS = 4u * MV * NV;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
        @builtin(local_invocation_index) t: u32) {
    let m0 = group.x * TILE_M;
    let n0 = group.y * (TILE_N / 4u);

    // 1. The four pixels whose channels this thread loads: their position in the input,
    //    without the tap. With MV = 1, half of the threads load.
    let quad = t % (BK / 4u);
    let pixels = t / (BK / 4u);
    let loads = pixels < A;
    let to = quad * 4u * A + pixels;
    var starts: array<Start, 4>;
    for (var i = 0u; i < 4u; i++) { starts[i] = start(m0 + pixels * 4u + i); }

    var acc: Acc;
    let c_quads = p.c1_quads + p.c2_quads;
    let lx = local.x;
    let ly = local.y;
    let tap_passes = (c_quads + BK / 4u - 1u) / (BK / 4u);
    let first = group.z * p.slice_passes;
    let last = min(first + p.slice_passes, p.ksize * p.ksize * tap_passes);
    for (var tap = first / tap_passes; tap * tap_passes < last; tap++) {
        // 2. Which pixels the tap reads, if they are inside the border.
        let k = vec2<i32>(i32(tap % p.ksize), i32(tap / p.ksize));
        var at: array<i32, 4>;
        for (var i = 0u; i < 4u; i++) { at[i] = place(starts[i], k, has(UPSAMPLE)); }
        let w_tap = tap * c_quads * 4u;
        let end = min(last - tap * tap_passes, tap_passes);
        for (var n_pass = max(first, tap * tap_passes) - tap * tap_passes; n_pass < end; n_pass++) {
            let q0 = n_pass * (BK / 4u);
            // 3. The pass's channels of x, transposed.
            if loads {
                let q = q0 + quad;
                var v: array<vec4<f32>, 4>;
                for (var i = 0u; i < 4u; i++) { v[i] = load(at[i], q, c_quads); }
                a_tile[to] = vec4<f32>(v[0].x, v[1].x, v[2].x, v[3].x);
                a_tile[to + A] = vec4<f32>(v[0].y, v[1].y, v[2].y, v[3].y);
                a_tile[to + 2u * A] = vec4<f32>(v[0].z, v[1].z, v[2].z, v[3].z);
                a_tile[to + 3u * A] = vec4<f32>(v[0].w, v[1].w, v[2].w, v[3].w);
            }
            // 4. The pass's rows of w.
            for (var i = 0u; i < B_LOADS; i++) {
                let j = t + 64u * i;
                let k = j / B;
                var row = vec4<f32>(0.0);
                if q0 * 4u + k < c_quads * 4u {
                    row = weight4(w[(w_tap + q0 * 4u + k) * p.w_quads + n0 + j % B]);
                }
                b_tile[j] = row;
            }
            workgroupBarrier();
            // 5. The products.
            products(a_tile[0u * A + ly], a_tile[0u * A + A1 + ly], b_tile[0u * B + lx], b_tile[0u * B + B1 + lx], &acc);
            products(a_tile[1u * A + ly], a_tile[1u * A + A1 + ly], b_tile[1u * B + lx], b_tile[1u * B + B1 + lx], &acc);
            products(a_tile[2u * A + ly], a_tile[2u * A + A1 + ly], b_tile[2u * B + lx], b_tile[2u * B + B1 + lx], &acc);
            products(a_tile[3u * A + ly], a_tile[3u * A + A1 + ly], b_tile[3u * B + lx], b_tile[3u * B + B1 + lx], &acc);
            products(a_tile[4u * A + ly], a_tile[4u * A + A1 + ly], b_tile[4u * B + lx], b_tile[4u * B + B1 + lx], &acc);
            products(a_tile[5u * A + ly], a_tile[5u * A + A1 + ly], b_tile[5u * B + lx], b_tile[5u * B + B1 + lx], &acc);
            products(a_tile[6u * A + ly], a_tile[6u * A + A1 + ly], b_tile[6u * B + lx], b_tile[6u * B + B1 + lx], &acc);
            products(a_tile[7u * A + ly], a_tile[7u * A + A1 + ly], b_tile[7u * B + lx], b_tile[7u * B + B1 + lx], &acc);
            products(a_tile[8u * A + ly], a_tile[8u * A + A1 + ly], b_tile[8u * B + lx], b_tile[8u * B + B1 + lx], &acc);
            products(a_tile[9u * A + ly], a_tile[9u * A + A1 + ly], b_tile[9u * B + lx], b_tile[9u * B + B1 + lx], &acc);
            products(a_tile[10u * A + ly], a_tile[10u * A + A1 + ly], b_tile[10u * B + lx], b_tile[10u * B + B1 + lx], &acc);
            products(a_tile[11u * A + ly], a_tile[11u * A + A1 + ly], b_tile[11u * B + lx], b_tile[11u * B + B1 + lx], &acc);
            products(a_tile[12u * A + ly], a_tile[12u * A + A1 + ly], b_tile[12u * B + lx], b_tile[12u * B + B1 + lx], &acc);
            products(a_tile[13u * A + ly], a_tile[13u * A + A1 + ly], b_tile[13u * B + lx], b_tile[13u * B + B1 + lx], &acc);
            products(a_tile[14u * A + ly], a_tile[14u * A + A1 + ly], b_tile[14u * B + lx], b_tile[14u * B + B1 + lx], &acc);
            products(a_tile[15u * A + ly], a_tile[15u * A + A1 + ly], b_tile[15u * B + lx], b_tile[15u * B + B1 + lx], &acc);
            workgroupBarrier();
        }
    }

    // 6. Everything that is applied to the sums. It works on a copy, so that the sums
    //    themselves need no address even if a compiler does not unroll the loop.
    var sums = acc;
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
        if m < p.m { finish(group.z * p.m + m, n, activate4(p.activation, add_vectors(sums[i], n))); }
    }
}

fn load(at: i32, q: u32, c_quads: u32) -> vec4<f32> {
    if at < 0 || q >= c_quads { return vec4<f32>(0.0); }
    if HAS_X2 && q >= p.c1_quads { return act4(x2[u32(at) * p.c2_quads + q - p.c1_quads]); }
    return act4(x[u32(at) * p.c1_quads + q]);
}

fn products(a0: vec4<f32>, a1: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, acc: ptr<function, Acc>) {
    outer(0u, a0, b0, acc);
    if NV == 2u { outer(4u, a0, b1, acc); }
    if MV == 2u {
        outer(4u * NV, a1, b0, acc);
        if NV == 2u { outer(12u, a1, b1, acc); }
    }
}

// Adds the outer product of 4 pixels and 4 channels.
fn outer(to: u32, a: vec4<f32>, b: vec4<f32>, acc: ptr<function, Acc>) {
    acc[to] = fma(vec4<f32>(a.x), b, acc[to]);
    acc[to + 1u] = fma(vec4<f32>(a.y), b, acc[to + 1u]);
    acc[to + 2u] = fma(vec4<f32>(a.z), b, acc[to + 2u]);
    acc[to + 3u] = fma(vec4<f32>(a.w), b, acc[to + 3u]);
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
    if row >= p.m * p.slices || n >= p.n_quads { return; }
    var s = v;
    let at = row * p.n_quads + n;
    if has(RESIDUAL) { s += act4(residual[at]); }
    s *= p.scale;
    let wide = has(WIDE);
    let place = select(at, at * WIDE_PLACES, wide);
    y[place] = out_low(s, wide);
    if WIDE_PLACES == 2u && wide { y[place + 1u] = out_high(s); }
}
