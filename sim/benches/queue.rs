//! Nanoseconds for one pop and one push, beside two heaps in the same process.
//!
//! The queue is private to its crate: its sources are compiled into this program. `wheel` as an
//! argument leaves the heaps out, a number asks for that many pending only.

mod bare;
#[path = "../src/queue/heap.rs"]
#[allow(dead_code, clippy::duplicate_mod, reason = "measured are push and pop")]
mod heap;
#[path = "../src/queue/mod.rs"]
#[allow(dead_code, unused_imports, clippy::duplicate_mod, reason = "measured are push and pop")]
mod queue;
#[path = "../src/time.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the queue needs `Time` only")]
mod time;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use cpu_time::ThreadTime;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use heap::Heap;
use queue::{Entry, Queue};
use time::Time;

/// Longer than a branch predictor's memory: it would learn a short table of delays.
const DELAYS: usize = 1 << 22;
const CYCLES: usize = 4_000_000;

trait Pending: Default {
    fn push(&mut self, entry: Entry);
    fn pop(&mut self) -> Option<Entry>;
}

impl Pending for Queue {
    #[inline]
    fn push(&mut self, entry: Entry) {
        Queue::push(self, entry);
    }
    #[inline]
    fn pop(&mut self) -> Option<Entry> {
        Queue::pop(self)
    }
}

impl Pending for Heap {
    fn push(&mut self, entry: Entry) {
        Heap::push(self, entry);
    }
    fn pop(&mut self) -> Option<Entry> {
        Heap::pop(self)
    }
}

#[derive(Default)]
struct StdHeap {
    heap: BinaryHeap<Reverse<(u64, u64, [u32; 4])>>,
    pushed: u64,
}

impl Pending for StdHeap {
    fn push(&mut self, entry: Entry) {
        let payload = [entry.target, entry.slot, entry.tag, entry.extra];
        self.heap.push(Reverse((entry.at.0, self.pushed, payload)));
        self.pushed += 1;
    }
    fn pop(&mut self) -> Option<Entry> {
        let Reverse((at, _, [target, slot, tag, extra])) = self.heap.pop()?;
        Some(Entry { at: Time(at), target, slot, tag, extra })
    }
}

/// Nanoseconds of CPU time for a pop and a push with a constant number pending; a median of three.
fn nanos<P: Pending>(delays: &[u64], pending: usize) -> f64 {
    let mut runs: Vec<f64> = (0..3).map(|_| nanos_once::<P>(delays, pending)).collect();
    runs.sort_by(f64::total_cmp);
    runs[1]
}

fn nanos_once<P: Pending>(delays: &[u64], pending: usize) -> f64 {
    let mut queue = P::default();
    let mut delays = delays.iter().cycle();
    let mut delay = || *delays.next().expect("a cycle has no end");
    (0..pending).for_each(|_| queue.push(Entry { at: Time(delay()), ..Entry::default() }));
    let mut run = |cycles| {
        for _ in 0..cycles {
            let Entry { at, target, slot, tag, extra } = queue.pop().expect("what is popped is pushed again");
            queue.push(Entry { at: Time(at.0 + delay()), target, slot, tag, extra });
        }
    };
    run(CYCLES / 4 + 2 * pending);
    let start = ThreadTime::now();
    run(CYCLES);
    let elapsed = start.elapsed();
    black_box(queue.pop());
    elapsed.as_secs_f64() * 1e9 / CYCLES as f64
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wheel_only = words.iter().any(|word| word == "wheel");
    let mut sizes: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000, 100_000, 1_000_000];
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let delays: Vec<u64> = (0..DELAYS).map(|_| bare::exponential(&mut rng)).collect();
    println!("{:>9} {:>9} {:>9} {:>9}  std/wheel", "pending", "wheel ns", "4-ary ns", "std ns");
    for pending in sizes {
        let wheel = nanos::<Queue>(&delays, pending);
        if wheel_only {
            println!("{pending:>9} {wheel:>9.1}");
            continue;
        }
        let four = nanos::<Heap>(&delays, pending);
        let std = nanos::<StdHeap>(&delays, pending);
        println!("{pending:>9} {wheel:>9.1} {four:>9.1} {std:>9.1}  {:.2}", std / wheel);
    }
    if !wheel_only {
        println!("bare loops on std's heap, millions of deliveries per CPU second:");
        println!("W1   64x16  {:.1}", bare::w1(64, 16, 4_000_000));
        println!("W1  10k x1  {:.1}", bare::w1(10_000, 1, 4_000_000));
        println!("W1 10kx100  {:.2}", bare::w1(10_000, 100, 1_000_000));
        println!("W3   64x16  {:.1}", bare::w3(64, 16, 1_000_000));
        println!("W4    n=64  {:.1}", bare::w4(64, 4_000_000));
        println!("W4   n=256  {:.1}", bare::w4(256, 4_000_000));
    }
}
