// A convolution over NHWC as an implicit matrix product. With a 1 × 1 kernel it is the linear
// layer:
//
//   y[m, n] = (act(Σ_tap Σ_c x[pixel(m, tap), c] · w[tap, c, n] + bias[n] + table[step, n]) + residual[m, n]) · scale
//
// With LAMBDA the table's row is a factor of the sum and its bias, and not a part of the sum. With
// RECTIFY what is negative after the residual becomes 0.
//
// A workgroup of 8 × 8 threads computes a tile of TILE_M pixels by TILE_N channels, and a
// thread 4·MV pixels by 4·NV channels in registers. Each pass takes one tap and BK input
// channels through workgroup memory, where values are f32, so that they are widened once
// and not in every product. Borders are tested once per tap. The products are written out
// with constant indices into workgroup memory, so that between two of them no index is
// clamped and no address is computed; with ROLLED they are a loop, for GPUs with few registers.
// With EARLY a pass's loads are under way during the products of the pass before. COST.md shows
// what the compilers of real GPUs make of that.
//
// If there are too few tiles to fill a GPU, the passes are cut into slices, each a workgroup
// in z. Then y is [slices, M, N] in f32 and holds bare sums, and conv2d_sum.wgsl does the
// rest.
//
// With four phases the input is enlarged by two, and every phase is a 2 × 2 convolution of the
// small picture with weights of its own, from phase_conv2d.wgsl. A phase is a workgroup in z,
// too; its sizes in the uniform are those of the small picture.
//
// With phases and 1 × 1, every phase is a product of its own, of its own rows of x and its own
// weights: those of a convolution by Winograd's algorithm (winograd_input.wgsl).
//
// conv2d_cpu.wgsl computes the same on a processor that emulates a GPU.
//
// Layouts
//   x, x2     [N, H_i, W_i, C], [N, H_i, W_i, C2]  activations; with HAS_X2 the input is their
//             concatenation over the channels
//   w         [phases, taps, C + C2, NP]  weights; NP is the number of output channels padded to a
//             multiple of 64 (repack_conv2d.wgsl). Rows of zeros follow, up to a multiple of BK
//             from the last tap's first row
//   y         [N, H_o, W_o, N]  activations or, with WIDE, f32
//   residual  [N, H_o, W_o, N]  activations
//   bias      [NP] f32, in the order of w's columns
//   table     [steps, N] f32
//   step      [1] u32
// With GEGLU, 64 columns of w are 32 values and their 32 gates, and y[n] = value · gelu(gate)
// has half as many channels. What a flag switches off is bound to any buffer.
//
// Constants: MV, NV (1 or 2; with GEGLU NV is 2), BK, HAS_X2, EARLY, ROLLED, and the flags. Everything else
// is in the uniform: it is read once per tap or per tile, and each further constant would
// give a network more pipelines to compile.

//needs prelude_conv2d
//needs prelude_conv2d_tile
//needs prelude_conv2d_end

alias Tile4 = vec4<f32>;
fn tile_act4(v: Act4) -> Tile4 { return act4(v); }
fn tile_weight4(v: Weight4) -> Tile4 { return weight4(v); }

// The products of all passes are summed alike.
fn halfway(sums: ptr<function, Sums>, acc: ptr<function, Acc>) {}
fn flush(sums: ptr<function, Sums>, acc: ptr<function, Acc>) {}
fn total(sums: Sums, acc: Acc) -> Acc { return sums; }
