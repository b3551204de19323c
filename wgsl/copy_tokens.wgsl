// Copies runs of vec4: for example some tokens of every batch entry, or the first channels of
// every pixel.
//
//   x, y  activations
//
// All numbers are in vec4. One thread copies one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,    // of all runs together
    stride: u32,
    length: u32,   // of a run
    x_each: u32,   // from the beginning of a run in x to that of the next
    x_from: u32,   // where the first run begins in x
    y_each: u32,
    y_from: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let run = i / p.length;
    let j = i % p.length;
    y[run * p.y_each + p.y_from + j] = x[run * p.x_each + p.x_from + j];
}
