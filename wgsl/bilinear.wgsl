// Resizes pictures by bilinear interpolation. The corners of both pictures lie upon each other, as with torch's align_corners.
//
//   x  [N, H_i, W_i, C]  activations
//   y  [N, rows, W_o, C] activations: rows of the result [N, H_o, W_o, C], from row y_row on
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
    dy: f32,        // how far apart two rows of the result are in x: (H_i - 1) / (H_o - 1), or 0
    dx: f32,
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
    let at_y = f32(p.y_row + pixel / p.w_out % p.rows) * p.dy;
    let at_x = f32(pixel % p.w_out) * p.dx;
    let top = min(u32(at_y), p.h_in - 1u);
    let left = min(u32(at_x), p.w_in - 1u);
    let right = min(left + 1u, p.w_in - 1u);
    let image = pixel / (p.w_out * p.rows) * p.h_in;
    let above = (image + top) * p.w_in;
    let below = (image + min(top + 1u, p.h_in - 1u)) * p.w_in;
    let part = at_x - f32(left);
    let a = mix(act4(x[(above + left) * p.quads + q]), act4(x[(above + right) * p.quads + q]), part);
    let b = mix(act4(x[(below + left) * p.quads + q]), act4(x[(below + right) * p.quads + q]), part);
    y[i] = to_act4(mix(a, b, at_y - f32(top)));
}
