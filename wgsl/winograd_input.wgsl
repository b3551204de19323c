// The first of the three parts of a 3 × 3 convolution by Winograd's algorithm (Lavin and Gray
// 2015, arXiv 1509.09308, section 4): cuts the input into overlapping tiles of N × N pixels,
// N = TILE + 2, and transforms each, V = Bᵗ d B. conv2d.wgsl then multiplies V by the weights of
// repack_winograd.wgsl, and winograd_output.wgsl makes TILE × TILE pixels of each tile's products.
//
//   x, x2  [B, H, W, C], [B, H, W, C2]  activations; with HAS_X2 the input is their concatenation
//          over the channels
//   v      [N · N, tiles, C + C2]  activations: V · scale of the tiles [first, first + tiles)
//
// Tiles are counted along the rows of tiles, and along the pictures. What is outside a picture is
// zero. A scale of 1/4 keeps what tiles of 2 × 2 sum up within the range of f16.
//
// One thread makes one row of a transformed tile, for one vec4 of channels. Constants: TILE (2 or
// 4), HAS_X2.

struct Params {
    count: u32,        // threads: tiles · N · (C + C2) / 4
    stride: u32,       // a thread's index is id.x + id.y · stride
    tiles: u32,
    first: u32,
    tiles_across: u32, // in a row of tiles
    tiles_down: u32,   // rows of tiles in a picture
    c1_quads: u32,     // C / 4
    c2_quads: u32,     // C2 / 4, or 0
    h_in: u32,
    w_in: u32,
    top: i32,          // the row of the input that the first tile begins at: -1, or a row of a band
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read> x2: array<Act4>;
@group(0) @binding(3) var<storage, read_write> v: array<Act4>;

const N = TILE + 2u;

// The rows of Bᵗ: which rows of pixels are summed up, and their factors.
const ROWS_2 = array(vec2<u32>(0u, 2u), vec2<u32>(1u, 2u), vec2<u32>(2u, 1u), vec2<u32>(1u, 3u));
const FACTORS_2 = array(vec2<f32>(1.0, -1.0), vec2<f32>(1.0, 1.0), vec2<f32>(1.0, -1.0), vec2<f32>(1.0, -1.0));
const ROWS_4 = array(vec4<u32>(0u, 2u, 4u, 4u), vec4<u32>(1u, 2u, 3u, 4u), vec4<u32>(1u, 2u, 3u, 4u),
    vec4<u32>(1u, 2u, 3u, 4u), vec4<u32>(1u, 2u, 3u, 4u), vec4<u32>(1u, 3u, 5u, 5u));
const FACTORS_4 = array(vec4<f32>(4.0, -5.0, 1.0, 0.0), vec4<f32>(-4.0, -4.0, 1.0, 1.0), vec4<f32>(4.0, -4.0, -1.0, 1.0),
    vec4<f32>(-2.0, -1.0, 2.0, 1.0), vec4<f32>(2.0, -1.0, -2.0, 1.0), vec4<f32>(4.0, -5.0, 1.0, 0.0));

// Where a thread reads: the first pixel of a picture, the row and the column that its tile begins
// at, and the quad of channels.
struct Place { image: u32, top: i32, left: i32, quad: u32 }

// A pixel of the tile.
fn pixel(at: Place, dy: u32, dx: u32) -> vec4<f32> {
    let row = at.top + i32(dy);
    let column = at.left + i32(dx);
    let inside = row >= 0 && row < i32(p.h_in) && column >= 0 && column < i32(p.w_in);
    let pixel = select(0u, at.image + u32(row) * p.w_in + u32(column), inside);
    var value: Act4;
    if HAS_X2 && at.quad >= p.c1_quads {
        value = x2[pixel * p.c2_quads + at.quad - p.c1_quads];
    } else {
        value = x[pixel * p.c1_quads + at.quad];
    }
    return select(vec4<f32>(0.0), act4(value), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + id.y * p.stride;
    if i >= p.count { return; }
    let c_quads = p.c1_quads + p.c2_quads;
    let quad = i % c_quads;
    let row = i / c_quads % N;
    let tile = i / c_quads / N;

    // 1. Where the tile begins.
    let number = p.first + tile;
    let at = Place(number / (p.tiles_across * p.tiles_down) * p.h_in * p.w_in,
        i32(number / p.tiles_across % p.tiles_down * TILE) + p.top, i32(number % p.tiles_across * TILE) - 1, quad);

    // 2. The row of Bᵗ d.
    var d: array<vec4<f32>, N>;
    if TILE == 2u {
        let rows = ROWS_2[row];
        let factors = FACTORS_2[row];
        for (var dx = 0u; dx < N; dx++) { d[dx] = factors.x * pixel(at, rows.x, dx) + factors.y * pixel(at, rows.y, dx); }
    } else {
        let rows = ROWS_4[row];
        let factors = FACTORS_4[row];
        for (var dx = 0u; dx < N; dx++) {
            d[dx] = factors.x * pixel(at, rows.x, dx) + factors.y * pixel(at, rows.y, dx) + factors.z * pixel(at, rows.z, dx) + factors.w * pixel(at, rows.w, dx);
        }
    }

    // 3. Times B.
    let to = (row * N * p.tiles + tile) * c_quads + quad;
    if TILE == 2u {
        write(to, 0u, d[0] - d[2]);
        write(to, 1u, d[1] + d[2]);
        write(to, 2u, d[2] - d[1]);
        write(to, 3u, d[1] - d[3]);
    } else {
        let even = d[N - 2u] - 4.0 * d[2];
        let odd = d[3] - 4.0 * d[1];
        let near = d[N - 2u] - d[2];
        let far = 2.0 * (d[3] - d[1]);
        write(to, 0u, 4.0 * d[0] - 5.0 * d[2] + d[N - 2u]);
        write(to, 1u, even + odd);
        write(to, 2u, even - odd);
        write(to, 3u, near + far);
        write(to, 4u, near - far);
        write(to, 5u, 4.0 * d[1] - 5.0 * d[3] + d[N - 1u]);
    }
}

// Writes a place of the row that begins at to.
fn write(to: u32, place: u32, value: vec4<f32>) { v[to + place * p.tiles * (p.c1_quads + p.c2_quads)] = to_act4(value * p.scale); }
