// norm[g] = [norm[g] +] Σ w², over the weights of one output channel, or of one input channel.
//
//   w     [rows, I, taps]  f32
//   norm  [rows] or [I]    f32
//
// A workgroup of 64 threads sums for one channel.

struct Params {
    rows: u32,
    inputs: u32,
    taps: u32,
    by_input: u32,  // 1: one sum for each input channel
    add: u32,       // 1 to add to norm
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let g = group.x;
    let columns = p.inputs * p.taps;
    let count = select(columns, p.rows * p.taps, p.by_input != 0u);
    var s = 0.0;
    for (var j = t; j < count; j += 64u) {
        let at = select(g * columns + j, j / p.taps * columns + g * p.taps + j % p.taps, p.by_input != 0u);
        let v = w[at];
        s = fma(v, v, s);
    }
    partial[t] = s;
    workgroupBarrier();
    for (var n = 32u; n > 0u; n >>= 1u) {
        if t < n { partial[t] += partial[t + n]; }
        workgroupBarrier();
    }
    if t == 0u {
        if p.add != 0u { norm[g] += partial[0]; } else { norm[g] = partial[0]; }
    }
}
