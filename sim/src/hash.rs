//! Hashes that never change: of names, and of the trace.

/// Odd constants without structure: the fractional digits of pi.
const PI: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89];

/// Mixes two words into one: the two halves of their 128-bit product, folded.
///
/// This is the mixing step of wyhash. A word that equals its constant gives zero, which keyed use
/// makes as improbable as guessing the key.
#[inline]
pub const fn fold(a: u64, b: u64) -> u64 {
    let product = (a ^ PI[0]) as u128 * (b ^ PI[1]) as u128;
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let low = product as u64;
    (product >> 64) as u64 ^ low
}

/// Hash of a name. Entities are keyed by it, never by their index, so that adding one leaves the others as they were.
pub const fn name_hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = fold(PI[2], bytes.len() as u64);
    let mut i = 0;
    while i < bytes.len() {
        hash = fold(hash ^ bytes[i] as u64, PI[3]);
        i += 1;
    }
    fold(hash, PI[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hash_apart() {
        let names: Vec<String> = (0..10_000).map(|i| format!("r{i}")).collect();
        let mut hashes: Vec<u64> = names.iter().map(|name| name_hash(name)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), names.len());
    }

    #[test]
    fn a_name_keeps_its_hash_for_ever() {
        // Every stored seed depends on this value.
        assert_eq!(name_hash("r0"), 0x720d_ba2f_e2c3_29ff);
    }
}
