// What attention.wgsl and its variants for GPUs share: the passes over the keys of the words and
// of the image prompts. Each kernel declares pass_keys, which makes one pass; divide, which divides
// the result by the sum of the weights; and weigh, which replaces an image prompt's sum by the
// factor of its values.

alias InputVector = Act4;

// What a pass over the keys does.
const WHOLE = 0u;    // compute softmax(Q·Kᵗ)·V in acc, still to be divided by sum
const WEIGH = 1u;    // compute only the maximum and the sum
const ADD = 2u;      // add weighted values to acc; highest is known, and sum is a factor of the weights

struct Keys {
    image: bool,
    batch_at: u32,    // tokens
    pitch: u32,
    k_at: u32,
    v_at: u32,
    count: u32,
}

// Makes all passes for a thread's query, that of the given row. head and batch are the workgroup's.
fn attend(row: u32, head: u32, batch: u32, t: u32) {
    let words = Keys(false, batch * p.t_k, p.kv_pitch, p.k_at + head, p.v_at + head, p.t_k);
    if CROSS {
        // The words take one pass, an image prompt two. They share a loop, so that the pass is
        // compiled only once.
        for (var n = 0u; n < 1u + 2u * p.prompts; n++) {
            var kind = WHOLE;
            var keys = words;
            if n > 0u {
                let prompt = (n - 1u) / 2u;
                let weight = lambda[step[0] * p.lambda_row + p.lambda_at + prompt];
                if weight == 0.0 { continue; }
                let span = spans[prompt];
                keys = Keys(true, batch * p.image_tokens + span.x, p.image_pitch, head, p.image_v_at + head, span.y);
                kind = select(ADD, WEIGH, n % 2u == 1u);
                if kind == ADD { weigh(weight, span.z, row); }
            }
            pass_keys(kind, keys, row, t);
            if n == 0u { divide(t); }
        }
    } else {
        pass_keys(WHOLE, words, row, t);
        divide(t);
    }
}

// An image prompt's factor, times its mask if it has one.
fn masked(factor: f32, mask: u32, row: u32) -> f32 {
    if mask == 0u { return factor; }
    return factor * masks[(mask - 1u) * ((p.t_q + 3u) / 4u * 4u) + min(row, p.t_q - 1u)];
}
