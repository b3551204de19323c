// Puts a border around a picture that mirrors it, without the outermost pixels: torch's ReflectionPad2d.
//
//   x  [N, H_i, W_i, C]   activations: rows of a picture [N, H, W_i, C], from row x_row on
//   y  [N, rows, W_i + 2·size, C]  activations: rows of the result [N, H + 2·size, W_i + 2·size, C], from row y_row on
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,     // vec4 of y
    stride: u32,
    quads: u32,     // C / 4, including padding
    h_in: u32,
    w_in: u32,
    rows: u32,
    y_row: u32,
    x_row: u32,
    height: u32,    // H
    size: u32,      // of the border, less than H and W_i
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

// The place that is seen at i, counted from the border's edge.
fn mirrored(i: u32, n: u32) -> u32 {
    let at = abs(i32(i) - i32(p.size));
    return u32(min(at, 2 * (i32(n) - 1) - at));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let pixel = i / p.quads;
    let width = p.w_in + 2u * p.size;
    let row = mirrored(p.y_row + pixel / width % p.rows, p.height) - p.x_row;
    let column = mirrored(pixel % width, p.w_in);
    y[i] = x[((pixel / (width * p.rows) * p.h_in + row) * p.w_in + column) * p.quads + i % p.quads];
}
