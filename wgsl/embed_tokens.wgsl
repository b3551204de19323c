// The token and position embeddings of CLIP's text encoder (CLIPTextEmbeddings):
// y[b, t] = tokens[ids[b, t]] + positions[t].
//
//   ids        [B, id_pitch]  u32, T of each row
//   tokens     [V, C]         weights
//   positions  [P, C]         weights
//   y          [B, T, C]      activations
//
// One thread computes one vec4, the one at id.x + id.y · stride.

struct Params {
    count: u32,
    stride: u32,
    quads: u32,     // C / 4
    length: u32,    // T
    id_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> tokens: array<Weight4>;
@group(0) @binding(3) var<storage, read> positions: array<Weight4>;
@group(0) @binding(4) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let token = i / p.quads;
    let q = i % p.quads;
    let t = token % p.length;
    let at = ids[token / p.length * p.id_pitch + t];
    y[i] = to_act4(weight4(tokens[at * p.quads + q]) + weight4(positions[t * p.quads + q]));
}
