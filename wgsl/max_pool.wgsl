// The largest number of each square of size × size pixels. Squares do not overlap, and what is left at the bottom and at the
// right is not read.
//
//   x  [N, H_i, W_i, C]  activations, of which one image is in memory from row x_row on
//   y  [N, H_o, W_o, C]  activations
//
// One thread computes one vec4, the one at id.x + id.y · stride behind y_at.

struct Params {
    count: u32,      // vec4 to compute
    stride: u32,
    quads: u32,      // C / 4, including padding
    h_in: u32,
    w_in: u32,
    h_out: u32,
    w_out: u32,
    size: u32,       // of a square
    x_row: u32,      // the row of x that the first square begins at
    y_at: u32,       // the first vec4 of y that is written
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let q = i % p.quads;
    let pixel = i / p.quads;
    let image = pixel / (p.h_out * p.w_out);
    let top = p.x_row + pixel / p.w_out % p.h_out * p.size;
    let left = pixel % p.w_out * p.size;
    let first = (image * p.h_in + top) * p.w_in + left;
    var most = act4(x[first * p.quads + q]);
    for (var k = 1u; k < p.size * p.size; k++) {
        most = max(most, act4(x[(first + k / p.size * p.w_in + k % p.size) * p.quads + q]));
    }
    y[p.y_at + i] = to_act4(most);
}
