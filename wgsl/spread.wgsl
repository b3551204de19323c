// Moves the pixels of a picture apart, with zeros between and around them: what a transposed convolution convolves.
//
//   x  [N, H_i, W_i, C]  activations
//   y  [N, rows, W_o, C] activations: rows of the result [N, H_o, W_o, C], from row y_row on. The pixel (r, c) of x is at
//                        (before + each·r, before + each·c)
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,     // vec4 of y
    stride: u32,
    quads: u32,     // C / 4, including padding
    h_in: u32,
    w_in: u32,
    rows: u32,
    w_out: u32,
    y_row: u32,
    each: u32,
    before: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let pixel = i / p.quads;
    let row = p.y_row + pixel / p.w_out % p.rows;
    let column = pixel % p.w_out;
    // What lies before the first pixel becomes a very large number, which is beyond the last one.
    let r = (row - p.before) / p.each;
    let c = (column - p.before) / p.each;
    let there = row >= p.before && column >= p.before && r < p.h_in && c < p.w_in && r * p.each + p.before == row && c * p.each + p.before == column;
    let source = ((pixel / (p.w_out * p.rows) * p.h_in + min(r, p.h_in - 1u)) * p.w_in + min(c, p.w_in - 1u)) * p.quads + i % p.quads;
    y[i] = to_act4(select(vec4<f32>(0.0), act4(x[source]), there));
}
