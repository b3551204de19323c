// Copies a run of tokens of every batch entry.
//
//   x, y  [B, T, C], [B, U, C]  activations
//
// All numbers are in vec4. One thread copies one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,    // of all batch entries together
    stride: u32,
    run: u32,      // of one batch entry
    x_batch: u32,  // from one batch entry of x to the next
    x_from: u32,   // the first that is read in a batch entry
    y_batch: u32,
    y_to: u32,     // the first that is written in a batch entry
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let b = i / p.run;
    let j = i % p.run;
    y[b * p.y_batch + p.y_to + j] = x[b * p.x_batch + p.x_from + j];
}
