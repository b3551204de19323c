// The second of three kernels of a group norm: it combines the chunks' means and deviations
// into every group's mean and variance, and from these computes a factor and an offset for
// every channel.
//
//   partial   [N, chunks, C, 2]  f32, see group_norm_partial.wgsl
//   scale, shift [C] f32
//   affine    [N, C, 2]          f32: a vec4 of factors, then a vec4 of offsets
//
// A workgroup computes one group of channels. Groups need not begin at multiples of four.
//
// Constants: HAS_WEIGHT. Without it the scale is 1 and the shift is 0, whatever is bound.

struct Params {
    pixels: u32,
    chunk: u32,
    chunks: u32,
    quads: u32,          // C / 4
    group_channels: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>;
@group(0) @binding(4) var<storage, read_write> affine: array<f32>;

const THREADS = 64u;
var<workgroup> sums: array<f32, THREADS>;

// The sum of all threads' v. Every thread adds it up itself, because a tree would need a
// barrier for each level.
fn total(v: f32, t: u32) -> f32 {
    workgroupBarrier();
    sums[t] = v;
    workgroupBarrier();
    var s = 0.0;
    for (var i = 0u; i < THREADS; i++) { s += sums[i]; }
    return s;
}

// The index of channel c's first number in a row, which is pairs of vec4.
fn place(row: u32, c: u32) -> u32 { return (row * p.quads + c / 4u) * 8u + c % 4u; }

fn chunk_size(chunk: u32) -> f32 { return f32(min(p.chunk, p.pixels - chunk * p.chunk)); }

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let first = group.x * p.group_channels;
    let entries = p.chunks * p.group_channels;
    let count = f32(p.pixels * p.group_channels);

    var sum = 0.0;
    for (var e = t; e < entries; e += THREADS) {
        let chunk = e / p.group_channels;
        sum += chunk_size(chunk) * partial[place(group.y * p.chunks + chunk, first + e % p.group_channels)];
    }
    let mean = total(sum, t) / count;

    var squares = 0.0;
    for (var e = t; e < entries; e += THREADS) {
        let chunk = e / p.group_channels;
        let at = place(group.y * p.chunks + chunk, first + e % p.group_channels);
        let d = partial[at] - mean;
        squares += partial[at + 4u] + chunk_size(chunk) * d * d;
    }
    let rstd = inverseSqrt(total(squares, t) / count + p.eps);

    for (var i = t; i < p.group_channels; i += THREADS) {
        let c = first + i;
        let at = place(group.y, c);
        affine[at] = rstd;
        affine[at + 4u] = -mean * rstd;
        if HAS_WEIGHT {
            affine[at] = rstd * scale[c];
            affine[at + 4u] = shift[c] - mean * rstd * scale[c];
        }
    }
}
