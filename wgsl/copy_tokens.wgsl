// Copies a run of tokens of every batch entry.
// x: [B, T, C], y: [B, U, C], vec4 of activations; counts in vec4. One thread a vec4.

struct Params {
    count: u32,    // in all
    stride: u32,   // index = id.x + id.y · stride
    run: u32,      // a batch entry's
    x_batch: u32,  // from one batch entry to the next
    x_from: u32,
    y_batch: u32,
    y_to: u32,
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
