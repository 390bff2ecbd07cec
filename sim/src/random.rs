//! Randomness by purpose: keyed words for the environment, a stream for each process.
//!
//! An *environment decision* (delay, loss, arrival…) is a function of (seed, domain, entity names,
//! ordinal). It does not depend on what was drawn before, so adding a node, a fault or a probe
//! leaves every other decision as it was. A *process* draws from its own `ChaCha8` stream.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::hash::{fold, name_hash};

/// What an environment decision is about. Two domains never share a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Domain {
    /// Latency of one message on its way.
    Delay = 1,
    /// Jitter of one message, beside its latency.
    Jitter,
    /// Whether the network loses a message.
    Loss,
    /// Whether the network duplicates a message.
    Duplicate,
    /// Latency of the duplicate.
    DuplicateDelay,
    /// Whether a message is held back, and for how long.
    Reorder,
    /// Whether a message is corrupted, and how.
    Corrupt,
    /// Time between two arrivals of a workload.
    Arrival,
    /// Which client, operation and key an arrival gets.
    Request,
    /// Latency and failure of one disk operation.
    Disk,
    /// What a fault does to one message or operation; the fault's name is in the key.
    Fault,
    /// Expansion of a generator into faults, before the run.
    Plan,
    /// Phase and order of what would otherwise start together.
    Phase,
    /// What an adversary does to one message.
    Adversary,
    /// Order of events at the same instant, when a schedule shuffles them.
    Tie,
}

/// The keyed source of environment decisions of one run.
#[derive(Clone, Debug)]
pub struct Keyed {
    keys: [u64; 2],
}

impl Keyed {
    /// The source that belongs to `seed`.
    pub fn new(seed: u64) -> Keyed {
        let mut rng = chacha(seed, 0);
        Keyed { keys: [rng.next_u64(), rng.next_u64()] }
    }

    /// Key of a family of decisions: the source's name hash and the ordinal of its operation.
    #[inline]
    pub fn base(&self, entity: u64, ordinal: u64) -> u64 {
        fold(entity ^ self.keys[0], ordinal ^ self.keys[1])
    }

    /// The one word of a decision. `base` comes from [`Keyed::base`]; `other` is a second name hash, or zero.
    #[inline]
    pub fn word(&self, domain: Domain, base: u64, other: u64) -> u64 {
        // Two rounds: one alone leaves the low bits of neighbouring ordinals correlated.
        fold(fold(base ^ (domain as u64), other ^ self.keys[0]), self.keys[1])
    }
}

/// The `ChaCha8` stream of one process, or of one purpose.
///
/// The next few words lie in one cache line with their count: a draw touches nothing else.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Stream {
    /// How many of the next words are used up.
    used: usize,
    next: [u64; 7],
    rng: ChaCha8Rng,
}

impl Stream {
    /// The stream that belongs to a seed and a name (or purpose) hash.
    pub fn new(seed: u64, name: u64) -> Stream {
        // Stream 0 is the environment's.
        Stream { used: 7, next: [0; 7], rng: chacha(seed, name | 1) }
    }

    /// The next word.
    #[inline]
    pub fn word(&mut self) -> u64 {
        if let Some(&word) = self.next.get(self.used) {
            self.used += 1;
            return word;
        }
        self.refill()
    }

    #[inline(never)]
    fn refill(&mut self) -> u64 {
        self.next = std::array::from_fn(|_| self.rng.next_u64());
        self.used = 1;
        self.next[0]
    }

    /// Looks at the next word, so that it is in the cache when it is drawn.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.next[0]
    }

    /// A whole number below `bound`, from exactly one word.
    ///
    /// # Panics
    /// When `bound` is zero.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        below(self.word(), bound)
    }

    /// A number in the open interval (0, 1).
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit(self.word())
    }
}

/// Maps a word to the open interval (0, 1).
#[inline]
pub fn unit(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// Maps a word to a whole number below `bound`; the bias is at most `bound` / 2^64.
///
/// # Panics
/// When `bound` is zero.
#[inline]
pub fn below(word: u64, bound: u64) -> u64 {
    assert!(bound > 0, "there is no whole number below zero");
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}

/// A probability as a band of words: an event happens when its word lies in the band.
///
/// Bands that do not overlap, of one draw, exclude one another: see [`Chance::band`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chance {
    low: u64,
    width: u128,
    /// Name hash of a draw that several chances share; zero for a draw of its own.
    draw: u64,
}

impl Chance {
    /// It never happens.
    pub const NEVER: Chance = Chance { low: 0, width: 0, draw: 0 };
    /// It always happens.
    pub const ALWAYS: Chance = Chance { low: 0, width: 1 << 64, draw: 0 };

    /// The chance that is nearest to `probability`, clamped to `0.0..=1.0`.
    pub fn new(probability: f64) -> Chance {
        Chance { low: 0, width: words(probability), draw: 0 }
    }

    /// The band from `skip` to `skip + probability` of a draw that all chances with this `draw` share.
    ///
    /// What lies above one is cut off.
    pub fn band(draw: &str, skip: f64, probability: f64) -> Chance {
        let (low, high) = (words(skip), words(skip + probability));
        match u64::try_from(low) {
            Ok(start) => Chance { low: start, width: high.saturating_sub(low), draw: name_hash(draw) },
            Err(_) => Chance::NEVER,
        }
    }

