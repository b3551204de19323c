// The embeddings of CLIP's vision encoder (CLIPVisionEmbeddings): the class token, then the
// patches, each plus the embedding of its position.
//
//   patches      [B, T - 1, C]  activations
//   class_token  [C]            f32
//   positions    [T, C]         weights
//   y            [B, T, C]      activations
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    quads: u32,     // C / 4
    length: u32,    // T
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> patches: array<Act4>;
@group(0) @binding(2) var<storage, read> class_token: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> positions: array<Weight4>;
@group(0) @binding(4) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let token = i / p.quads;
    let q = i % p.quads;
    let b = token / p.length;
    let t = token % p.length;
    var v: vec4<f32>;
    if t == 0u {
        v = class_token[q];
    } else {
        v = act4(patches[(b * (p.length - 1u) + t - 1u) * p.quads + q]);
    }
    y[i] = to_act4(v + weight4(positions[t * p.quads + q]));
}
