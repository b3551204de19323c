// y = factor · x, or y + factor · x, from a file's type to f32.
//
//   x  [count]  in the file's type
//   y  [count]  f32
//
// One thread computes one number, the one at id.x + id.y · stride.
//
// Constants: SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3, SOURCE_E5M2.

struct Params {
    count: u32,
    stride: u32,
    source: u32,    // SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3 or SOURCE_E5M2
    add: u32,       // 1 to add to y
    factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

//needs prelude_source

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    var v = p.factor * number(x[word(i)], i);
    if p.add != 0u { v += y[i]; }
    y[i] = v;
}
