//! Which replica an attempt goes to: what one caller knows of one callee's replicas.

use murphy_scenarios::language::Balancer;
use murphy_sim::below;

use super::draw::{self, Purpose};

/// One caller's view of the replicas of one callee.
#[derive(Clone, Debug)]
pub(crate) struct Balance {
    how: Balancer,
    /// Whose turn it is.
    turn: usize,
    /// Attempts on their way, by replica.
    outstanding: Vec<u32>,
}

impl Balance {
    /// Of so many replicas. Callers start their turns at their own number, so that they do not move in step.
    pub(crate) fn new(how: Balancer, replicas: usize, ordinal: usize) -> Balance {
        Balance { how, turn: ordinal % replicas, outstanding: vec![0; replicas] }
    }

    /// The replica that the next attempt goes to.
    pub(crate) fn choose(&mut self, luck: u64) -> usize {
        let n = self.outstanding.len();
        if n == 1 {
            return 0;
        }
        let random = |word: u64, n: usize| usize::try_from(below(word, n as u64)).expect("an index");
        let word = draw::word(luck, Purpose::Balance);
        match self.how {
            Balancer::RoundRobin => {
                self.turn = (self.turn + 1) % n;
                self.turn
            }
            Balancer::Random => random(word, n),
            Balancer::LeastOutstanding => {
                self.turn = (self.turn + 1) % n;
                let by_turn = (0..n).map(|step| (self.turn + step) % n);
                by_turn.min_by_key(|&replica| self.outstanding[replica]).unwrap_or(0)
            }
            Balancer::PowerOfTwo => {
                let one = random(word, n);
                let step = 1 + random(draw::word(word, Purpose::Balance), n - 1);
                let two = (one + step) % n;
                if self.outstanding[two] < self.outstanding[one] { two } else { one }
            }
        }
    }

    /// Another replica than this one, if there is one.
    pub(crate) fn other(&self, replica: usize) -> usize {
        (replica + 1) % self.outstanding.len()
    }

    /// An attempt is on its way.
    #[inline]
    pub(crate) fn sent(&mut self, replica: usize) {
        self.outstanding[replica] += 1;
    }

    /// An attempt is no longer on its way.
    #[inline]
    pub(crate) fn landed(&mut self, replica: usize) {
        self.outstanding[replica] -= 1;
    }
}
