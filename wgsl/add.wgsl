// y = x + λ · mask · r.
//
//   x, y    [count] vec4 of activations
//   r       vec4 of activations: entries of x's batch from `first` on, or one for all of them; an
//           entry has x's rows, or one for all of them. Entries before `first` are copied
//   lambda  [steps, lambda_row] f32: λ at lambda_at of the step's row; not read unless WEIGHTED
//   step    [1] u32; not read unless WEIGHTED
//   mask    [rows] f32: one weight for each pixel or token of a batch entry; not read unless MASKED
//
// One thread computes one vec4, the one at id.x + id.y · stride.
//
// Constants: WEIGHTED and MASKED (bool). Without them λ and the mask are 1.

struct Params {
    count: u32,
    stride: u32,
    row_quads: u32,   // vec4 in a row: of one pixel or token
    rows: u32,        // rows in a batch entry
    first: u32,       // the first entry that r is added to
    r_entry: u32,     // vec4 from an entry of r to the next, or 0 where there is one
    r_row: u32,       // vec4 from a row of r to the next, or 0 where an entry has one
    lambda_row: u32,
    lambda_at: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> r: array<Act4>;
@group(0) @binding(3) var<storage, read_write> y: array<Act4>;
@group(0) @binding(4) var<storage, read> lambda: array<f32>;
@group(0) @binding(5) var<storage, read> step: array<u32>;
@group(0) @binding(6) var<storage, read> mask: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let row = i / p.row_quads;
    let entry = row / p.rows;
    if entry < p.first {
        y[i] = x[i];
        return;
    }
    var weight = 1.0;
    if WEIGHTED { weight = lambda[step[0] * p.lambda_row + p.lambda_at]; }
    if MASKED { weight *= mask[row % p.rows]; }
    let at = (entry - p.first) * p.r_entry + row % p.rows * p.r_row + i % p.row_quads;
    y[i] = to_act4(act4(x[i]) + weight * act4(r[at]));
}
