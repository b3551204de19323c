// The layer norm of every row, torch.nn.functional.layer_norm.
//
//   x, y          [rows, C]  activations
//   scale, shift  [C]        f32
//
// LANES threads compute a row, and a workgroup ROWS rows. Mean and variance are computed one
// after the other, in f32, so that a large mean costs no precision. Every thread adds up
// the sums of its row itself, because a tree would need a barrier for each level.
//
// Constants: LANES, ROWS.

struct Params {
    rows: u32,
    quads: u32,     // C / 4
    stride: u32,    // workgroup group.x + group.y · stride computes ROWS rows
    eps: f32,
    lanes: u32,     // LANES, in the uniform so that a processor's compiler does not unroll the sums
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> scale: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> shift: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<Act4>;

var<workgroup> sums: array<f32, LANES * ROWS>;
var<workgroup> squares: array<f32, LANES * ROWS>;

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = (group.x + group.y * p.stride) * ROWS + t / LANES;
    let at = min(row, p.rows - 1u) * p.quads;
    let lane = t % LANES;
    let first = t - lane;

    var sum = 0.0;
    for (var q = lane; q < p.quads; q += LANES) { sum += dot(act4(x[at + q]), vec4<f32>(1.0)); }
    sums[t] = sum;
    workgroupBarrier();
    var mean = 0.0;
    for (var i = 0u; i < p.lanes; i++) { mean += sums[first + i]; }
    mean /= f32(p.quads * 4u);

    var square = 0.0;
    for (var q = lane; q < p.quads; q += LANES) {
        let v = act4(x[at + q]) - mean;
        square += dot(v, v);
    }
    squares[t] = square;
    workgroupBarrier();
    var variance = 0.0;
    for (var i = 0u; i < p.lanes; i++) { variance += squares[first + i]; }
    let rstd = inverseSqrt(variance / f32(p.quads * 4u) + p.eps);

    if row >= p.rows { return; }
    for (var q = lane; q < p.quads; q += LANES) {
        y[at + q] = to_act4((act4(x[at + q]) - mean) * rstd * scale[q] + shift[q]);
    }
}
