// Fewer tokens: the sources that are not merged, and then the destinations, each of which is the mean of
// itself and of the sources that are merged into it.
//
//   x      [B, H · W, C]      activations
//   rank   [B, sources]       u32, see token_order.wgsl
//   order  [B, sources]       u32
//   next   [B, H · W]         u32
//   y      [B, H · W - r, C]  activations; r sources are merged
//
// prelude_tokens.wgsl says which tokens are sources. The sum over a destination's sources is in their order,
// so that it is the same every time. One thread computes one vec4, the one at id.x + id.y · stride.

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
@group(0) @binding(2) var<storage, read> rank: array<u32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> next: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let tokens = p.height * p.width;
    let q = i % p.quads;
    let row = i / p.quads;
    let entry = row / (tokens - p.merged);
    let place = row % (tokens - p.merged);
    let kept = p.sources - p.merged;
    if place < kept {
        let token = token_of_source(order[entry * p.sources + p.merged + place]);
        y[i] = x[(entry * tokens + token) * p.quads + q];
        return;
    }
    var sum = act4(x[(entry * tokens + token_of_destination(place - kept)) * p.quads + q]);
    var n = 1u;
    var s = next[entry * tokens + p.sources + place - kept];
    while s < p.sources {
        if rank[entry * p.sources + s] >= p.merged { break; }
        sum += act4(x[(entry * tokens + token_of_source(s)) * p.quads + q]);
        n++;
        s = next[entry * tokens + s];
    }
    y[i] = to_act4(sum / f32(n));
}
