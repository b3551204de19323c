// Averages of windows of pixels that do not overlap. A window at the border is smaller.
//
//   x  [N, H_i, W_i, C]  activations
//   y  [N, H_o, W_o, C]  activations
//
// A workgroup computes four vec4 of one window, the one at group.x + group.y · stride: 16
// threads each sum every 16th pixel of a vec4, and the first of them adds the sums up. The
// windows may be as large as the picture, and then there are few workgroups.

struct Params {
    windows: u32,    // N · H_o · W_o
    stride: u32,
    quads: u32,      // C / 4, including padding
    h_in: u32,
    w_in: u32,
    h_out: u32,
    w_out: u32,
    height: u32,     // of a window
    width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>;
@group(0) @binding(2) var<storage, read_write> y: array<Act4>;

var<workgroup> sums: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let window = min(group.x + group.y * p.stride, p.windows - 1u);
    let q = min(group.z * 4u + t % 4u, p.quads - 1u);
    let image = window / (p.h_out * p.w_out);
    let top = window / p.w_out % p.h_out * p.height;
    let left = window % p.w_out * p.width;
    let height = min(p.height, p.h_in - top);
    let width = min(p.width, p.w_in - left);
    var sum = vec4<f32>(0.0);
    for (var i = t / 4u; i < height * width; i += 16u) {
        let pixel = (image * p.h_in + top + i / width) * p.w_in + left + i % width;
        sum += act4(x[pixel * p.quads + q]);
    }
    sums[t] = sum;
    workgroupBarrier();
    if t >= 4u || group.x + group.y * p.stride >= p.windows || group.z * 4u + t >= p.quads { return; }
    for (var i = 1u; i < 16u; i++) { sum += sums[t + 4u * i]; }
    y[window * p.quads + q] = to_act4(sum / f32(height * width));
}
