// Brings a 3 × 3 kernel of a checkpoint into the form of Winograd's algorithm for tiles of
// TILE × TILE outputs, U = G g Gᵗ (Lavin and Gray 2015, arXiv 1509.09308, section 4), in the
// layout of conv2d.wgsl: one product of 1 × 1 for each of the N × N places, N = TILE + 2.
//
//   staged  [rows, I, 9]       in the file's type: output channels [row, row + rows) of [O, I, 3, 3]
//   w       [N · N, IP, NP]    weights; I is padded with zeros to a multiple of 4, the output
//           channels to a multiple of 64
//
// One thread computes all places of four output channels and one input channel.
//
// Constants: TILE (2 or 4), SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3, SOURCE_E5M2.

struct Params {
    count: u32,     // threads: IP · quads
    stride: u32,    // a thread's index is id.x + id.y · stride
    row: u32,
    rows: u32,
    inputs: u32,    // I
    inputs_padded: u32,
    quads: u32,     // (rows + 3) / 4
    w_quads: u32,   // NP / 4
    source: u32,    // SOURCE_F16, SOURCE_F32, SOURCE_BF16, SOURCE_E4M3 or SOURCE_E5M2
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> staged: array<u32>;
@group(0) @binding(2) var<storage, read_write> w: array<Weight4>;

//needs prelude_source

const N = TILE + 2u;
// Both numbers of the longer transform that the shorter one does not have.
const LAST = N - 1u;
const FOURTH = min(4u, LAST);

fn value(i: u32) -> f32 { return number(staged[word(i)], i); }

// G in one dimension.
fn transform(g0: vec4<f32>, g1: vec4<f32>, g2: vec4<f32>) -> array<vec4<f32>, N> {
    var u: array<vec4<f32>, N>;
    let outer = g0 + g2;
    if TILE == 2u {
        u[0] = g0;
        u[1] = (outer + g1) / 2.0;
        u[2] = (outer - g1) / 2.0;
    } else {
        let far = g0 + 4.0 * g2;
        u[0] = g0 / 4.0;
        u[1] = (outer + g1) / -6.0;
        u[2] = (outer - g1) / -6.0;
        u[3] = (far + 2.0 * g1) / 24.0;
        u[FOURTH] = (far - 2.0 * g1) / 24.0;
    }
    u[LAST] = g2;
    return u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let quad = i % p.quads;
    let c = i / p.quads;
    var g: array<vec4<f32>, 9>;
    for (var j = 0u; j < 4u; j++) {
        let o = quad * 4u + j;
        if c < p.inputs && o < p.rows {
            for (var tap = 0u; tap < 9u; tap++) { g[tap][j] = value((o * p.inputs + c) * 9u + tap); }
        }
    }
    let left = transform(g[0], g[3], g[6]);
    let middle = transform(g[1], g[4], g[7]);
    let right = transform(g[2], g[5], g[8]);
    let column = p.row / 4u + quad;
    for (var y = 0u; y < N; y++) {
        let u = transform(left[y], middle[y], right[y]);
        for (var x = 0u; x < N; x++) { w[((y * N + x) * p.inputs_padded + c) * p.w_quads + column] = to_weight4(u[x]); }
    }
}
