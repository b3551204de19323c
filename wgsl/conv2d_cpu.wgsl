// conv2d.wgsl for a processor that emulates a GPU (SwiftShader, lavapipe): the same sums from
// the same buffers, without workgroup memory. The formula and the layouts of the buffers
// are in conv2d.wgsl.
//
// On such a processor the threads of a workgroup are the lanes of a vector. Reading
// workgroup memory is one more gather, a barrier switches between coroutines, and an array
// with a computed index is a gather and a scatter. So every thread computes 16 pixels by 4
// channels alone, in named variables. Of every four or eight pixels it reads one and gets the
// others from its neighbours, because a gather costs more than an exchange. Neighbouring threads
// read neighbouring words of w. With this kernel a step of the model that ships takes 1.3 s on SwiftShader and 0.5 s
// on lavapipe (two cores, f32); with conv2d.wgsl it takes 10.6 s and 1.2 s.
//
// A workgroup of 16 threads computes 16 pixels by 64 columns of w. A thread computes columns
// 2t, 2t + 1, 32 + 2t and 33 + 2t, so that with GEGLU it has values and their gates.
//
// Constants: LANES (4, or 8 where subgroups have so many threads), HAS_X2, HAS_TABLE, HAS_LAMBDA, HAS_RESIDUAL, UPSAMPLES, GATED (GEGLU), ACTIVATION, and the
// flags, of which only BIAS, WIDE and RECTIFY are used. The others are constants here, because
// SwiftShader executes both sides of a branch.

//needs prelude_conv2d
//needs subgroups

