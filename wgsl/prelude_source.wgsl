// How a kernel reads a number of a checkpoint's tensor in the file's type, p.source: number i
// is in the u32 at word(i).

fn word(i: u32) -> u32 {
    if p.source == SOURCE_F32 { return i; }
    return select(i / 2u, i / 4u, p.source == SOURCE_E4M3 || p.source == SOURCE_E5M2);
}

fn number(bits: u32, i: u32) -> f32 {
    if p.source == SOURCE_F32 { return bitcast<f32>(bits); }
    if p.source == SOURCE_BF16 { return bitcast<f32>(select(bits << 16u, bits & 0xffff0000u, i % 2u == 1u)); }
    if p.source == SOURCE_E4M3 { return float8(bits >> (8u * (i % 4u)), 3u); }
    if p.source == SOURCE_E5M2 { return float8(bits >> (8u * (i % 4u)), 2u); }
    return unpack2x16float(bits)[i % 2u];
}

// The 8-bit float in the lowest byte of bits. Its mantissa has 3 bits (E4M3, with the bias 7) or 2
// bits (E5M2, with the bias 15). E4M3 has a NaN, whose bits are all 1, and no infinity. In E5M2
// the highest exponent means an infinity or a NaN.
fn float8(bits: u32, mantissa: u32) -> f32 {
    let sign = (bits & 0x80u) << 24u;
    let magnitude = bits & 0x7fu;
    let bias = select(15u, 7u, mantissa == 3u);
    if magnitude >> mantissa == 0u {
        // m · 2^(1 - bias - mantissa), for a bias of 7: 2^-9; for 15: 2^-16
        let v = f32(magnitude) * select(1.52587890625e-5, 1.953125e-3, mantissa == 3u);
        return bitcast<f32>(bitcast<u32>(v) | sign);
    }
    var out = (magnitude << (23u - mantissa)) + ((127u - bias) << 23u);
    if magnitude >= select(0x7cu, 0x7fu, mantissa == 3u) {
        out = 0x7f800000u | ((magnitude << (23u - mantissa)) & 0x7fffffu);
    }
    return bitcast<f32>(out | sign);
}
