// All tokens again: what was computed for merged tokens goes to each that was merged into them, and is
// added to the residual.
//
//   x         [B, H · W - r, C]  activations, in the order of token_merge.wgsl's y
//   residual  [B, H · W, C]      activations
//   rank      [B, sources]       u32, see token_order.wgsl
//   node      [B, sources]       u32, see token_match.wgsl
//   y         [B, H · W, C]      activations
//
// prelude_tokens.wgsl says which tokens are sources. One thread computes one vec4, the one at id.x + id.y · stride.

//needs prelude_tokens

struct Params {
    count: u32,     // vec4 of y
    stride: u32,
    height: u32,
    width: u32,
    sources: u32,   // of an entry
    merged: u32,    // r
    quads: u32,     // C / 4
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> residual: array<Act4>;
@group(0) @binding(3) var<storage, read> rank: array<u32>;
@group(0) @binding(4) var<storage, read> node: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<Act4>;

// Where the result for a token is in x.
fn place_of(entry: u32, token: u32) -> u32 {
    let kept = p.sources - p.merged;
    let before = destinations_before(token);
    if is_destination(token) { return kept + before; }
    let at = entry * p.sources + token - before;
    if rank[at] < p.merged { return kept + node[at]; }
    return rank[at] - p.merged;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let tokens = p.height * p.width;
    let row = i / p.quads;
    let entry = row / tokens;
    let at = entry * (tokens - p.merged) + place_of(entry, row % tokens);
    y[i] = to_act4(act4(residual[i]) + act4(x[at * p.quads + i % p.quads]));
}
