// attention.wgsl for a processor that emulates a GPU, without workgroup memory;
// conv2d_cpu.wgsl says why. The formula and the layouts of the buffers are in
// attention.wgsl.
//
// A thread computes two queries of a whole head. It takes 16 keys at a time: of each four,
// every thread of a quad reads one and gets the others from its neighbours by
// quadBroadcast. The running maximum and sum (online softmax) are updated every 16 keys.
//
// Constants: QUADS, the largest number of vec4 per head; CROSS, whether there are image
// prompts.

//needs prelude_attention
//needs subgroups

// How the buffers of prelude_attention.wgsl are read.
alias InputVector = ActWords;

const THREADS = 16u;    // of a workgroup; thread t computes queries t and t + THREADS of 32

// The two queries' results.
var<private> acc_a: array<vec4<f32>, QUADS>;
var<private> acc_b: array<vec4<f32>, QUADS>;

// The numbers of the quad's four threads.
fn spread(v: f32) -> vec4<f32> { return vec4<f32>(quadBroadcast(v, 0u), quadBroadcast(v, 1u), quadBroadcast(v, 2u), quadBroadcast(v, 3u)); }

// A vec4 of the head of each of four keys, transposed.
fn spread4(v: vec4<f32>) -> mat4x4<f32> { return mat4x4<f32>(spread(v.x), spread(v.y), spread(v.z), spread(v.w)); }

// Adds the products of a query with four keys to s.
fn score(a: vec4<f32>, keys: mat4x4<f32>, s: vec4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(a.x), keys[0], fma(vec4<f32>(a.y), keys[1], fma(vec4<f32>(a.z), keys[2], fma(vec4<f32>(a.w), keys[3], s))));
}

// Adds the weighted values of four keys to acc.
fn add(e: vec4<f32>, v: vec4<f32>, acc: vec4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(e.x), quadBroadcast(v, 0u), fma(vec4<f32>(e.y), quadBroadcast(v, 1u),
        fma(vec4<f32>(e.z), quadBroadcast(v, 2u), fma(vec4<f32>(e.w), quadBroadcast(v, 3u), acc))));
}

// Masks those of the keys first .. first + 3 that are not among the first seen keys.
fn only(s: vec4<f32>, first: u32, seen: u32) -> vec4<f32> {
    return select(vec4<f32>(LOWEST), s, vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(seen));
}

fn highest4(s: vec4<f32>) -> f32 { return max(max(s.x, s.y), max(s.z, s.w)); }
fn sum4(s: vec4<f32>) -> f32 { return s.x + s.y + s.z + s.w; }

