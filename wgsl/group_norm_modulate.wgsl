// The last kernel of a group norm without a scale and a shift, whose result is modulated by maps:
// y = act((x · factor + offset) · (1 + gamma) + beta).
//
//   x, y         [N, pixels, C]  activations
//   affine       [N, C, 2]       f32, see group_norm_combine.wgsl
//   gamma, beta  [pixels, C]     activations, which all entries of the batch share
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    image: u32,      // vec4 per image: pixels · quads
    quads: u32,      // C / 4
    activation: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> affine: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gamma: array<Act4>;
@group(0) @binding(4) var<storage, read> beta: array<Act4>;
@group(0) @binding(5) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let at = (i / p.image * p.quads + i % p.quads) * 2u;
    let v = fma(act4(x[i]), affine[at], affine[at + 1u]);
    let place = i % p.image;
    y[i] = to_act4(activate4(p.activation, fma(v, 1.0 + act4(gamma[place]), act4(beta[place]))));
}
