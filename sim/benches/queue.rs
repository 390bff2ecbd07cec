//! Nanoseconds for one pop and one push, beside two heaps in the same process.
//!
//! The queue is private to the crate: its sources are compiled into this program.
#![allow(dead_code, unused_imports)]

#[path = "../src/queue/heap.rs"]
mod heap;
#[path = "../src/queue/mod.rs"]
mod queue;
#[path = "../src/time.rs"]
mod time;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use cpu_time::ThreadTime;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use heap::Heap;
use queue::{Entry, Queue};
use time::Time;

/// Longer than a branch predictor's memory: a short table of delays would be learnt.
const DELAYS: usize = 1 << 22;

trait Pending: Default {
    fn push(&mut self, entry: Entry);
    fn pop(&mut self) -> Entry;
}

impl Pending for Queue {
    fn push(&mut self, entry: Entry) {
        Queue::push(self, entry);
    }
    fn pop(&mut self) -> Entry {
        Queue::pop(self).expect("never empty")
    }
}

impl Pending for Heap {
    fn push(&mut self, entry: Entry) {
        Heap::push(self, entry);
    }
    fn pop(&mut self) -> Entry {
        Heap::pop(self).expect("never empty")
    }
}

#[derive(Default)]
struct StdHeap {
    heap: BinaryHeap<Reverse<(u64, u64, [u32; 4])>>,
    pushed: u64,
}

impl Pending for StdHeap {
    fn push(&mut self, entry: Entry) {
        self.heap.push(Reverse((entry.at.0, self.pushed, [entry.target, entry.slot, entry.tag, entry.extra])));
        self.pushed += 1;
    }
    fn pop(&mut self) -> Entry {
        let Reverse((at, _, [target, slot, tag, extra])) = self.heap.pop().expect("never empty");
        Entry { at: Time(at), target, slot, tag, extra }
    }
}

fn measure<P: Pending>(delays: &[u32], pending: usize, cycles: usize) -> f64 {
    let mut queue = P::default();
    let mut delay = delays.iter().cycle().map(|&delay| u64::from(delay));
    let mut next = || delay.next().expect("the table is endless");
    for target in 0..pending {
        queue.push(Entry { at: Time(next()), target: target as u32, ..Entry::default() });
    }
    let mut run = |cycles| {
        for _ in 0..cycles {
            let mut entry = queue.pop();
            entry.at.0 += next();
            queue.push(entry);
        }
    };
    run(cycles / 4 + 2 * pending);
    let start = ThreadTime::now();
    run(cycles);
    let elapsed = start.elapsed();
    black_box(queue.pop());
    elapsed.as_secs_f64() * 1e9 / cycles as f64
}

fn exponential(rng: &mut ChaCha8Rng, mean: f64) -> u32 {
    let unit = ((rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0);
    (-libm::log(unit) * mean) as u32
}

fn main() {
    let only_wheel = std::env::args().any(|a| a == "wheel");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let exp: Vec<u32> = (0..DELAYS).map(|_| exponential(&mut rng, 1e6)).collect();
    println!("{:>9} {:>8} {:>8} {:>8}", "pending", "wheel", "4-ary", "std");
    let only: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    for pending in if only.is_empty() { vec![100, 1_000, 10_000, 100_000, 1_000_000] } else { only } {
        let cycles: usize = std::env::var("CYCLES").map_or(4_000_000, |c| c.parse().unwrap());
        let mut w: Vec<f64> = (0..5).map(|_| measure::<Queue>(&exp, pending, cycles)).collect();
        w.sort_by(f64::total_cmp);
        if only_wheel {
            println!("{pending:>9} {:>8.1} min {:.1}", w[2], w[0]);
            continue;
        }
        let h = measure::<Heap>(&exp, pending, cycles);
        let s = measure::<StdHeap>(&exp, pending, cycles);
        println!("{pending:>9} {:>8.1} {h:>8.1} {s:>8.1} {:.2}", w[2], s / w[2]);
    }
}
