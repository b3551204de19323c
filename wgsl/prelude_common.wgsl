// Activation functions in f32, for every kernel. Arguments are clamped where a driver's exp
// would overflow. The codes NONE, SILU, GELU, QUICK_GELU and RELU are constants of every module.

fn silu4(x: vec4<f32>) -> vec4<f32> { return x / (1.0 + exp(-max(x, vec4<f32>(-80.0)))); }

// x · sigmoid(1.702 x), as in OpenAI's CLIP.
fn quick_gelu4(x: vec4<f32>) -> vec4<f32> { return x / (1.0 + exp(-max(1.702 * x, vec4<f32>(-80.0)))); }

// erf by Abramowitz and Stegun, 7.1.26, with an error of at most 1.5e-7.
fn erf4(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * a);
    let y = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - y * exp(-min(a * a, vec4<f32>(80.0))));
}

// 0.5 x (1 + erf(x/√2)), torch's default gelu.
fn gelu4(x: vec4<f32>) -> vec4<f32> { return 0.5 * x * (1.0 + erf4(x * 0.70710678)); }

fn activate4(kind: u32, x: vec4<f32>) -> vec4<f32> {
    switch kind {
        case SILU: { return silu4(x); }
        case GELU: { return gelu4(x); }
        case QUICK_GELU: { return quick_gelu4(x); }
        case RELU: { return max(x, vec4<f32>(0.0)); }
        default: { return x; }
    }
}
