// Convolution over NHWC as an implicit matrix product, and, with a 1 × 1 kernel,
// the linear layer:
//
//   y[m, n] = (act(Σ_tap Σ_c x[pixel(m, tap), c] · w[tap, c, n] + bias[n] + table[step, n]) + residual[m, n]) · scale
//
// A workgroup of 8 × 8 threads computes a tile of TILE_M pixels by TILE_N channels;
// a thread 4·MV pixels by 4·NV channels in registers. Every pass takes one tap and BK
// input channels through workgroup memory, where values are f32: widened once, not at
// every product. Borders are tested at the load.
//
// Layouts
//   x, x2     [N, H_i, W_i, C]   Act; with HAS_X2 the input is their concatenation over C
//   w         [taps, C + C2, NP] Weight, NP = output channels padded to 64 (repack_conv2d)
//   y         [N, H_o, W_o, N]   Out; residual likewise, Act
//   bias      [N] f32, table [steps, N] f32, step [1] u32
// With GEGLU a tile of 64 columns of w is 32 values and their 32 gates, and
// y[n] = value · gelu(gate) has half as many channels.
//
// Constants: KSIZE, STRIDE, MV, NV (1 or 2), HAS_BIAS, HAS_X2, HAS_TABLE,
// HAS_RESIDUAL, UPSAMPLE, GEGLU (bool), ACTIVATION, Out4 (alias), UNROLL: whether a pass
// is unrolled; not on a CPU, whose compiler takes a second for it.
// Buffers that a constant switches off are bound to anything.

