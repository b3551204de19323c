// The last of the three parts of a 3 × 3 convolution by Winograd's algorithm (winograd_input.wgsl):
// makes TILE × TILE pixels of each tile's N × N products, Aᵗ M A · factor, and completes them as
// conv2d.wgsl does:
//
//   y = (act(Aᵗ M A · factor + bias + table[step]) + residual) · scale
//
// With LAMBDA the table's row is a factor of the sum and its bias, and not a part of the sum. With
// RECTIFY what is negative after the residual becomes 0.
//
//   sums      [N · N, tiles, O]  activations: M of the tiles [first, first + tiles)
//   y         [B, H, W, O]       activations or, with WIDE, f32
//   residual  [B, H, W, O]       activations
//   bias      [O] f32
//   table     [steps, O] f32
//   step      [1] u32
//
// One thread computes one row of a tile's pixels, for one vec4 of channels. What a flag switches off
// is bound to any buffer. Constants: TILE (2 or 4), ACTIVATION, and the flags. What is done with a
// pixel is compiled TILE times, and therefore has only the activation that there is.

//needs prelude_conv2d_end

struct Params {
    count: u32,        // threads: tiles · TILE · O / 4
    stride: u32,       // a thread's index is id.x + id.y · stride
    tiles: u32,
    first: u32,
    tiles_across: u32, // in a row of tiles
    tiles_down: u32,   // rows of tiles in a picture
    n_quads: u32,      // O / 4
    h_out: u32,
    w_out: u32,
    factor: f32,       // 1 / the scale of winograd_input.wgsl
    flags: u32,        // as in conv2d.wgsl
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Out>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> step: array<u32>;
@group(0) @binding(6) var<storage, read> residual: array<Act4>;

const N = TILE + 2u;

// The rows of Aᵗ: the factors of a column's numbers, from the first in the first row, and from the
// second in the others.
const FACTORS_2 = array(vec3<f32>(1.0, 1.0, 1.0), vec3<f32>(1.0, -1.0, -1.0));
const FACTORS_4 = array(vec4<f32>(1.0, 1.0, 1.0, 1.0), vec4<f32>(1.0, -1.0, 2.0, -2.0), vec4<f32>(1.0, 1.0, 4.0, 4.0), vec4<f32>(1.0, -1.0, 8.0, -8.0));
const LAST_FACTORS_4 = vec4<f32>(1.0, 0.0, 0.0, 1.0);

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let n = i % p.n_quads;
    let row = i / p.n_quads % TILE;
    let tile = i / p.n_quads / TILE;

    // 1. The row of Aᵗ M.
    let from_row = min(row, 1u);
    var m: array<vec4<f32>, N>;
    for (var dx = 0u; dx < N; dx++) {
        let at = from_row * N + dx;
        if TILE == 2u {
            let factors = FACTORS_2[row];
            m[dx] = factors.x * number(at, tile, n) + factors.y * number(at + N, tile, n) + factors.z * number(at + 2u * N, tile, n);
        } else {
            let factors = FACTORS_4[row];
            m[dx] = factors.x * number(at, tile, n) + factors.y * number(at + N, tile, n) + factors.z * number(at + 2u * N, tile, n) +
                factors.w * number(at + 3u * N, tile, n) + LAST_FACTORS_4[row] * number(at + 4u * N, tile, n);
        }
    }

    // 2. Times A. The last tiles of a picture may stick out of it.
    let counted = p.first + tile;
    let image = counted / (p.tiles_across * p.tiles_down);
    let y_out = counted / p.tiles_across % p.tiles_down * TILE + row;
    let x_out = counted % p.tiles_across * TILE;
    if y_out >= p.h_out { return; }
    let to = (image * p.h_out + y_out) * p.w_out + x_out;
    let across = p.w_out - x_out;
    let near = m[1] + m[2];
    let difference = m[1] - m[2];
    if TILE == 2u {
        finish(to, n, m[0] + near);
        if across > 1u { finish(to + 1u, n, difference - m[3]); }
    } else {
        let far = m[3] + m[N - 2u];
        let far_difference = m[3] - m[N - 2u];
        finish(to, n, m[0] + near + far);
        if across > 1u { finish(to + 1u, n, difference + 2.0 * far_difference); }
        if across > 2u { finish(to + 2u, n, near + 4.0 * far); }
        if across > 3u { finish(to + 3u, n, difference + 8.0 * far_difference + m[N - 1u]); }
    }
}

// A number of a tile's products.
fn number(place: u32, tile: u32, n: u32) -> vec4<f32> { return act4(sums[(place * p.tiles + tile) * p.n_quads + n]); }

fn has(flag: u32) -> bool { return (p.flags & flag) != 0u; }

// Completes a vec4 of the result.
fn finish(row: u32, n: u32, sum: vec4<f32>) {
    var s = sum * p.factor;
    if has(BIAS) { s += bias[n]; }
    if has(TABLE) { s += table[step[0] * p.n_quads + n]; }
    if has(LAMBDA) { s *= table[step[0] * p.n_quads + n]; }
    put(row * p.n_quads + n, activate4(ACTIVATION, s));
}
