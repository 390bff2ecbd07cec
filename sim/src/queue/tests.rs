//! The wheel against the heap, over random interleavings of everything that can be asked of them.

use proptest::prelude::*;

use super::heap::Heap;
use super::{Entry, Queue};
use crate::time::Time;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Push at the present plus a delay.
    Push(u64),
    /// Push several with one delay: ties.
    Burst(u64, u8),
    Pop,
    /// Pop up to the present plus a span, until nothing is left; the present moves there, as in a
    /// world that runs until a time.
    PopUntil(u64),
    /// Try to pop once, and push from the limit on.
    Probe(u64),
    Fork,
}

fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        // Tied, constant and bimodal.
        Just(0u64),
        Just(1_000_000u64),
        prop_oneof![Just(100u64), Just(50_000_000u64)],
        0u64..4,
        0u64..200,
        0u64..10_000_000,
        // Pareto with index 1, from a nanosecond to centuries: every level.
        (0u32..64, any::<u64>()).prop_map(|(shift, bits)| bits >> shift),
        // Both sides of the digits' borders.
        (0u32..64, 0u64..3).prop_map(|(shift, off)| ((1u64 << shift) - 1).saturating_add(off)),
        Just(u64::MAX),
    ]
}

/// Delays of one regime, so that a run also stays on a few levels.
fn regime() -> impl Strategy<Value = BoxedStrategy<u64>> {
    prop_oneof![
        2 => Just(delay().boxed()),
        1 => Just((0u64..64).boxed()),
        1 => Just(Just(1_000u64).boxed()),
        1 => Just((0u64..3_000_000).boxed()),
        1 => Just(prop_oneof![Just(10u64), Just(100_000_000u64)].boxed()),
        1 => Just((0u32..40).prop_map(|shift| 1_000u64 << shift >> 10).boxed()),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    regime().prop_flat_map(|delay| {
        let op = prop_oneof![
            8 => delay.clone().prop_map(Op::Push),
            2 => (delay.clone(), 1u8..120).prop_map(|(delay, count)| Op::Burst(delay, count)),
            9 => Just(Op::Pop),
            2 => delay.clone().prop_map(Op::PopUntil),
            2 => delay.prop_map(Op::Probe),
            1 => Just(Op::Fork),
        ];
        proptest::collection::vec(op, 1..400)
    })
}

/// Both queues side by side; every answer is compared.
#[derive(Clone, Default)]
struct Pair {
    wheel: Queue,
    heap: Heap,
    now: u64,
    pushed: u32,
}

impl Pair {
    fn push(&mut self, delay: u64) {
        let at = Time(self.now.saturating_add(delay));
        let entry = Entry { at, target: self.pushed, slot: !self.pushed, tag: 7, extra: 9 };
        self.pushed += 1;
        self.wheel.push(entry);
        self.heap.push(entry);
    }

    fn pop_until(&mut self, limit: u64) -> Option<Entry> {
        let due = self.heap.peek().is_some_and(|entry| entry.at.0 <= limit);
        let expected = if due { self.heap.pop() } else { None };
        assert_eq!(self.wheel.pop_until(Time(limit)), expected, "limit {limit} ns");
        self.now = expected.map_or(self.now, |entry| entry.at.0);
        expected
    }

    fn pop(&mut self) -> Option<Entry> {
        let expected = self.heap.pop();
        assert_eq!(self.wheel.pop(), expected);
        self.now = expected.map_or(self.now, |entry| entry.at.0);
        expected
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Push(delay) => self.push(delay),
            Op::Burst(delay, count) => (0..count).for_each(|_| self.push(delay)),
            Op::Pop => drop(self.pop()),
            Op::PopUntil(span) => {
                let limit = self.now.saturating_add(span);
                while self.pop_until(limit).is_some() {}
                self.now = limit;
            }
            Op::Probe(span) => {
                let limit = self.now.saturating_add(span);
                if self.pop_until(limit).is_none() {
                    // A failed attempt has moved the clock to the limit at most.
                    self.now = limit;
                    self.push(0);
                    self.push(span / 2);
                }
            }
            Op::Fork => *self = self.clone(),
        }
        assert_eq!(self.wheel.len(), self.heap.len());
    }

    fn drain(mut self) -> Vec<Entry> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_wheel_orders_as_the_heap_does(ops in ops()) {
        let mut pair = Pair::default();
        for op in ops { pair.apply(op); }
        pair.drain();
    }

    #[test]
    fn a_clone_has_the_same_future(before in ops(), after in ops()) {
        let mut pair = Pair::default();
        for op in before { pair.apply(op); }
        let mut fork = pair.clone();
        prop_assert_eq!(pair.wheel.bytes(), fork.wheel.bytes());
        for op in after {
            pair.apply(op);
            fork.apply(op);
        }
        prop_assert_eq!(pair.wheel.bytes(), fork.wheel.bytes());
        prop_assert_eq!(pair.drain(), fork.drain());
    }
}

