// What attention.wgsl and attention_cpu.wgsl share: the uniform and the bindings, whose
// shapes stand in attention.wgsl.

struct Params {
    t_q: u32,
    t_k: u32,
    q_pitch: u32,      // in vec4, like all pitches and places
    q_at: u32,
    kv_pitch: u32,
    k_at: u32,
    v_at: u32,
    y_pitch: u32,
    image_tokens: u32, // ΣT_i
    image_pitch: u32,
    image_v_at: u32,
    prompts: u32,
    scale_row: u32,
    scale_at: u32,
    scale: f32,        // log2(e) / √d
    quads: u32,        // attention_cpu.wgsl only: vec4 of a head
    causal: u32,       // attention_cpu.wgsl only: whether a query sees only the keys up to its own
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> q: array<Act4>;
@group(0) @binding(2) var<storage, read> kv: array<Act4>;
@group(0) @binding(3) var<storage, read_write> y: array<Act4>;
@group(0) @binding(4) var<storage, read> image_kv: array<Act4>;
@group(0) @binding(5) var<storage, read> spans: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> scales: array<f32>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read> masks: array<f32>;

// The score of a key that is masked, and the running maximum to begin with: finite, because
// a compiler may assume that there are no infinities.
const LOWEST = -1e30;
