// The order of the source tokens by their scores, the largest first, and of equal ones the first. The
// first ones of that order are merged.
//
//   score  [B, sources]                 f32, see token_match.wgsl
//   node   [B, sources]                 u32
//   rank   [B, sources]                 u32, the place of a source in the order
//   order  [B, sources]                 u32, the source at a place
//   next   [B, sources + destinations]  u32: the source that comes next in the order among those with the
//                                       same destination and, behind all sources, the first source of each
//                                       destination. 0xffffffff means that there is none
//
// One thread computes one number of next, and for a source its rank. It goes through all sources.

struct Params {
    sources: u32,        // of an entry
    destinations: u32,   // of an entry
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> score: array<f32>;
@group(0) @binding(2) var<storage, read> node: array<u32>;
@group(0) @binding(3) var<storage, read_write> rank: array<u32>;
@group(0) @binding(4) var<storage, read_write> order: array<u32>;
@group(0) @binding(5) var<storage, read_write> next: array<u32>;

var<workgroup> scores: array<f32, 64>;
var<workgroup> nodes: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let i = group.x * 64u + t;
    let first = group.y * p.sources;
    let is_source = i < p.sources;
    let here = first + min(i, p.sources - 1u);
    let mine = select(3e38, score[here], is_source);                   // a destination is before its sources
    let group_of = select(i - p.sources, node[here], is_source);
    var ahead = 0u;
    var follower = 0xffffffffu;
    var most = -3e38;
    for (var s0 = 0u; s0 < p.sources; s0 += 64u) {
        let at = first + min(s0 + t, p.sources - 1u);
        scores[t] = score[at];
        nodes[t] = node[at];
        workgroupBarrier();
        let count = min(64u, p.sources - s0);
        for (var k = 0u; k < count; k++) {
            let s = s0 + k;
            let v = scores[k];
            if v > mine || (v == mine && s < i) {
                ahead++;
            } else if s != i && nodes[k] == group_of && v > most {
                most = v;
                follower = s;
            }
        }
        workgroupBarrier();
    }
    if i >= p.sources + p.destinations { return; }
    next[group.y * (p.sources + p.destinations) + i] = follower;
    if is_source {
        rank[first + i] = ahead;
        order[first + ahead] = i;
    }
}