// How the buffers of prelude_conv2d.wgsl are read.
alias InputVector = ActWords;
alias WeightVector = Weight2;
alias F32Vector = vec2<f32>;
alias ResidualVector = Act2;
alias OutVector = Out2;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let n = group.y * 32u + t;    // the first pair of columns; the second is n + 16
    if n >= p.pairs { return; }
    let m = group.x * 16u;
    let s0 = start(m + 0u * LANES + t % LANES);
    let s1 = start(m + 1u * LANES + t % LANES);
    let s2 = start(m + 2u * LANES + t % LANES);
    let s3 = start(m + 3u * LANES + t % LANES);
    var a0 = vec4<f32>();
    var a1 = vec4<f32>();
    var a2 = vec4<f32>();
    var a3 = vec4<f32>();
    var a4 = vec4<f32>();
    var a5 = vec4<f32>();
    var a6 = vec4<f32>();
    var a7 = vec4<f32>();
    var a8 = vec4<f32>();
    var a9 = vec4<f32>();
    var a10 = vec4<f32>();
    var a11 = vec4<f32>();
    var a12 = vec4<f32>();
    var a13 = vec4<f32>();
    var a14 = vec4<f32>();
    var a15 = vec4<f32>();
    let quads = p.c1_quads + p.c2_quads;
    var row = n;
    for (var tap = 0u; tap < p.ksize * p.ksize; tap++) {
        let k = vec2<i32>(i32(tap % p.ksize), i32(tap / p.ksize));
        let p0 = place(s0, k, UPSAMPLES);
        let p1 = place(s1, k, UPSAMPLES);
        let p2 = place(s2, k, UPSAMPLES);
        let p3 = place(s3, k, UPSAMPLES);
        for (var q = 0u; q < quads; q++) {
            let v0 = load(p0, q);
            let v1 = load(p1, q);
            let v2 = load(p2, q);
            let v3 = load(p3, q);
            let w0 = columns(row);
            a0 = fma(vec4<f32>(pixel0(v0.x, v0.x)), w0, a0);
            a1 = fma(vec4<f32>(pixel1(v0.x, v0.x)), w0, a1);
            a2 = fma(vec4<f32>(pixel2(v0.x, v0.x)), w0, a2);
            a3 = fma(vec4<f32>(pixel3(v0.x, v0.x)), w0, a3);
            a4 = fma(vec4<f32>(pixel4(v1.x, v0.x)), w0, a4);
            a5 = fma(vec4<f32>(pixel5(v1.x, v0.x)), w0, a5);
            a6 = fma(vec4<f32>(pixel6(v1.x, v0.x)), w0, a6);
            a7 = fma(vec4<f32>(pixel7(v1.x, v0.x)), w0, a7);
            a8 = fma(vec4<f32>(pixel8(v2.x, v1.x)), w0, a8);
            a9 = fma(vec4<f32>(pixel9(v2.x, v1.x)), w0, a9);
            a10 = fma(vec4<f32>(pixel10(v2.x, v1.x)), w0, a10);
            a11 = fma(vec4<f32>(pixel11(v2.x, v1.x)), w0, a11);
            a12 = fma(vec4<f32>(pixel12(v3.x, v1.x)), w0, a12);
            a13 = fma(vec4<f32>(pixel13(v3.x, v1.x)), w0, a13);
            a14 = fma(vec4<f32>(pixel14(v3.x, v1.x)), w0, a14);
            a15 = fma(vec4<f32>(pixel15(v3.x, v1.x)), w0, a15);
            let w1 = columns(row + 2u * p.w_quads);
            a0 = fma(vec4<f32>(pixel0(v0.y, v0.y)), w1, a0);
            a1 = fma(vec4<f32>(pixel1(v0.y, v0.y)), w1, a1);
            a2 = fma(vec4<f32>(pixel2(v0.y, v0.y)), w1, a2);
            a3 = fma(vec4<f32>(pixel3(v0.y, v0.y)), w1, a3);
            a4 = fma(vec4<f32>(pixel4(v1.y, v0.y)), w1, a4);
            a5 = fma(vec4<f32>(pixel5(v1.y, v0.y)), w1, a5);
            a6 = fma(vec4<f32>(pixel6(v1.y, v0.y)), w1, a6);
            a7 = fma(vec4<f32>(pixel7(v1.y, v0.y)), w1, a7);
            a8 = fma(vec4<f32>(pixel8(v2.y, v1.y)), w1, a8);
            a9 = fma(vec4<f32>(pixel9(v2.y, v1.y)), w1, a9);
            a10 = fma(vec4<f32>(pixel10(v2.y, v1.y)), w1, a10);
            a11 = fma(vec4<f32>(pixel11(v2.y, v1.y)), w1, a11);
            a12 = fma(vec4<f32>(pixel12(v3.y, v1.y)), w1, a12);
            a13 = fma(vec4<f32>(pixel13(v3.y, v1.y)), w1, a13);
            a14 = fma(vec4<f32>(pixel14(v3.y, v1.y)), w1, a14);
            a15 = fma(vec4<f32>(pixel15(v3.y, v1.y)), w1, a15);
            let w2 = columns(row + 4u * p.w_quads);
            a0 = fma(vec4<f32>(pixel0(v0.z, v0.z)), w2, a0);
            a1 = fma(vec4<f32>(pixel1(v0.z, v0.z)), w2, a1);
            a2 = fma(vec4<f32>(pixel2(v0.z, v0.z)), w2, a2);
            a3 = fma(vec4<f32>(pixel3(v0.z, v0.z)), w2, a3);
            a4 = fma(vec4<f32>(pixel4(v1.z, v0.z)), w2, a4);
            a5 = fma(vec4<f32>(pixel5(v1.z, v0.z)), w2, a5);
            a6 = fma(vec4<f32>(pixel6(v1.z, v0.z)), w2, a6);
            a7 = fma(vec4<f32>(pixel7(v1.z, v0.z)), w2, a7);
            a8 = fma(vec4<f32>(pixel8(v2.z, v1.z)), w2, a8);
            a9 = fma(vec4<f32>(pixel9(v2.z, v1.z)), w2, a9);
            a10 = fma(vec4<f32>(pixel10(v2.z, v1.z)), w2, a10);
            a11 = fma(vec4<f32>(pixel11(v2.z, v1.z)), w2, a11);
            a12 = fma(vec4<f32>(pixel12(v3.z, v1.z)), w2, a12);
            a13 = fma(vec4<f32>(pixel13(v3.z, v1.z)), w2, a13);
            a14 = fma(vec4<f32>(pixel14(v3.z, v1.z)), w2, a14);
            a15 = fma(vec4<f32>(pixel15(v3.z, v1.z)), w2, a15);
            let w3 = columns(row + 6u * p.w_quads);
            a0 = fma(vec4<f32>(pixel0(v0.w, v0.w)), w3, a0);
            a1 = fma(vec4<f32>(pixel1(v0.w, v0.w)), w3, a1);
            a2 = fma(vec4<f32>(pixel2(v0.w, v0.w)), w3, a2);
            a3 = fma(vec4<f32>(pixel3(v0.w, v0.w)), w3, a3);
            a4 = fma(vec4<f32>(pixel4(v1.w, v0.w)), w3, a4);
            a5 = fma(vec4<f32>(pixel5(v1.w, v0.w)), w3, a5);
            a6 = fma(vec4<f32>(pixel6(v1.w, v0.w)), w3, a6);
            a7 = fma(vec4<f32>(pixel7(v1.w, v0.w)), w3, a7);
            a8 = fma(vec4<f32>(pixel8(v2.w, v1.w)), w3, a8);
            a9 = fma(vec4<f32>(pixel9(v2.w, v1.w)), w3, a9);
            a10 = fma(vec4<f32>(pixel10(v2.w, v1.w)), w3, a10);
            a11 = fma(vec4<f32>(pixel11(v2.w, v1.w)), w3, a11);
            a12 = fma(vec4<f32>(pixel12(v3.w, v1.w)), w3, a12);
            a13 = fma(vec4<f32>(pixel13(v3.w, v1.w)), w3, a13);
            a14 = fma(vec4<f32>(pixel14(v3.w, v1.w)), w3, a14);
            a15 = fma(vec4<f32>(pixel15(v3.w, v1.w)), w3, a15);
            row += 8u * p.w_quads;
        }
    }
    var sums = array(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15);
    for (var i = 0u; i < p.pixels; i++) { finish(m + i, n, sums[i]); }
}

