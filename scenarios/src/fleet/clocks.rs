//! Clocks that run side by side: which one is next.

/// Never.
pub(super) const NEVER: u64 = u64::MAX;

/// Instants in nanoseconds, one a clock, in a tournament: setting one and finding the least cost the
/// logarithm of their number. Of equal instants the clock with the lower number is first.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    /// The clocks, and then `NEVER` up to a power of two.
    at: Vec<u64>,
    /// Winner of each match; match 1 is the final, match `i` is between those of `2 i` and `2 i + 1`.
    winner: Vec<u32>,
}

impl Clocks {
    /// `count` clocks that never ring.
    pub(super) fn new(count: usize) -> Clocks {
        let size = count.next_power_of_two().max(2);
        let mut clocks = Clocks { at: vec![NEVER; size], winner: vec![0; size] };
        for game in (1..size).rev() {
            clocks.play(game);
        }
        clocks
    }

    /// Sets a clock.
    #[inline]
    pub(super) fn set(&mut self, clock: usize, at: u64) {
        self.at[clock] = at;
        let mut game = usize::midpoint(clock, self.at.len());
        while game > 0 {
            self.play(game);
            game /= 2;
        }
    }

    /// When a clock rings.
    #[inline]
    pub(super) fn at(&self, clock: usize) -> u64 {
        self.at[clock]
    }

    /// The clock that rings first, and when.
    #[inline]
    pub(super) fn next(&self) -> (usize, u64) {
        let clock = self.winner[1] as usize;
        (clock, self.at[clock])
    }

    #[inline]
    fn play(&mut self, game: usize) {
        let size = self.at.len();
        let first_of = |player: usize| {
            if player >= size {
                u32::try_from(player - size).expect("fewer than 2^32 clocks")
            } else {
                self.winner[player]
            }
        };
        let (left, right) = (first_of(2 * game), first_of(2 * game + 1));
        let first = if self.at[right as usize] < self.at[left as usize] { right } else { left };
        self.winner[game] = first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::{Domain, Keyed};

    #[test]
    fn the_next_clock_is_the_least_of_all() {
        let keyed = Keyed::new(4);
        for count in [1, 2, 3, 5, 8, 130] {
            let mut clocks = Clocks::new(count);
            assert_eq!(clocks.next().1, NEVER);
            for step in 0..2000_u64 {
                let word = keyed.word(Domain::Plan, keyed.base(1, step), 0);
                let clock = usize::try_from(word % count as u64).unwrap();
                // Few different instants, so that many are equal.
                clocks.set(clock, word >> 59);
                let least = (0..count).min_by_key(|&clock| (clocks.at(clock), clock)).unwrap();
                assert_eq!(clocks.next(), (least, clocks.at(least)), "{count} clocks, step {step}");
            }
        }
    }
}
