// Converts a table of a checkpoint (token or position embeddings) to weights in the same
// order.
//
//   staged  [4 · count]  in the file's type
//   w       [..]         weights; the vec4 from to on are written
//
// One thread converts one vec4, the one at id.x + id.y · stride.
//
// Constants: SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3, SOURCE_E5M2.

struct Params {
    count: u32,
    stride: u32,
    to: u32,
    source: u32,    // SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3 or SOURCE_E5M2
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> staged: array<u32>;
@group(0) @binding(2) var<storage, read_write> w: array<Weight4>;

//needs prelude_source

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    var v: vec4<f32>;
    for (var j = 4u * i; j < 4u * i + 4u; j++) { v[j % 4u] = number(staged[word(j)], j); }
    w[p.to + i] = to_weight4(v);
}
