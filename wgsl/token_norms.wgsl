// One divided by the length of every token.
//
//   x        [rows, C]  activations
//   inverse  [rows]     f32
//
// LANES threads compute a row, and a workgroup ROWS rows.
//
// Constants: LANES, ROWS.

struct Params {
    rows: u32,
    quads: u32,     // C / 4
    stride: u32,    // workgroup group.x + group.y · stride computes ROWS rows
    lanes: u32,     // LANES, in the uniform so that a processor's compiler does not unroll the sums
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> inverse: array<f32>;

var<workgroup> squares: array<f32, LANES * ROWS>;

@compute @workgroup_size(LANES * ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let row = (group.x + group.y * p.stride) * ROWS + t / LANES;
    let at = min(row, p.rows - 1u) * p.quads;
    let lane = t % LANES;
    var square = 0.0;
    for (var q = lane; q < p.quads; q += LANES) {
        let v = act4(x[at + q]);
        square += dot(v, v);
    }
    squares[t] = square;
    workgroupBarrier();
    if lane > 0u || row >= p.rows { return; }
    var sum = 0.0;
    for (var i = 0u; i < p.lanes; i++) { sum += squares[t + i]; }
    inverse[row] = inverseSqrt(max(sum, 1e-30));
}