struct Params {
    m: u32,          // output pixels: N · H_o · W_o
    n_quads: u32,    // output channels / 4, padding included
    w_quads: u32,    // NP / 4
    c1_quads: u32,   // channels of x / 4
    c2_quads: u32,   // of x2 / 4, or 0
    h_in: u32,
    w_in: u32,
    h_up: u32,       // the input's size after nearest-neighbour upsampling
    w_up: u32,
    h_out: u32,
    w_out: u32,
    pad: i32,        // rows and columns of zeros before the first
    pass_length: u32,    // BK, where the compiler shall not know it
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> w: array<Weight4>;
@group(0) @binding(3) var<storage, read_write> y: array<Out4>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> x2: array<Act4>;
@group(0) @binding(6) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read> residual: array<Act4>;

const TILE_M = 32u * MV;
const TILE_N = 32u * NV;
const BK = 32u / MV;        // input channels a pass: a thread brings 4 pixels × 4 channels of x
const B_LOADS = BK * NV / 8u;   // vec4 of w that a thread brings a pass

var<workgroup> a_tile: array<vec4<f32>, BK * 8u * MV>;   // [k][pixel / 4]
var<workgroup> b_tile: array<vec4<f32>, BK * 8u * NV>;   // [k][channel / 4]

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>,
        @builtin(local_invocation_index) t: u32) {
    let m0 = group.x * TILE_M;
    let n0 = group.y * (TILE_N / 4u);

    // 1. The four pixels whose channels this thread loads: their place in the input,
    //    before the tap is added.
    let quad = t % (BK / 4u);
    let pixels = t / (BK / 4u);
    var image: array<u32, 4>;
    var top: array<i32, 4>;
    var left: array<i32, 4>;
    for (var i = 0u; i < 4u; i++) {
        let m = m0 + pixels * 4u + i;
        let pixel = m % (p.h_out * p.w_out);
        image[i] = m / (p.h_out * p.w_out) * p.h_in * p.w_in;
        top[i] = i32(pixel / p.w_out * STRIDE) - p.pad;
        left[i] = i32(pixel % p.w_out * STRIDE) - p.pad;
        // Beyond the last pixel: out of every border test's range.
        if m >= p.m { top[i] = -1000000; }
    }

    var acc: array<vec4<f32>, 4u * MV * NV>;
    let c_quads = p.c1_quads + p.c2_quads;
    for (var ky = 0u; ky < KSIZE; ky++) {
        for (var kx = 0u; kx < KSIZE; kx++) {
            // 2. Where this tap reads, or that it reads beyond the border.
            var at: array<u32, 4>;
            var inside: array<bool, 4>;
            for (var i = 0u; i < 4u; i++) {
                let iy = top[i] + i32(ky);
                let ix = left[i] + i32(kx);
                inside[i] = iy >= 0 && iy < i32(p.h_up) && ix >= 0 && ix < i32(p.w_up);
                var sy = u32(max(iy, 0));
                var sx = u32(max(ix, 0));
                if UPSAMPLE {
                    sy = sy * p.h_in / p.h_up;
                    sx = sx * p.w_in / p.w_up;
                }
                at[i] = image[i] + sy * p.w_in + sx;
            }
            let w_tap = (ky * KSIZE + kx) * c_quads * 4u;
            for (var q0 = 0u; q0 < c_quads; q0 += BK / 4u) {
                // 3. The pass's channels of x, transposed on the way in.
                let q = q0 + quad;
                var v: array<vec4<f32>, 4>;
                for (var i = 0u; i < 4u; i++) {
                    v[i] = vec4<f32>(0.0);
                    if inside[i] && q < c_quads {
                        if HAS_X2 && q >= p.c1_quads {
                            v[i] = act4(x2[at[i] * p.c2_quads + q - p.c1_quads]);
                        } else {
                            v[i] = act4(x[at[i] * p.c1_quads + q]);
                        }
                    }
                }
                let to = quad * 32u * MV + pixels;
                a_tile[to] = vec4<f32>(v[0].x, v[1].x, v[2].x, v[3].x);
                a_tile[to + 8u * MV] = vec4<f32>(v[0].y, v[1].y, v[2].y, v[3].y);
                a_tile[to + 16u * MV] = vec4<f32>(v[0].z, v[1].z, v[2].z, v[3].z);
                a_tile[to + 24u * MV] = vec4<f32>(v[0].w, v[1].w, v[2].w, v[3].w);
                // 4. The pass's rows of w.
                for (var i = 0u; i < B_LOADS; i++) {
                    let j = t + 64u * i;
                    let k = j / (8u * NV);
                    var row = vec4<f32>(0.0);
                    if q0 * 4u + k < c_quads * 4u {
                        row = weight4(w[(w_tap + q0 * 4u + k) * p.w_quads + n0 + j % (8u * NV)]);
                    }
                    b_tile[j] = row;
                }
                workgroupBarrier();
                // 5. The products.
                for (var k = 0u; k < select(p.pass_length, BK, UNROLL); k++) {
                    for (var i = 0u; i < MV; i++) {
                        let a = a_tile[k * 8u * MV + i * 8u + local.y];
                        for (var j = 0u; j < NV; j++) {
                            let b = b_tile[k * 8u * NV + j * 8u + local.x];
                            let to = (i * NV + j) * 4u;
                            acc[to] = fma(vec4<f32>(a.x), b, acc[to]);
                            acc[to + 1u] = fma(vec4<f32>(a.y), b, acc[to + 1u]);
                            acc[to + 2u] = fma(vec4<f32>(a.z), b, acc[to + 2u]);
                            acc[to + 3u] = fma(vec4<f32>(a.w), b, acc[to + 3u]);
                        }
                    }
                }
                workgroupBarrier();
            }
        }
    }

    // 6. What rides along.
    for (var i = 0u; i < MV; i++) {
        for (var r = 0u; r < 4u; r++) {
            let m = m0 + i * 32u + local.y * 4u + r;
            if GEGLU {
                let n = n0 / 2u + local.x;
                let value = add_vectors(acc[i * NV * 4u + r], n0 + local.x);
                let gate = add_vectors(acc[(i * NV + NV - 1u) * 4u + r], n0 + 8u + local.x);
                finish(m, n, value * gelu4(gate));
            } else {
                for (var j = 0u; j < NV; j++) {
                    let n = n0 + j * 8u + local.x;
                    finish(m, n, activate4(ACTIVATION, add_vectors(acc[(i * NV + j) * 4u + r], n)));
                }
            }
        }
    }
}

// Bias (in w's order of columns) and the step's row of the table.
fn add_vectors(v: vec4<f32>, column: u32) -> vec4<f32> {
    var s = v;
    if HAS_BIAS { s += bias[column]; }
    if HAS_TABLE && column < p.n_quads { s += table[step[0] * p.n_quads + column]; }
    return s;
}

fn finish(m: u32, n: u32, v: vec4<f32>) {
    if m >= p.m || n >= p.n_quads { return; }
    var s = v;
    if HAS_RESIDUAL { s += act4(residual[m * p.n_quads + n]); }
    y[m * p.n_quads + n] = to_out4(s * p.scale);
}
