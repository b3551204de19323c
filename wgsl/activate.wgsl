// y = activation(x)
//
//   x, y  [count] vec4 of activations
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    activation: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    y[i] = to_act4(activate4(p.activation, act4(x[i])));
}
