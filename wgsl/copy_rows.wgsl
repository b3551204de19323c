// Copies rows of one tensor into another, bit for bit, whatever their type.
//
//   x, y  rows as vec2<u32>
//
// One thread copies one vec2, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    x_at: u32,      // the first vec2 of x that is read
    y_at: u32,      // the first vec2 of y that is written
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    y[p.y_at + i] = x[p.x_at + i];
}
