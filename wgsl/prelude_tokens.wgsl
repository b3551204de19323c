// How the tokens of an entry, H · W places, are divided for token merging: the top left token of every
// whole 2 × 2 square is a destination, and all others are sources. Both are counted in the order
// of the tokens. That is bipartite_soft_matching_random2d of tomesd with sx = sy = 2 and no_rand. A
// kernel's struct Params has height and width.

// The number of destinations in a row of squares.
fn across() -> u32 { return p.width / 2u; }

fn token_of_destination(d: u32) -> u32 { return d / across() * 2u * p.width + d % across() * 2u; }

fn token_of_source(s: u32) -> u32 {
    // Two rows have this many sources: those of an even row, and then a whole row.
    let even = p.width - across();
    let pair = s / (even + p.width);
    let at = s % (even + p.width);
    if pair == p.height / 2u { return pair * 2u * p.width + at; } // the last row of an odd height
    if at >= even { return (pair * 2u + 1u) * p.width + at - even; }
    return pair * 2u * p.width + select(at + across(), at * 2u + 1u, at < across());
}

// The number of destinations before a token.
fn destinations_before(token: u32) -> u32 {
    let y = token / p.width;
    let x = token % p.width;
    let here = select(0u, min((x + 1u) / 2u, across()), y % 2u == 0u && y / 2u < p.height / 2u);
    return min((y + 1u) / 2u, p.height / 2u) * across() + here;
}

fn is_destination(token: u32) -> bool {
    let y = token / p.width;
    let x = token % p.width;
    return y % 2u == 0u && x % 2u == 0u && y / 2u < p.height / 2u && x / 2u < across();
}
