// The same as conv2d.wgsl, which says what is computed, with short sums in f16: BK / 2 products, which
// are half of a pass, are summed in f16, and their sums in f32. It needs shader-f16. Many GPUs compute
// f16 twice as fast as f32, and the tiles take half the workgroup memory.
//
// With BK = 16 a sum's relative error is 4e-4, where rounding the result to f16 alone gives
// 2e-4. With whole passes in f16 it would be 6e-4, and whole pictures would differ from diffusers'
// by more than twice its own f16 error; with f16 throughout, 2.5e-3 to 1.5e-2 for the sizes of
// Stable Diffusion.

//needs prelude_conv2d
//needs prelude_conv2d_tile
//needs prelude_conv2d_end

alias Tile4 = vec4<f16>;
fn tile_act4(v: Act4) -> Tile4 { return v; }
fn tile_weight4(v: Weight4) -> Tile4 { return v; }

fn flush(sums: ptr<function, Sums>, acc: ptr<function, Acc>) {
    for (var i = 0u; i < RESULTS; i++) {
        (*acc)[i] += vec4<f32>((*sums)[i]);
        (*sums)[i] = Tile4();
    }
}
fn halfway(sums: ptr<function, Sums>, acc: ptr<function, Acc>) { flush(sums, acc); }
fn total(sums: Sums, acc: Acc) -> Acc { return acc; }
