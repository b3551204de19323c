// What the kernels that write a convolution's result share: how a vec4 of it is completed and written.
// A kernel's struct Params has flags and scale, and its bindings have y and residual.

// at is the vec4's place in y and in the residual.
fn put(at: u32, v: vec4<f32>) {
    var s = v;
    if (p.flags & RESIDUAL) != 0u { s += act4(residual[at]); }
    if (p.flags & RECTIFY) != 0u { s = max(s, vec4<f32>(0.0)); }
    s *= p.scale;
    let wide = (p.flags & WIDE) != 0u;
    let place = select(at, at * WIDE_PLACES, wide);
    y[place] = out_low(s, wide);
    if WIDE_PLACES == 2u && wide { y[place + 1u] = out_high(s); }
}
