// b = core · down, the right matrix of a Tucker decomposition: b[j, i, t] = Σ_k core[j, k, t] · down[k, i].
//
//   core  [J, K, taps]    f32: lora_mid, hada_t1, hada_t2 or lokr_t2
//   down  [K, I]          f32
//   b     [J, I · taps]   f32
//
// One thread computes one number, the one at id.x + id.y · stride.

struct Params {
    count: u32,     // J · I · taps
    stride: u32,
    inputs: u32,    // I
    taps: u32,
    rank: u32,      // K
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> core: array<f32>;
@group(0) @binding(2) var<storage, read> down: array<f32>;
@group(0) @binding(3) var<storage, read_write> b: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * p.stride;
    if at >= p.count { return; }
    let tap = at % p.taps;
    let i = at / p.taps % p.inputs;
    let j = at / p.taps / p.inputs;
    var s = 0.0;
    for (var k = 0u; k < p.rank; k++) {
        s = fma(core[(j * p.rank + k) * p.taps + tap], down[k * p.inputs + i], s);
    }
    b[at] = s;
}
