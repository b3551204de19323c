// Sets a flag if an activation is at the end of float16's range, where to_act4 clamps.
//
//   x     [count] vec4 of activations
//   flag  [1] u32; it is set to 1, and never to 0
//
// Thread i reads the vec4s i, i + threads, i + 2 · threads and so on.

struct Params {
    count: u32,
    threads: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> flag: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var found = false;
    for (var i = id.x; i < p.count; i += p.threads) {
        found = found || any(abs(act4(x[i])) >= vec4<f32>(65504.0));
    }
    if found { atomicStore(&flag[0], 1u); }
}
