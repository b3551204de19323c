// Common to conv2d.wgsl and conv2d_cpu.wgsl, whose uniform p it reads: flags, and which pixel of the
// input a tap of an output pixel falls on.

// Where an output pixel's first tap reads.
struct Start { image: i32, top: i32, left: i32 }

fn start(m: u32) -> Start {
    let pixel = m % (p.h_out * p.w_out);
    var s: Start;
    s.image = i32(m / (p.h_out * p.w_out) * p.h_in * p.w_in);
    s.top = i32(pixel / p.w_out * p.stride) + p.top;
    if m >= p.m { s.top = -1000000; }    // beyond the last pixel: outside at every tap
    s.left = i32(pixel % p.w_out * p.stride) + p.left;
    return s;
}

fn has(flag: u32) -> bool { return (p.flags & flag) != 0u; }

// The pixel of x that a tap reads, or -1 beyond the border.
fn place(s: Start, tap: vec2<i32>, enlarged: bool) -> i32 {
    let iy = s.top + tap.y;
    let ix = s.left + tap.x;
    let inside = iy >= 0 && iy < i32(p.h_up) && ix >= 0 && ix < i32(p.w_up);
    var sy = iy;
    var sx = ix;
    if enlarged {
        sy = i32(u32(max(iy, 0)) * p.h_in / p.h_up);
        sx = i32(u32(max(ix, 0)) * p.w_in / p.w_up);
    }
    return select(-1, s.image + sy * i32(p.w_in) + sx, inside);
}
