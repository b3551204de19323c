// The prelude without shader-f16: activations are f32 in memory. Weights stay f16, packed in
// pairs, so that a model takes no more memory than with shader-f16.
alias Act = f32;
alias Act4 = vec4<f32>;
alias Weight4 = vec2<u32>;

fn act(v: Act) -> f32 { return v; }
fn act4(v: Act4) -> vec4<f32> { return v; }
fn weight4(v: Weight4) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }

fn to_act(v: f32) -> Act { return v; }
fn to_act4(v: vec4<f32>) -> Act4 { return v; }

// The result of a kernel that writes Act4 or, if wide, vec4<f32>, which are the same here.
alias Out = vec4<f32>;
const WIDE_PLACES = 1u;
fn out_low(v: vec4<f32>, wide: bool) -> Out { return v; }
fn out_high(v: vec4<f32>) -> Out { return v; }

// The same for vectors of two, and activations as words, for the kernels for processors.
alias Act2 = vec2<f32>;
alias Weight2 = u32;
alias Out2 = vec2<f32>;
alias ActWords = vec4<f32>;
fn act2(v: Act2) -> vec2<f32> { return v; }
fn weight2(v: Weight2) -> vec2<f32> { return unpack2x16float(v); }
fn act_words(v: ActWords) -> vec4<f32> { return v; }
fn out2_low(v: vec2<f32>, wide: bool) -> Out2 { return v; }
fn out2_high(v: vec2<f32>) -> Out2 { return v; }

fn to_weight4(v: vec4<f32>) -> Weight4 {
    let c = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    return vec2<u32>(pack2x16float(c.xy), pack2x16float(c.zw));
}
