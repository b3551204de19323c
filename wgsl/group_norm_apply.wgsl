// The third of three kernels of a group norm: y = act(x · factor + offset), with a factor and
// an offset for every channel.
//
//   x, x2, y  [N, pixels, C], [N, pixels, C2], [N, pixels, C + C2]  activations
//   affine    [N, C + C2, 2]  f32, see group_norm_combine.wgsl
//
// One thread computes one vec4 of y, the one at id.x + id.y · stride. If c2_quads is 0, x2 is
// bound to any buffer. The activation is in the uniform, because this kernel waits for
// memory anyway, and a constant would mean another pipeline to compile.

struct Params {
    count: u32,
    stride: u32,
    image: u32,      // vec4 per image: pixels · quads
    c1_quads: u32,
    c2_quads: u32,
    x_at: u32,       // the first pixel of x that is read
    y_at: u32,       // the first vec4 of y that is written
    activation: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> x2: array<Act4>;
@group(0) @binding(3) var<storage, read> affine: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let quads = p.c1_quads + p.c2_quads;
    let pixel = p.x_at + i / quads;
    let q = i % quads;
    var v: vec4<f32>;
    if q >= p.c1_quads {
        v = act4(x2[pixel * p.c2_quads + q - p.c1_quads]);
    } else {
        v = act4(x[pixel * p.c1_quads + q]);
    }
    let at = (i / p.image * quads + q) * 2u;
    y[p.y_at + i] = to_act4(activate4(p.activation, fma(v, affine[at], affine[at + 1u])));
}
