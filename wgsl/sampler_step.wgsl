// Classifier-free guidance, one step of any scheduler, and the UNet's next input.
//
// Every scheduler of the engine (package scheduler) is linear in the sample x, a saved sample
// s, this step's converted output m, those of the four steps before, m₁ … m₄, and fresh
// noise. The coefficients of a step are a row of a table:
//
//   e  = u + g·(c − u)
//   m  = clamp(mx·x + me·e)
//   x' = cx·x + cs·s + ce·e + cm·m + Σ ck·m_k + cn·noise
//   s' = sx·x + ss·s + sm·m + Σ sk·m_k                       if the row saves
//   x' = (1 − mask)·(a·init + b·noise₀) + mask·x'            with a mask
//   p  = px·x + pe·e, blended with init like x'                the predicted clean sample, for previews
//   input = input_scale·x'                                    for every batch entry
//
// eps     [batch, pixels, 4] f32: the prediction; with guidance, the one without words is first
// state   [7, pixels] vec4<f32>: x, s, m₁ … m₄, p
// table   [steps + 1, ROW] f32; row 0 only prepares the first input
// noise   [steps, pixels] vec4<f32>, or any buffer if no step draws
// inpaint [3, pixels] vec4<f32>: mask, init, noise₀; or any buffer if there is no mask
// input   [batch, pixels, input_quads] activations: the first vec4 of each pixel
//
// Constants: ROW, the length of a row, and the columns of a row: INPUT_SCALE, GUIDANCE, MX, ME,
// CLIP (0: do not clamp), CX, CS, CE, CM (for m, followed by four for m₁ … m₄), CN, SAVE, SX,
// SS, SM (like CM), PUSH (whether m becomes m₁), BLEND, BLEND_INIT (a), BLEND_NOISE (b), PX and PE.

struct Params {
    pixels: u32,
    input_quads: u32,
    batch: u32,     // 1 or 2
    inpaint: u32,   // 1 if there is a mask
    start: u32,     // 1 if only the input is written
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> eps: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read> step: array<u32>;
@group(0) @binding(5) var<storage, read> noise: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> inpaint: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> input: array<Act4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= p.pixels { return; }
    var x = state[i];
    var row = 0u;
    if p.start == 0u {
        row = (step[0] + 1u) * ROW;
        var e = eps[i];
        if p.batch == 2u { e += table[row + GUIDANCE] * (eps[p.pixels + i] - e); }
        var m = table[row + MX] * x + table[row + ME] * e;
        let limit = table[row + CLIP];
        if limit > 0.0 { m = clamp(m, vec4<f32>(-limit), vec4<f32>(limit)); }

        let s = state[p.pixels + i];
        var next = table[row + CX] * x + table[row + CS] * s + table[row + CE] * e + table[row + CM] * m;
        var saved = table[row + SX] * x + table[row + SS] * s + table[row + SM] * m;
        for (var k = 0u; k < 4u; k++) {
            let before = state[(2u + k) * p.pixels + i];
            next += table[row + CM + 1u + k] * before;
            saved += table[row + SM + 1u + k] * before;
        }
        if table[row + CN] != 0.0 { next += table[row + CN] * noise[step[0] * p.pixels + i]; }
        if table[row + SAVE] != 0.0 { state[p.pixels + i] = saved; }
        if table[row + PUSH] != 0.0 {
            for (var k = 3u; k > 0u; k--) { state[(2u + k) * p.pixels + i] = state[(1u + k) * p.pixels + i]; }
            state[2u * p.pixels + i] = m;
        }
        var clean = table[row + PX] * x + table[row + PE] * e;
        if p.inpaint != 0u && table[row + BLEND] != 0.0 {
            let known = table[row + BLEND_INIT] * inpaint[p.pixels + i] + table[row + BLEND_NOISE] * inpaint[2u * p.pixels + i];
            next = mix(known, next, inpaint[i]);
            clean = mix(inpaint[p.pixels + i], clean, inpaint[i]);
        }
        state[6u * p.pixels + i] = clean;
        x = next;
        state[i] = x;
    }
    let scaled = to_act4(x * table[row + INPUT_SCALE]);
    for (var b = 0u; b < p.batch; b++) { input[(b * p.pixels + i) * p.input_quads] = scaled; }
}
