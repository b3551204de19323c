// Makes the weights of a 3 × 3 convolution after nearest-neighbour upsampling by two into those
// of four 2 × 2 convolutions of the small picture, one for each place of an output pixel in a
// square of 2 × 2 (its phase).
//
// The upsampled rows 2i - 1, 2i and 2i + 1 are the rows i - 1, i and i of the small picture. For
// an even output row the kernel's rows 1 and 2 therefore read one row, and can be added; for an
// odd one the rows 0 and 1. The same holds for columns.
//
//   w       [9, I, NP]      weights as repack_conv2d.wgsl writes them
//   phases  [4, 4, I, NP]   weights: phase 2·(row % 2) + column % 2, then the tap
//
// One thread writes one vec4 of phases.

struct Params {
    count: u32,     // vec4 to write
    stride: u32,    // a thread's index is id.x + id.y · stride
    tap_quads: u32, // vec4 in a tap: I · NP / 4
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<Weight4>;
@group(0) @binding(2) var<storage, read_write> phases: array<Weight4>;

// The first row of the kernel that a tap of a phase stands for, and how many there are.
fn taps_of(phase: u32, tap: u32) -> vec2<u32> {
    if phase == 0u { return select(vec2<u32>(1u, 2u), vec2<u32>(0u, 1u), tap == 0u); }
    return select(vec2<u32>(2u, 1u), vec2<u32>(0u, 2u), tap == 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let at = i % p.tap_quads;
    let tap = i / p.tap_quads % 4u;
    let phase = i / p.tap_quads / 4u;
    let rows = taps_of(phase / 2u, tap / 2u);
    let columns = taps_of(phase % 2u, tap % 2u);
    var sum = vec4<f32>(0.0);
    for (var y = 0u; y < rows.y; y++) {
        for (var x = 0u; x < columns.y; x++) {
            sum += weight4(w[((rows.x + y) * 3u + columns.x + x) * p.tap_quads + at]);
        }
    }
    phases[i] = to_weight4(sum);
}
