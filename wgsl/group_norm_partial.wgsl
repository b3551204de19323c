// The first of three kernels of a group norm: every channel's mean and sum of squared
// deviations over a chunk of pixels.
//
//   x, x2     [N, pixels, C], [N, pixels, C2]  activations; the input is their concatenation
//   partial   [N, chunks, C + C2, 2]           f32: a vec4 of means, then a vec4 of sums of squares
//
// A thread computes four channels of a chunk. It takes deviations from the chunk's first
// pixel, so that a large mean costs no precision. group_norm_combine.wgsl combines the
// chunks by the formula of Chan et al. If c2_quads is 0, x2 is bound to any buffer.

struct Params {
    pixels: u32,
    chunk: u32,      // pixels per chunk
    chunks: u32,     // of the whole picture
    c1_quads: u32,
    c2_quads: u32,
    chunk_at: u32,   // the number of x's first chunk among them; x may be a band of the picture
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> x2: array<Act4>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;

fn load(pixel: u32, q: u32) -> vec4<f32> {
    if q >= p.c1_quads { return act4(x2[pixel * p.c2_quads + q - p.c1_quads]); }
    return act4(x[pixel * p.c1_quads + q]);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let quads = p.c1_quads + p.c2_quads;
    let q = id.x;
    if q >= quads { return; }
    let first = group.y * p.chunk;
    let count = min(p.chunk, p.pixels - first);
    let at = group.z * p.pixels + first;
    let pivot = load(at, q);
    var sum = vec4<f32>(0.0);
    var squares = vec4<f32>(0.0);
    for (var i = 1u; i < count; i++) {
        let d = load(at + i, q) - pivot;
        sum += d;
        squares = fma(d, d, squares);
    }
    let mean = sum / f32(count);
    let to = ((group.z * p.chunks + p.chunk_at + group.y) * quads + q) * 2u;
    partial[to] = pivot + mean;
    partial[to + 1u] = max(squares - sum * mean, vec4<f32>(0.0));
}
