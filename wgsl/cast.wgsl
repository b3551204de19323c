// y = x · factor, from f32 to activations or, with a limit, limit · tanh(x · factor / limit).
//
//   x  [count] vec4<f32>
//   y  [count] vec4 of activations
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    factor: f32,
    limit: f32,      // 0 for none
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    var v = x[i] * p.factor;
    if p.limit > 0.0 { v = p.limit * tanh(clamp(v / p.limit, vec4<f32>(-20.0), vec4<f32>(20.0))); }
    y[i] = to_act4(v);
}
