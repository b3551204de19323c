// The prelude with shader-f16: activations and weights are f16 in memory. They are widened
// once, when they are read, and every sum is f32.
alias Act = f16;
alias Act4 = vec4<f16>;
alias Weight4 = vec4<f16>;

fn act(v: Act) -> f32 { return f32(v); }
fn act4(v: Act4) -> vec4<f32> { return vec4<f32>(v); }
fn weight4(v: Weight4) -> vec4<f32> { return vec4<f32>(v); }

// Clamped, because compilers may assume that nothing overflows to infinity.
fn to_act(v: f32) -> Act { return f16(clamp(v, -65504.0, 65504.0)); }
fn to_act4(v: vec4<f32>) -> Act4 { return vec4<f16>(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }

// The result of a kernel that writes Act4 or, if wide, vec4<f32>, which takes two elements.
alias Out = vec2<u32>;
const WIDE_PLACES = 2u;
fn out_low(v: vec4<f32>, wide: bool) -> Out {
    if wide { return bitcast<vec2<u32>>(v.xy); }
    return bitcast<vec2<u32>>(to_act4(v));
}
fn out_high(v: vec4<f32>) -> Out { return bitcast<vec2<u32>>(v.zw); }

// The same for vectors of two, and activations as words, for the kernels for processors. These read two halves in one
// word, because a processor gathers the elements of a vector one by one.
alias Act2 = u32;
alias Weight2 = u32;
alias Out2 = u32;
alias ActWords = vec2<u32>;
fn act2(v: Act2) -> vec2<f32> { return unpack2x16float(v); }
fn weight2(v: Weight2) -> vec2<f32> { return unpack2x16float(v); }
fn act_words(v: ActWords) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn out2_low(v: vec2<f32>, wide: bool) -> Out2 {
    if wide { return bitcast<u32>(v.x); }
    return bitcast<u32>(vec2<f16>(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0))));
}
fn out2_high(v: vec2<f32>) -> Out2 { return bitcast<u32>(v.y); }

fn to_weight4(v: vec4<f32>) -> Weight4 { return vec4<f16>(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }
