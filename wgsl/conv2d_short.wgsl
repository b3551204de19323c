// The same as conv2d.wgsl, which says what is computed, with short sums in f16: the BK products
// of a pass are summed in f16, and the passes in f32. It needs shader-f16. Many GPUs compute
// f16 twice as fast as f32, and the tiles take half the workgroup memory.
//
// With BK = 16 a sum's relative error is 6e-4, where rounding the result to f16 alone gives
// 2e-4; with f16 throughout it would be 2.6e-3 to 1.6e-2 for the sizes of Stable Diffusion.

//needs prelude_conv2d
//needs prelude_conv2d_tile

alias Tile4 = vec4<f16>;
fn tile_act4(v: Act4) -> Tile4 { return v; }
fn tile_weight4(v: Weight4) -> Tile4 { return v; }

fn flush(sums: ptr<function, Sums>, acc: ptr<function, Acc>) {
    for (var i = 0u; i < RESULTS; i++) {
        (*acc)[i] += vec4<f32>((*sums)[i]);
        (*sums)[i] = Tile4();
    }
}
fn total(sums: Sums, acc: Acc) -> Acc { return acc; }
