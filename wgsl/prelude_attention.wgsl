// What the kernels for attention share: the uniform and the bindings. The shapes
// of the buffers are in attention.wgsl. How q and the keys are read, each kernel declares: InputVector.

struct Params {
    t_q: u32,
    t_k: u32,
    q_pitch: u32,      // pitches and positions (_at) are in vec4
    q_at: u32,
    kv_pitch: u32,
    k_at: u32,
    v_at: u32,
    y_pitch: u32,
    image_tokens: u32, // ΣT_i
    image_pitch: u32,
    image_v_at: u32,
    prompts: u32,
    lambda_row: u32,
    lambda_at: u32,
    scale: f32,        // log2(e) / √d
    quads: u32,        // attention_cpu.wgsl only: vec4 per head
    causal: u32,       // attention_cpu.wgsl only: whether a query sees only the keys up to its own
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> q: array<InputVector>;
@group(0) @binding(2) var<storage, read> kv: array<InputVector>;
@group(0) @binding(3) var<storage, read_write> y: array<Act4>;
@group(0) @binding(4) var<storage, read> image_kv: array<InputVector>;
@group(0) @binding(5) var<storage, read> spans: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> lambda: array<f32>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var<storage, read> masks: array<f32>;

// The score of a masked key, and the first value of the running maximum. It is finite,
// because compilers may assume that there are no infinities.
const LOWEST = -1e30;
