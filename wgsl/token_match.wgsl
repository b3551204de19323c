// For every source token, the destination that is most like it: the one with the largest cosine. Of
// equal ones it is the first.
//
//   x        [B, H · W, C]     activations
//   inverse  [B, H · W]        f32, see token_norms.wgsl
//   score    [B, sources]      f32, the cosine
//   node     [B, sources]      u32, the destination
//
// prelude_tokens.wgsl says which tokens are sources. A workgroup takes 32 sources of the entry
// group.y, and goes through the destinations 32 at a time. Thread (lx, ly) multiplies sources
// 4 ly to 4 ly + 3 by destinations 4 lx to 4 lx + 3.
//
// Constants: DEPTH, the vec4 of channels in a pass.

//needs prelude_tokens

struct Params {
    height: u32,
    width: u32,
    sources: u32,        // of an entry
    destinations: u32,   // of an entry
    quads: u32,          // C / 4
    depth: u32,          // DEPTH, in the uniform so that a processor's compiler does not unroll the loops
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> inverse: array<f32>;
@group(0) @binding(3) var<storage, read_write> score: array<f32>;
@group(0) @binding(4) var<storage, read_write> node: array<u32>;

var<workgroup> a_tile: array<vec4<f32>, 32u * DEPTH>;   // [quad][source]
var<workgroup> b_tile: array<vec4<f32>, 32u * DEPTH>;   // [quad][destination]
var<workgroup> scores: array<array<f32, 4>, 64>;        // by thread
var<workgroup> nodes: array<array<u32, 4>, 64>;

// The best destinations of a thread's four sources so far.
struct Best {
    score: vec4<f32>,
    node: vec4<u32>,
}

fn better(best: Best, score: vec4<f32>, node: u32) -> Best {
    let yes = score > best.score;
    return Best(select(best.score, score, yes), select(best.node, vec4<u32>(node), yes));
}

fn dots(a: vec4<f32>, b: array<vec4<f32>, 4>) -> vec4<f32> { return vec4<f32>(dot(a, b[0]), dot(a, b[1]), dot(a, b[2]), dot(a, b[3])); }

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let first = group.y * p.height * p.width;
    let s0 = group.x * 32u;
    let a_at = (first + token_of_source(min(s0 + t % 32u, p.sources - 1u))) * p.quads;
    var best = Best(vec4<f32>(-3e38), vec4<u32>(0u));
    for (var d0 = 0u; d0 < p.destinations; d0 += 32u) {
        let b_at = (first + token_of_destination(min(d0 + t % 32u, p.destinations - 1u))) * p.quads;
        var sum0 = vec4<f32>();
        var sum1 = vec4<f32>();
        var sum2 = vec4<f32>();
        var sum3 = vec4<f32>();
        for (var q0 = 0u; q0 < p.quads; q0 += p.depth) {
            for (var i = t; i < 32u * p.depth; i += 64u) {
                let q = q0 + i / 32u;
                let inside = q < p.quads;
                let at = min(q, p.quads - 1u);
                a_tile[i] = select(vec4<f32>(), act4(x[a_at + at]), inside);
                b_tile[i] = select(vec4<f32>(), act4(x[b_at + at]), inside);
            }
            workgroupBarrier();
            for (var k = 0u; k < 32u * p.depth; k += 32u) {
                let a = k + local.y * 4u;
                let b = k + local.x * 4u;
                let b4 = array<vec4<f32>, 4>(b_tile[b], b_tile[b + 1u], b_tile[b + 2u], b_tile[b + 3u]);
                sum0 += dots(a_tile[a], b4);
                sum1 += dots(a_tile[a + 1u], b4);
                sum2 += dots(a_tile[a + 2u], b4);
                sum3 += dots(a_tile[a + 3u], b4);
            }
            workgroupBarrier();
        }
        // Beyond the last destination is the last one once more, which is not better than itself.
        let last = p.destinations - 1u;
        let d = min(vec4<u32>(d0 + local.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last));
        best = better(best, vec4<f32>(sum0.x, sum1.x, sum2.x, sum3.x) * inverse[first + token_of_destination(d.x)], d.x);
        best = better(best, vec4<f32>(sum0.y, sum1.y, sum2.y, sum3.y) * inverse[first + token_of_destination(d.y)], d.y);
        best = better(best, vec4<f32>(sum0.z, sum1.z, sum2.z, sum3.z) * inverse[first + token_of_destination(d.z)], d.z);
        best = better(best, vec4<f32>(sum0.w, sum1.w, sum2.w, sum3.w) * inverse[first + token_of_destination(d.w)], d.w);
    }
    scores[t] = array<f32, 4>(best.score.x, best.score.y, best.score.z, best.score.w);
    nodes[t] = array<u32, 4>(best.node.x, best.node.y, best.node.z, best.node.w);
    workgroupBarrier();

    // One thread for each source compares what eight threads found.
    let s = s0 + t;
    if t >= 32u || s >= p.sources { return; }
    let row = t / 4u * 8u;
    var most = scores[row][t % 4u];
    var at = nodes[row][t % 4u];
    for (var i = row + 1u; i < row + 8u; i++) {
        let v = scores[i][t % 4u];
        let n = nodes[i][t % 4u];
        if v > most || (v == most && n < at) {
            most = v;
            at = n;
        }
    }
    score[group.y * p.sources + s] = most * inverse[first + token_of_source(s)];
    node[group.y * p.sources + s] = at;
}
