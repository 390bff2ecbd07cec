//! Digests of ranges of keys, for anti-entropy: a Merkle tree of one level below its root.

use murphy_sim::fold;

/// A digest for each of 64 ranges, the sum of those of its keys: in any order, and each can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges([u64; 64]);

impl Default for Ranges {
    fn default() -> Ranges {
        Ranges([0; 64])
    }
}

impl Ranges {
    /// Bytes on the wire.
    pub const BYTES: u32 = 8 * 64;

    /// Adds the digest of a key's content, or takes it away if it is there.
    pub fn toggle(&mut self, key: u64, digest: u64) {
        let range = usize::try_from(key % 64).expect("a small number");
        self.0[range] ^= fold(key, digest);
    }

    /// The ranges that differ, as bits.
    pub fn differing(&self, other: &Ranges) -> u64 {
        let pairs = self.0.iter().zip(&other.0).enumerate();
        pairs.fold(0, |bits, (range, (a, b))| bits | u64::from(a != b) << range)
    }

    /// Whether a key is in one of these ranges.
    pub fn has(bits: u64, key: u64) -> bool {
        bits >> (key % 64) & 1 == 1
    }

    /// Digest of everything.
    pub fn digest(&self) -> u64 {
        self.0.iter().fold(0, |sum, digest| fold(sum, *digest))
    }
}
