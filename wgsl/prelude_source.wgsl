// How a kernel reads a number of a checkpoint's tensor in the file's type, p.source: number i
// is in the u32 at word(i).

fn word(i: u32) -> u32 { return select(i / 2u, i, p.source == SOURCE_F32); }

fn number(bits: u32, i: u32) -> f32 {
    if p.source == SOURCE_F32 { return bitcast<f32>(bits); }
    if p.source == SOURCE_BF16 { return bitcast<f32>(select(bits << 16u, bits & 0xffff0000u, i % 2u == 1u)); }
    return unpack2x16float(bits)[i % 2u];
}
