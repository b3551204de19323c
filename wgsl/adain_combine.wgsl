// Adaptive instance normalisation (AdaIN, arXiv 1703.06868): a factor and an offset for every channel, with
// which an entry of the batch gets the mean and the deviation of another one.
//
//   partial  [N, chunks, C, 2]  f32, see group_norm_partial.wgsl
//   affine   [N, C, 2]          f32: a vec4 of factors, then a vec4 of offsets
//
// Entry e < own gets those of entry own + e. The entries from own on stay as they are. In the first
// mixed entries the result is fidelity · x + (1 - fidelity) · AdaIN(x). One thread computes one
// channel of an entry, the one at id.x + id.y · stride.

struct Params {
    count: u32,      // N · C
    stride: u32,
    pixels: u32,
    chunk: u32,
    chunks: u32,
    channels: u32,
    own: u32,        // N / 2
    mixed: u32,      // at most own
    fidelity: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> affine: array<f32>;

// The index of channel c's first number in a row, which is pairs of vec4.
fn place(row: u32, c: u32) -> u32 { return (row * p.channels / 4u + c / 4u) * 8u + c % 4u; }

fn chunk_size(chunk: u32) -> f32 { return f32(min(p.chunk, p.pixels - chunk * p.chunk)); }

// The mean and the deviation of an entry's channel. The variance is at least 1e-6.
fn statistics(entry: u32, c: u32) -> vec2<f32> {
    var sum = 0.0;
    for (var i = 0u; i < p.chunks; i++) { sum += chunk_size(i) * partial[place(entry * p.chunks + i, c)]; }
    let mean = sum / f32(p.pixels);
    var squares = 0.0;
    for (var i = 0u; i < p.chunks; i++) {
        let at = place(entry * p.chunks + i, c);
        let d = partial[at] - mean;
        squares += partial[at + 4u] + chunk_size(i) * d * d;
    }
    return vec2<f32>(mean, sqrt(max(squares / f32(p.pixels), 1e-6)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let entry = i / p.channels;
    let c = i % p.channels;
    var factor = 1.0;
    var offset = 0.0;
    if entry < p.own {
        let own = statistics(entry, c);
        let other = statistics(entry + p.own, c);
        let keep = select(0.0, p.fidelity, entry < p.mixed);
        let ratio = other.y / own.y;
        factor = keep + (1.0 - keep) * ratio;
        offset = (1.0 - keep) * (other.x - own.x * ratio);
    }
    let at = place(entry, c);
    affine[at] = factor;
    affine[at + 4u] = offset;
}