// A pixel's value, which one thread of every four or eight has read.
fn pixel0(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 0u); } return quadBroadcast(four, 0u); }
fn pixel1(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 1u); } return quadBroadcast(four, 1u); }
fn pixel2(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 2u); } return quadBroadcast(four, 2u); }
fn pixel3(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 3u); } return quadBroadcast(four, 3u); }
fn pixel4(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 4u); } return quadBroadcast(four, 0u); }
fn pixel5(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 5u); } return quadBroadcast(four, 1u); }
fn pixel6(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 6u); } return quadBroadcast(four, 2u); }
fn pixel7(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 7u); } return quadBroadcast(four, 3u); }
fn pixel8(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 0u); } return quadBroadcast(four, 0u); }
fn pixel9(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 1u); } return quadBroadcast(four, 1u); }
fn pixel10(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 2u); } return quadBroadcast(four, 2u); }
fn pixel11(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 3u); } return quadBroadcast(four, 3u); }
fn pixel12(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 4u); } return quadBroadcast(four, 0u); }
fn pixel13(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 5u); } return quadBroadcast(four, 1u); }
fn pixel14(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 6u); } return quadBroadcast(four, 2u); }
fn pixel15(four: f32, eight: f32) -> f32 { if LANES == 8u { return subgroupBroadcast(eight, 7u); } return quadBroadcast(four, 3u); }

// The thread's four columns of a row of w.
fn columns(at: u32) -> vec4<f32> { return vec4<f32>(weight2(w[at]), weight2(w[at + 16u])); }

fn load(at: i32, q: u32) -> vec4<f32> {
    let pixel = u32(max(at, 0));
    var v: vec4<f32>;
    if HAS_X2 && q >= p.c1_quads {
        v = act_words(x2[pixel * p.c2_quads + q - p.c1_quads]);
    } else {
        v = act_words(x[pixel * p.c1_quads + q]);
    }
    return select(v, vec4<f32>(), at < 0);
}

fn finish(m: u32, n: u32, sums: vec4<f32>) {
    if m >= p.m { return; }
    var s = sums;
    if has(BIAS) { s += vec4<f32>(bias[n], bias[n + 16u]); }
    if GATED {
        let pair = (n / 32u) * 16u + n % 16u;
        put(m, pair, s.xy * gelu4(s).zw);
        return;
    }
    if HAS_TABLE {
        let at = step[0] * p.n_quads * 2u;
        if n < 2u * p.n_quads { s += vec4<f32>(table[at + n], 0.0, 0.0); }
        if n + 16u < 2u * p.n_quads { s += vec4<f32>(0.0, 0.0, table[at + n + 16u]); }
    }
    if HAS_LAMBDA {
        let at = step[0] * p.n_quads * 2u;
        if n < 2u * p.n_quads { s *= vec4<f32>(table[at + n], 1.0, 1.0); }
        if n + 16u < 2u * p.n_quads { s *= vec4<f32>(1.0, 1.0, table[at + n + 16u]); }
    }
    s = activate4(ACTIVATION, s);
    put(m, n, s.xy);
    put(m, n + 16u, s.zw);
}

fn put(m: u32, pair: u32, v: vec2<f32>) {
    if pair >= 2u * p.n_quads { return; }
    let at = m * 2u * p.n_quads + pair;
    var s = v;
    if HAS_RESIDUAL { s += act2(residual[at]); }
    if has(RECTIFY) { s = max(s, vec2<f32>(0.0)); }
    s *= p.scale;
    let wide = has(WIDE);
    let place = select(at, at * WIDE_PLACES, wide);
    y[place] = out2_low(s, wide);
    if WIDE_PLACES == 2u && wide { y[place + 1u] = out2_high(s); }
}
