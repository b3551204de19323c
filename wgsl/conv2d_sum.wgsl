// Completes a convolution whose sums were cut into slices (conv2d.wgsl):
//
//   y[m, n] = (act(Σ_slice partial[slice, m, n] + bias[n] + table[step, n]) + residual[m, n]) · scale
//
// With LAMBDA the table's row is a factor of the sum and its bias, and not a part of the sum. With
// RECTIFY what is negative after the residual becomes 0.
//
//   partial   [slices, M, N]  f32
//   y         [M, N]          activations or, with WIDE, f32
//   residual  [M, N]          activations
//   bias      [N] f32
//   table     [steps, N] f32
//   step      [1] u32
//
// One thread computes one vec4 of y, the one at id.x + id.y · stride. What a flag switches
// off is bound to any buffer. Constants: the flags.

//needs prelude_conv2d_end

struct Params {
    count: u32,      // vec4 of y
    stride: u32,
    n_quads: u32,
    slices: u32,
    flags: u32,      // as in conv2d.wgsl
    activation: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<Out>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> step: array<u32>;
@group(0) @binding(6) var<storage, read> residual: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let n = i % p.n_quads;
    var s = vec4<f32>(0.0);
    for (var slice = 0u; slice < p.slices; slice++) { s += partial[slice * p.count + i]; }
    if (p.flags & BIAS) != 0u { s += bias[n]; }
    if (p.flags & TABLE) != 0u { s += table[step[0] * p.n_quads + n]; }
    if (p.flags & LAMBDA) != 0u { s *= table[step[0] * p.n_quads + n]; }
    put(i, activate4(p.activation, s));
}
