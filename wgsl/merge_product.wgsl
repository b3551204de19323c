// sum = [sum +] factor · [times ·] a · b, in f32: what a pair of low-rank matrices adds to a weight.
//
//   a      [rows, rank]     f32; its number (r, k) is at a_at + r · a_row + k · a_column, so that it may
//                           be transposed, or some rows of a larger matrix
//   b      [rank, columns]  f32
//   times  [rows, columns]  f32: the other factor of an element-wise product; not read unless TIMES
//   sum    [rows, columns]  f32
//
// A workgroup of 64 threads computes 8 rows by 256 columns. A thread computes the columns t,
// t + 64, t + 128 and t + 192 of them, so that neighbours read neighbouring numbers, and all
// threads read the same numbers of a.
//
// Constants: TIMES (bool).

struct Params {
    rows: u32,
    columns: u32,
    rank: u32,
    a_at: u32,
    a_row: u32,
    a_column: u32,
    add: u32,        // 1 to add to sum
    factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> times: array<f32>;
@group(0) @binding(4) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    // Workgroups of the same columns follow one another, so that b's columns stay in the cache.
    let r = group.x * 8u;
    let c = group.y * 256u + t;
    // Rows and columns beyond the end read the last one, and are not written.
    let last = p.columns - 1u;
    let c0 = min(c, last);
    let c1 = min(c + 64u, last);
    let c2 = min(c + 128u, last);
    let c3 = min(c + 192u, last);
    let end = p.rows - 1u;
    var a0 = p.a_at + min(r, end) * p.a_row;
    var a1 = p.a_at + min(r + 1u, end) * p.a_row;
    var a2 = p.a_at + min(r + 2u, end) * p.a_row;
    var a3 = p.a_at + min(r + 3u, end) * p.a_row;
    var a4 = p.a_at + min(r + 4u, end) * p.a_row;
    var a5 = p.a_at + min(r + 5u, end) * p.a_row;
    var a6 = p.a_at + min(r + 6u, end) * p.a_row;
    var a7 = p.a_at + min(r + 7u, end) * p.a_row;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    var s4 = vec4<f32>();
    var s5 = vec4<f32>();
    var s6 = vec4<f32>();
    var s7 = vec4<f32>();
    var at = 0u;
    var row = 0u;
    for (var k = 0u; k < p.rank; k++) {
        let v = vec4<f32>(b[row + c0], b[row + c1], b[row + c2], b[row + c3]);
        s0 = fma(vec4<f32>(a[a0 + at]), v, s0);
        s1 = fma(vec4<f32>(a[a1 + at]), v, s1);
        s2 = fma(vec4<f32>(a[a2 + at]), v, s2);
        s3 = fma(vec4<f32>(a[a3 + at]), v, s3);
        s4 = fma(vec4<f32>(a[a4 + at]), v, s4);
        s5 = fma(vec4<f32>(a[a5 + at]), v, s5);
        s6 = fma(vec4<f32>(a[a6 + at]), v, s6);
        s7 = fma(vec4<f32>(a[a7 + at]), v, s7);
        at += p.a_column;
        row += p.columns;
    }
    put(r, c, s0);
    put(r + 1u, c, s1);
    put(r + 2u, c, s2);
    put(r + 3u, c, s3);
    put(r + 4u, c, s4);
    put(r + 5u, c, s5);
    put(r + 6u, c, s6);
    put(r + 7u, c, s7);
}

fn put(r: u32, c: u32, s: vec4<f32>) {
    if r >= p.rows { return; }
    one(r, c, s.x);
    one(r, c + 64u, s.y);
    one(r, c + 128u, s.z);
    one(r, c + 192u, s.w);
}

fn one(r: u32, c: u32, s: f32) {
    if c >= p.columns { return; }
    let i = r * p.columns + c;
    var v = p.factor * s;
    if TIMES { v *= times[i]; }
    if p.add != 0u { v += sum[i]; }
    sum[i] = v;
}
