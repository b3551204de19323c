// sum += factor · (a ⊗ b), what a Kronecker product adds to some rows of a weight:
// sum[o, i, t] += factor · a[o / B, i / D] · b[o % B, i % D, t].
//
//   a    [A, C]                  f32
//   b    [B, D, taps]            f32
//   sum  [rows, C · D, taps]     f32: the rows from row on, of A · B
//
// One thread computes one number, the one at id.x + id.y · stride.

struct Params {
    count: u32,      // rows · C · D · taps
    stride: u32,
    row: u32,
    a_columns: u32,  // C
    b_rows: u32,     // B
    b_columns: u32,  // D
    taps: u32,
    factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * p.stride;
    if at >= p.count { return; }
    let tap = at % p.taps;
    let inputs = p.a_columns * p.b_columns;
    let i = at / p.taps % inputs;
    let o = at / p.taps / inputs + p.row;
    let left = a[o / p.b_rows * p.a_columns + i / p.b_columns];
    let right = b[(o % p.b_rows * p.b_columns + i % p.b_columns) * p.taps + tap];
    sum[at] += p.factor * left * right;
}
