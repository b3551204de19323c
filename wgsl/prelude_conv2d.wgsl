// What conv2d.wgsl and conv2d_cpu.wgsl share: the uniform, the bindings, and which input pixel
// a tap of an output pixel reads. The kernels read the buffers in vectors of different
// width, which each declares: InputVector, WeightVector, F32Vector, ResidualVector and OutVector.

struct Params {
    m: u32,              // output pixels: N · H_o · W_o
    n_quads: u32,        // output channels / 4, including padding
    w_quads: u32,        // NP / 4
    c1_quads: u32,       // channels of x / 4
    c2_quads: u32,       // channels of x2 / 4, or 0
    h_in: u32,
    w_in: u32,
    h_up: u32,           // the input's size after nearest-neighbour upsampling
    w_up: u32,
    h_out: u32,
    w_out: u32,
    top: i32,            // the input row that the first tap of the first output row reads: -padding, or a row of a band
    left: i32,           // the same for columns
    ksize: u32,
    stride: u32,
    flags: u32,          // BIAS, TABLE, RESIDUAL, UPSAMPLE, WIDE, GEGLU, LAMBDA, RECTIFY
    activation: u32,
    scale: f32,
    slices: u32,         // conv2d.wgsl only
    slice_passes: u32,   // conv2d.wgsl only: passes per slice
    phases: u32,         // conv2d.wgsl only: 4 for an upsampling in phases, N · N for Winograd's products, otherwise 1
    phase_step: u32,     // conv2d.wgsl only: columns of the input from an even phase to the odd one beside it
    pairs: u32,          // conv2d_cpu.wgsl only: pairs of columns of w in use, a multiple of LANES
    pixels: u32,         // conv2d_cpu.wgsl only: always 16, in the uniform so that the last loop is not unrolled
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<InputVector>;
@group(0) @binding(2) var<storage, read> w: array<WeightVector>;
@group(0) @binding(3) var<storage, read_write> y: array<OutVector>;
@group(0) @binding(4) var<storage, read> bias: array<F32Vector>;
@group(0) @binding(5) var<storage, read> x2: array<InputVector>;
@group(0) @binding(6) var<storage, read> table: array<F32Vector>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read> residual: array<ResidualVector>;

// The input pixel that an output pixel's first tap reads.
struct Start { image: i32, top: i32, left: i32 }

fn start(m: u32) -> Start {
    let pixel = m % (p.h_out * p.w_out);
    var s: Start;
    s.image = i32(m / (p.h_out * p.w_out) * p.h_in * p.w_in);
    s.top = i32(pixel / p.w_out * p.stride) + p.top;
    if m >= p.m { s.top = -1000000; }    // beyond the last pixel every tap is outside
    s.left = i32(pixel % p.w_out * p.stride) + p.left;
    return s;
}

fn has(flag: u32) -> bool { return (p.flags & flag) != 0u; }

// The pixel of x that a tap reads, or -1 if that is outside the border.
fn place(s: Start, tap: vec2<i32>, enlarged: bool) -> i32 {
    let iy = s.top + tap.y;
    let ix = s.left + tap.x;
    let inside = iy >= 0 && iy < i32(p.h_up) && ix >= 0 && ix < i32(p.w_up);
    var sy = iy;
    var sx = ix;
    if enlarged {
        sy = i32(u32(max(iy, 0)) * p.h_in / p.h_up);
        sx = i32(u32(max(ix, 0)) * p.w_in / p.w_up);
    }
    return select(-1, s.image + sy * i32(p.w_in) + sx, inside);
}