fn at(nanos: u64, target: u32) -> Entry {
    Entry { at: Time(nanos), target, ..Entry::default() }
}

#[test]
fn ties_leave_in_the_order_of_insertion_across_a_descent() {
    let mut queue = Queue::new();
    // From far away the tie lies on a high level; after each step, closer, one level lower.
    let tie = 1_000_000_000;
    let steps = [1, 500_000_000, 999_000_000, 999_990_000, 999_999_900, 999_999_999];
    for (target, step) in (0..).zip(steps) {
        queue.push(at(tie, target));
        queue.push(at(step, 100));
        assert_eq!(queue.pop(), Some(at(step, 100)));
    }
    queue.push(at(tie, 6));
    for target in 0..7 {
        assert_eq!(queue.pop(), Some(at(tie, target)));
    }
    assert_eq!(queue.pop(), None);
}

#[test]
fn an_attempt_beyond_the_limit_moves_the_clock_no_further() {
    for pending in [1, 2, 31, 32, 33, 500] {
        let mut queue = Queue::new();
        (0..pending).for_each(|target| queue.push(at(1_000_000 + u64::from(target), target)));
        for limit in [17, 990_000, 999_999] {
            // The last of them is inside the slot's range, yet before its first entry.
            assert_eq!(queue.pop_until(Time(limit)), None);
            queue.push(at(limit, 1_000));
            assert_eq!(queue.pop_until(Time(limit)), Some(at(limit, 1_000)));
        }
        assert_eq!(queue.pop_until(Time(1_000_000)), Some(at(1_000_000, 0)));
    }
}

#[test]
fn many_ties_leave_in_order_while_others_join_them() {
    let mut queue = Queue::new();
    (0..200).for_each(|target| queue.push(at(5, target)));
    for target in 0..300 {
        assert_eq!(queue.pop(), Some(at(5, target)));
        if target < 100 {
            queue.push(at(5, 200 + target));
        }
    }
    assert_eq!(queue.pop(), None);
}

#[test]
#[should_panic(expected = "event at 4 ns pushed when the queue had reached 5 ns")]
fn time_is_monotone() {
    let mut queue = Queue::new();
    queue.push(at(5, 0));
    queue.pop();
    queue.push(at(4, 0));
}

/// Pops and pushes with a constant number pending; the delays are exponential with a mean of 1 ms.
fn churn(queue: &mut Queue, state: &mut u64, cycles: u32) {
    for _ in 0..cycles {
        let mut entry = queue.pop().expect("something is pending");
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = ((*state >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
        entry.at = entry.at + crate::time::Span::from_secs_f64(-1e-3 * libm::log(unit));
        queue.push(entry);
    }
}

#[test]
fn memory_is_flat_in_steady_state() {
    for pending in [1, 100, 10_000] {
        let mut queue = Queue::new();
        (0..pending).for_each(|target| queue.push(at(u64::from(target), target)));
        let mut state = 1;
        churn(&mut queue, &mut state, 600_000);
        let warm = queue.bytes();
        churn(&mut queue, &mut state, 600_000);
        assert_eq!(queue.bytes(), warm, "{pending} pending");
    }
}

#[test]
fn a_pending_event_costs_at_most_64_bytes() {
    let mut queue = Queue::new();
    let pending = 200_000;
    (0..pending).for_each(|target| queue.push(at(u64::from(target), target)));
    churn(&mut queue, &mut 1, 600_000);
    let each = queue.bytes() / pending as usize;
    assert!(each <= 64, "{each} bytes for each pending event");
}
