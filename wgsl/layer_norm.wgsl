// Layer norm over the channels of every row, torch.nn.functional.layer_norm.
// x, y: [rows, C] activations; scale, shift: [C] f32. One workgroup a row; mean and
// variance in two passes of f32 sums, so that a large mean costs no precision.

struct Params {
    rows: u32,
    quads: u32,     // C / 4
    stride: u32,    // row = group.x + group.y · stride
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> scale: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> shift: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<Act4>;

const THREADS = 64u;
var<workgroup> sums: array<f32, THREADS>;

fn total(v: f32, t: u32) -> f32 {
    workgroupBarrier();
    sums[t] = v;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if t < half { sums[t] += sums[t + half]; }
        workgroupBarrier();
    }
    return sums[0];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = min(group.x + group.y * p.stride, p.rows - 1u);
    let at = row * p.quads;
    var sum = 0.0;
    for (var q = t; q < p.quads; q += THREADS) { sum += dot(act4(x[at + q]), vec4<f32>(1.0)); }
    let mean = total(sum, t) / f32(p.quads * 4u);
    var squares = 0.0;
    for (var q = t; q < p.quads; q += THREADS) {
        let v = act4(x[at + q]) - mean;
        squares += dot(v, v);
    }
    let rstd = inverseSqrt(total(squares, t) / f32(p.quads * 4u) + p.eps);
    for (var q = t; q < p.quads; q += THREADS) {
        y[at + q] = to_act4((act4(x[at + q]) - mean) * rstd * scale[q] + shift[q]);
    }
}
