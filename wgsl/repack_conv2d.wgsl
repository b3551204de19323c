// Brings a weight of a checkpoint from the file's layout into that of conv2d.wgsl.
//
//   staged  [rows, I, taps]  in the file's type: output channels [row, row + rows) of [O, I, KH, KW]
//   w       [taps, IP, NP]   weights; I is padded with zeros to a multiple of 4, the output
//           channels to a multiple of 64
//
// Output channel o becomes column to + o. With GEGLU (O = 2·half), value o < half becomes
// column 64·(o / 32) + o % 32, and its gate comes 32 columns later. One thread writes one
// vec4 of w.
//
// Constants: SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3, SOURCE_E5M2.

struct Params {
    count: u32,     // vec4 to write: taps · IP · quads
    stride: u32,    // a thread's index is id.x + id.y · stride
    row: u32,
    rows: u32,
    inputs: u32,    // I
    inputs_padded: u32,
    taps: u32,
    quads: u32,     // (rows + 3) / 4
    to: u32,
    half: u32,
    w_quads: u32,   // NP / 4
    source: u32,    // SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3 or SOURCE_E5M2
    geglu: u32,
    o_each: u32,    // how far apart two output channels are in the file: I · taps, or 1 in a matrix [I, O],
                    // or taps in [I, O, KH, KW]
    c_each: u32,    // and two input channels: taps, O, or O · taps
    flip: u32,      // whether the taps are read backwards: [I, O, KH, KW] of a transposed convolution
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> staged: array<u32>;
@group(0) @binding(2) var<storage, read_write> w: array<Weight4>;

//needs prelude_source

fn value(i: u32) -> f32 { return number(staged[word(i)], i); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let quad = i % p.quads;
    let c = i / p.quads % p.inputs_padded;
    let tap = i / p.quads / p.inputs_padded;
    let taken = select(tap, p.taps - 1u - tap, p.flip != 0u);
    var v = vec4<f32>(0.0);
    for (var j = 0u; j < 4u; j++) {
        let o = quad * 4u + j;
        if c < p.inputs && o < p.rows { v[j] = value(o * p.o_each + c * p.c_each + taken); }
    }
    var column = p.to + p.row + quad * 4u;
    if p.geglu != 0u {
        let o = p.row + quad * 4u;
        let within = o % p.half;
        column = 64u * (within / 32u) + within % 32u + select(0u, 32u, o >= p.half);
    }
    w[(tap * p.inputs_padded + c) * p.w_quads + column / 4u] = to_weight4(v);
}
