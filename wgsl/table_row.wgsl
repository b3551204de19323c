// The step's row of a table, for every entry of a batch.
//
//   table  [steps, row] vec4<f32>
//   step   [1] u32
//   y      [count] vec4 of activations: the row, repeated
//
// One thread writes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    row: u32,      // vec4 in a row
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    y[i] = to_act4(table[step[0] * p.row + i % p.row]);
}
