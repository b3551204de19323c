// sum += w · (strength · (magnitude / ‖w‖ - 1) + 1) - base: a weight-decomposed change (DoRA), as
// LyCORIS computes it (functional/general.py, weight_decompose).
//
//   w          [rows, I, taps]  f32: the base with the change in it
//   norm       [rows] or [I]    f32: Σ w² of an output or of an input channel
//   magnitude  [O] or [I]       f32: dora_scale
//   base       [rows, I, taps]  in the file's type
//   sum        [rows, I, taps]  f32
//
// One thread computes one number, the one at id.x + id.y · stride.
//
// Constants: SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3, SOURCE_E5M2.

struct Params {
    count: u32,
    stride: u32,
    inputs: u32,
    taps: u32,
    row: u32,       // of the first row among all output channels
    by_input: u32,  // 1: norm and magnitude are those of the input channels
    source: u32,    // base's type
    strength: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;
@group(0) @binding(3) var<storage, read> magnitude: array<f32>;
@group(0) @binding(4) var<storage, read> base: array<u32>;
@group(0) @binding(5) var<storage, read_write> sum: array<f32>;

//needs prelude_source

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let columns = p.inputs * p.taps;
    let g = select(i / columns, i % columns / p.taps, p.by_input != 0u);
    let m = magnitude[select(g + p.row, g, p.by_input != 0u)];
    let scale = p.strength * (m / (sqrt(norm[g]) + 1.1920929e-7) - 1.0) + 1.0;
    sum[i] += w[i] * scale - number(base[word(i)], i);
}