// A masked key counts nothing, even if all keys so far were masked.
fn weights(s: vec4<f32>, top: f32) -> vec4<f32> {
    return select(exp2(s - vec4<f32>(top)), vec4<f32>(0.0), s <= vec4<f32>(LOWEST));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let quads = p.quads;
    let row_a = group.x * 2u * THREADS + t;
    let row_b = row_a + THREADS;
    let head = group.y * quads;
    let batch = group.z;
    let q_a = (batch * p.t_q + min(row_a, p.t_q - 1u)) * p.q_pitch + p.q_at + head;
    let q_b = (batch * p.t_q + min(row_b, p.t_q - 1u)) * p.q_pitch + p.q_at + head;

    var top_a = LOWEST;
    var top_b = LOWEST;
    var sum_a = 0.0;
    var sum_b = 0.0;
    // The words take one pass, an image prompt two, of which the first computes only the
    // maximum and the sum. They share a loop, so that the pass is compiled only once.
    for (var n = 0u; n < 1u + 2u * p.prompts; n++) {
        let image = n > 0u;
        let weigh = n % 2u == 1u;
        let adds = image && !weigh;
        var keys_at = batch * p.t_k * p.kv_pitch + p.k_at + head;    // in kv, or image_kv
        var pitch = p.kv_pitch;
        var count = p.t_k;
        var factor_a = 1.0;
        var factor_b = 1.0;
        if image {
            let prompt = (n - 1u) / 2u;
            let weight = lambda[step[0] * p.lambda_row + p.lambda_at + prompt];
            if weight == 0.0 { continue; }
            let span = spans[prompt];
            keys_at = (batch * p.image_tokens + span.x) * p.image_pitch + head;
            pitch = p.image_pitch;
            count = span.y;
            if adds {
                factor_a = weight / sum_a;
                factor_b = weight / sum_b;
                if span.z > 0u {
                    let mask = (span.z - 1u) * ((p.t_q + 3u) / 4u * 4u);
                    factor_a *= masks[mask + min(row_a, p.t_q - 1u)];
                    factor_b *= masks[mask + min(row_b, p.t_q - 1u)];
                }
            }
        }
        if !adds {
            top_a = LOWEST;
            top_b = LOWEST;
            sum_a = 0.0;
            sum_b = 0.0;
        }
        if !image {
            for (var i = 0u; i < quads; i++) {
                acc_a[i] = vec4<f32>();
                acc_b[i] = vec4<f32>();
            }
        }
        let seen_a = select(count, min(count, row_a + 1u), p.causal != 0u);
        let seen_b = select(count, min(count, row_b + 1u), p.causal != 0u);
        for (var key0 = 0u; key0 < count; key0 += 16u) {
            // Where this thread reads its key of each four, or the last key if there are no more.
            let k0 = keys_at + min(key0 + t % 4u, count - 1u) * pitch;
            let k1 = keys_at + min(key0 + 4u + t % 4u, count - 1u) * pitch;
            let k2 = keys_at + min(key0 + 8u + t % 4u, count - 1u) * pitch;
            let k3 = keys_at + min(key0 + 12u + t % 4u, count - 1u) * pitch;
            var a0 = vec4<f32>();
            var a1 = vec4<f32>();
            var a2 = vec4<f32>();
            var a3 = vec4<f32>();
            var b0 = vec4<f32>();
            var b1 = vec4<f32>();
            var b2 = vec4<f32>();
            var b3 = vec4<f32>();
            for (var i = 0u; i < quads; i++) {
                let a = act_words(q[q_a + i]) * p.scale;
                let b = act_words(q[q_b + i]) * p.scale;
                let m0 = spread4(key(image, k0 + i));
                a0 = score(a, m0, a0);
                b0 = score(b, m0, b0);
                let m1 = spread4(key(image, k1 + i));
                a1 = score(a, m1, a1);
                b1 = score(b, m1, b1);
                let m2 = spread4(key(image, k2 + i));
                a2 = score(a, m2, a2);
                b2 = score(b, m2, b2);
                let m3 = spread4(key(image, k3 + i));
                a3 = score(a, m3, a3);
                b3 = score(b, m3, b3);
            }
            a0 = only(a0, key0, seen_a);
            a1 = only(a1, key0 + 4u, seen_a);
            a2 = only(a2, key0 + 8u, seen_a);
            a3 = only(a3, key0 + 12u, seen_a);
            b0 = only(b0, key0, seen_b);
            b1 = only(b1, key0 + 4u, seen_b);
            b2 = only(b2, key0 + 8u, seen_b);
            b3 = only(b3, key0 + 12u, seen_b);
            let high_a = max(top_a, highest4(max(max(a0, a1), max(a2, a3))));
            let high_b = max(top_b, highest4(max(max(b0, b1), max(b2, b3))));
            a0 = weights(a0, high_a);
            a1 = weights(a1, high_a);
            a2 = weights(a2, high_a);
            a3 = weights(a3, high_a);
            b0 = weights(b0, high_b);
            b1 = weights(b1, high_b);
            b2 = weights(b2, high_b);
            b3 = weights(b3, high_b);
            var rescale_a = 1.0;
            var rescale_b = 1.0;
            if !adds {
                rescale_a = exp2(top_a - high_a);
                rescale_b = exp2(top_b - high_b);
                top_a = high_a;
                top_b = high_b;
                sum_a = fma(sum_a, rescale_a, sum4(a0 + a1 + a2 + a3));
                sum_b = fma(sum_b, rescale_b, sum4(b0 + b1 + b2 + b3));
            }
            if weigh { continue; }
            a0 *= factor_a;
            a1 *= factor_a;
            a2 *= factor_a;
            a3 *= factor_a;
            b0 *= factor_b;
            b1 *= factor_b;
            b2 *= factor_b;
            b3 *= factor_b;
            let v_at = select(p.v_at - p.k_at, p.image_v_at, image);    // from a key to its value
            for (var i = 0u; i < quads; i++) {
                let v0 = key(image, k0 + v_at + i);
                let v1 = key(image, k1 + v_at + i);
                let v2 = key(image, k2 + v_at + i);
                let v3 = key(image, k3 + v_at + i);
                acc_a[i] = add(a0, v0, add(a1, v1, add(a2, v2, add(a3, v3, acc_a[i] * rescale_a))));
                acc_b[i] = add(b0, v0, add(b1, v1, add(b2, v2, add(b3, v3, acc_b[i] * rescale_b))));
            }
        }
        if !image {
            for (var i = 0u; i < quads; i++) {
                acc_a[i] = acc_a[i] / sum_a;
                acc_b[i] = acc_b[i] / sum_b;
            }
        }
    }

    for (var i = 0u; i < quads; i++) {
        if row_a < p.t_q { y[(batch * p.t_q + row_a) * p.y_pitch + head + i] = to_act4(acc_a[i]); }
        if row_b < p.t_q { y[(batch * p.t_q + row_b) * p.y_pitch + head + i] = to_act4(acc_b[i]); }
    }
}

// Reads keys or values of the words or of the image prompts.
fn key(image: bool, at: u32) -> vec4<f32> {
    if CROSS && image { return act_words(image_kv[at]); }
    return act_words(kv[at]);
}