    /// Name hash of the draw that decides: the shared one, else `own`.
    #[inline]
    pub(crate) fn drawn_by(self, own: u64) -> u64 {
        if self.draw == 0 { own } else { self.draw }
    }

    /// Whether this is [`Chance::NEVER`]: then no word need be drawn.
    #[inline]
    pub fn is_never(self) -> bool {
        self.width == 0
    }

    /// Whether the event with this word happens.
    #[inline]
    pub fn hits(self, word: u64) -> bool {
        u128::from(word).wrapping_sub(u128::from(self.low)) < self.width
    }
}

/// How many of the 2^64 words make a probability, clamped to `0.0..=1.0`.
fn words(probability: f64) -> u128 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=2^64")]
    let words = (probability.clamp(0.0, 1.0) * 18_446_744_073_709_551_616.0) as u128;
    words
}

fn chacha(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pearson's chi-square over 256 cells: 255 degrees of freedom, 0.1 % two-sided bounds 190.9 and 330.5.
    fn chi_square(words: impl Iterator<Item = u64>) -> f64 {
        let mut cells = [0_u32; 256];
        let mut total = 0.0;
        for word in words {
            cells[(word >> 56) as usize] += 1;
            total += 1.0;
        }
        let expected = total / 256.0;
        cells.iter().map(|&n| (f64::from(n) - expected) * (f64::from(n) - expected) / expected).sum()
    }

    #[test]
    fn keyed_words_are_uniform_over_ordinals_names_and_domains() {
        let keyed = Keyed::new(1);
        let over_ordinals = chi_square((0..100_000).map(|n| keyed.word(Domain::Delay, keyed.base(7, n), 9)));
        let over_names = chi_square((0..100_000).map(|n| keyed.word(Domain::Delay, keyed.base(7, 0), n)));
        let over_seeds =
            chi_square((0..20_000).map(Keyed::new).map(|k| k.word(Domain::Loss, k.base(7, 0), 9)));
        // Low bits must be as good: fold takes both halves of the product.
        let low = chi_square((0..100_000).map(|n| keyed.word(Domain::Loss, keyed.base(7, n), 9) << 56));
        for (what, value) in
            [("ordinals", over_ordinals), ("names", over_names), ("seeds", over_seeds), ("low bits", low)]
        {
            assert!((190.0..331.0).contains(&value), "{what}: chi-square {value}");
        }
    }

    #[test]
    fn neighbouring_decisions_are_uncorrelated() {
        let keyed = Keyed::new(5);
        let n = 100_000;
        let draw = |domain, ordinal| unit(keyed.word(domain, keyed.base(3, ordinal), 4)) - 0.5;
        let next: f64 = (0..n).map(|i| draw(Domain::Delay, i) * draw(Domain::Delay, i + 1)).sum();
        let domains: f64 = (0..n).map(|i| draw(Domain::Delay, i) * draw(Domain::Loss, i)).sum();
        // Each product has variance 1/144; four standard errors, two tests: false alarm 1.3e-4.
        let bound = 4.0 * (n as f64 / 144.0).sqrt();
        assert!(next.abs() < bound, "neighbours: {next} beyond {bound}");
        assert!(domains.abs() < bound, "domains: {domains} beyond {bound}");
    }

    #[test]
    fn a_chance_is_its_probability() {
        let keyed = Keyed::new(11);
        let chance = Chance::new(0.001);
        let n = 1_000_000_u64;
        let hits =
            (0..n).filter(|&i| chance.hits(keyed.word(Domain::Loss, keyed.base(1, i), 2))).count() as f64;
        // Binomial(1e6, 0.001): sd 31.6; four of them, false alarm 6e-5.
        assert!((hits - 1000.0).abs() < 127.0, "{hits} of {n}");
        assert!(Chance::ALWAYS.hits(u64::MAX));
        assert_eq!(Chance::new(1.0), Chance::ALWAYS);
        assert!(Chance::new(-3.0).is_never());
    }

    #[test]
    fn bands_of_one_draw_exclude_one_another_and_keep_their_shares() {
        let keyed = Keyed::new(5);
        let bands = [(0.0, 0.10), (0.10, 0.05), (0.15, 0.02)].map(|(skip, p)| Chance::band("a", skip, p));
        let n = 1_000_000_u64;
        let mut hits = [0_u64; 3];
        for i in 0..n {
            let word = keyed.word(Domain::Fault, keyed.base(1, i), 2);
            let hit: Vec<usize> = (0..3).filter(|&band| bands[band].hits(word)).collect();
            assert!(hit.len() <= 1, "word {word} is in the bands {hit:?}");
            for band in hit {
                hits[band] += 1;
            }
        }
        for (count, p) in hits.into_iter().zip([0.10, 0.05, 0.02]) {
            let sd = (n as f64 * p * (1.0 - p)).sqrt();
            // Three bands at four standard deviations: false alarm 2e-4.
            assert!((count as f64 - n as f64 * p).abs() < 4.0 * sd, "{count} of {n} for {p}");
        }
        assert!(Chance::band("a", 1.0, 0.5).is_never());
    }

    #[test]
    fn streams_differ_by_name_and_repeat_by_seed() {
        let words = |seed, name| {
            let mut stream = Stream::new(seed, name);
            [stream.word(), stream.word()]
        };
        assert_eq!(words(1, 5), words(1, 5));
        assert_ne!(words(1, 5), words(2, 5));
        assert_ne!(words(1, 5), words(1, 9));
    }
}
