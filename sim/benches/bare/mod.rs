//! The references that figures of the engine are printed against: a bare loop on std's heap.
//!
//! Nothing but a [`BinaryHeap`] of (time, sequence number, payload), with destinations and delays
//! from `ChaCha8`: no network, no faults, no trace. Each function answers millions of deliveries per CPU
//! second, measured after a warm-up. Delays are exponential with a mean of 1 ms.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use cpu_time::ThreadTime;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const MEAN_NANOS: f64 = 1e6;
/// A time-out of W3 is a hundred mean delays.
const TIMEOUT_NANOS: u64 = 100_000_000;

/// A delivery to a node, or the time-out that a node set as its `generation`-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Payload {
    Message { to: u32, round: u32 },
    Timeout { of: u32, generation: u32 },
}

struct Bare {
    heap: BinaryHeap<Reverse<(u64, u64, Payload)>>,
    pushed: u64,
    now: u64,
    rng: ChaCha8Rng,
}

impl Bare {
    fn new() -> Self {
        Bare { heap: BinaryHeap::new(), pushed: 0, now: 0, rng: ChaCha8Rng::seed_from_u64(1) }
    }

    fn push(&mut self, delay: u64, payload: Payload) {
        self.heap.push(Reverse((self.now + delay, self.pushed, payload)));
        self.pushed += 1;
    }

    fn pop(&mut self) -> Payload {
        let Reverse((at, _, payload)) = self.heap.pop().expect("a workload never runs dry");
        self.now = at;
        payload
    }

    fn send(&mut self, to: u32, round: u32) {
        let delay = exponential(&mut self.rng);
        self.push(delay, Payload::Message { to, round });
    }

    fn send_anywhere(&mut self, nodes: u32) {
        // The high half of a product: a uniform index from one word.
        let to = (u64::from(self.rng.next_u32()) * u64::from(nodes)) >> 32;
        self.send(u32::try_from(to).expect("an index is below the count of nodes"), 0);
    }
}

/// An exponential delay in nanoseconds, from one word.
#[allow(dead_code, reason = "one of the programs that include this file draws no delays")]
pub(crate) fn exponential(rng: &mut ChaCha8Rng) -> u64 {
    let unit = ((rng.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 37 means")]
    let nanos = (-libm::log(unit) * MEAN_NANOS) as u64;
    nanos
}

/// Runs `deliver` first `warm_up`, then `deliveries` times; millions of the latter per CPU second.
fn rate(warm_up: u64, deliveries: u64, mut deliver: impl FnMut()) -> f64 {
    (0..warm_up).for_each(|_| deliver());
    let start = ThreadTime::now();
    (0..deliveries).for_each(|_| deliver());
    deliveries as f64 / start.elapsed().as_secs_f64() / 1e6
}

/// W1: `k` messages in flight for each of `nodes`; a delivery sends one message to a random node.
pub(crate) fn w1(nodes: u32, k: u32, deliveries: u64) -> f64 {
    let mut bare = Bare::new();
    let pending = nodes * k;
    (0..pending).for_each(|_| bare.send_anywhere(nodes));
    rate(deliveries / 4 + 2 * u64::from(pending), deliveries, || {
        black_box(bare.pop());
        bare.send_anywhere(nodes);
    })
}

/// W3: W1, and a delivery sets its node's time-out anew, a hundred mean delays from now.
///
/// A heap cannot remove: the cancelled time-outs stay until they are due, and are then passed over.
pub(crate) fn w3(nodes: u32, k: u32, deliveries: u64) -> f64 {
    let mut bare = Bare::new();
    let pending = nodes * k;
    let mut generations = vec![0_u32; nodes as usize];
    let mut fired = 0_u64;
    (0..pending).for_each(|_| bare.send_anywhere(nodes));
    // The heap is full of cancelled time-outs after a hundred mean delays, not before.
    let rate = rate(deliveries / 4 + 120 * u64::from(pending), deliveries, || {
        loop {
            match bare.pop() {
                Payload::Message { to, .. } => {
                    let generation = &mut generations[to as usize];
                    *generation += 1;
                    let timeout = Payload::Timeout { of: to, generation: *generation };
                    bare.push(TIMEOUT_NANOS, timeout);
                    bare.send_anywhere(nodes);
                    return;
                }
                Payload::Timeout { of, generation } => {
                    fired += u64::from(generations[of as usize] == generation);
                }
            }
        }
    });
    black_box(fired);
    rate
}

/// W4: rounds among `nodes`; a node that has a round's message of every other starts the next round
/// by a message to every other.
pub(crate) fn w4(nodes: u32, deliveries: u64) -> f64 {
    let mut bare = Bare::new();
    // A node is at most one round ahead of another: two counters a node, by the round's parity.
    let mut heard = vec![[0_u32; 2]; nodes as usize];
    let broadcast = |bare: &mut Bare, from: u32, round: u32| {
        (0..nodes).filter(|&to| to != from).for_each(|to| bare.send(to, round));
    };
    (0..nodes).for_each(|node| broadcast(&mut bare, node, 0));
    let warm_up = deliveries / 4 + 2 * u64::from(nodes) * u64::from(nodes);
    rate(warm_up, deliveries, || {
        let Payload::Message { to, round } = bare.pop() else { unreachable!("W4 sets no time-out") };
        let count = &mut heard[to as usize][(round % 2) as usize];
        *count += 1;
        if *count == nodes - 1 {
            *count = 0;
            broadcast(&mut bare, to, round + 1);
        }
    })
}
