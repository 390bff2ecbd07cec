//! Queues that drop what has waited too long.

use murphy_sim::{Span, Time};

/// Controlled delay: while even the shortest wait of the last interval was above the target, what has
/// waited for twice the target is dropped when its turn comes.
///
/// Source: Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012, in the form for servers of
/// Maurer, "Fail at Scale", ACM Queue 2015, and folly, `executors/Codel.cpp`.
#[derive(Clone, Debug)]
pub struct Codel {
    target: Span,
    interval: Span,
    /// End of the interval, and the shortest wait in it; `None` before the first request.
    current: Option<(Time, Span)>,
    overloaded: bool,
}

impl Codel {
    /// A queue that was never overloaded.
    pub fn new(target: Span, interval: Span) -> Codel {
        Codel { target, interval, current: None, overloaded: false }
    }

    /// Whether a request whose turn comes is dropped, after it has waited.
    pub fn drops(&mut self, now: Time, waited: Span) -> bool {
        match &mut self.current {
            Some((until, shortest)) if now <= *until => {
                *shortest = (*shortest).min(waited);
                self.overloaded && waited > self.target * 2
            }
            over => {
                // The first of an interval is never dropped.
                self.overloaded = over.is_some_and(|(_, shortest)| shortest > self.target);
                *over = Some((now.saturating_add(self.interval), waited));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a thousand requests, one a millisecond, how many are dropped when each has waited so long.
    fn dropped(waited_ms: impl Fn(u64) -> u64) -> usize {
        let mut codel = Codel::new(Span::millis(5), Span::millis(100));
        (0..1000u64).filter(|&ms| codel.drops(Time(ms * 1_000_000), Span::millis(waited_ms(ms)))).count()
    }

    #[test]
    fn a_standing_queue_is_dropped_and_a_burst_is_not() {
        // Everything waits for 11 ms: from the second interval on all but the first of each are dropped.
        assert_eq!(dropped(|_| 11), 890);
        // Twice the target is not above it.
        assert_eq!(dropped(|_| 10), 0);
        // A queue that is short once an interval is a burst, however long it is in between.
        assert_eq!(dropped(|ms| if ms % 50 == 0 { 1 } else { 400 }), 0);
    }
}
