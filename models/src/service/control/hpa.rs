//! The rule of the Kubernetes Horizontal Pod Autoscaler.
//!
//! Source: Kubernetes documentation, "Horizontal Pod Autoscaling", section "Algorithm details", and its
//! defaults: tolerance 0.1, a period of 15 s, 300 s of stabilisation before it shrinks; it grows at most
//! to twice the number or by four in a period, whichever is more.

use std::collections::VecDeque;

use murphy_scenarios::language::ScaleSpec;
use murphy_sim::Time;

/// The number of instances that an autoscaler wants.
#[derive(Clone, Debug)]
pub(super) struct Autoscaler {
    spec: ScaleSpec,
    /// What it would have wanted, and when.
    recommended: VecDeque<(Time, u64)>,
}

/// What it looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    /// Instances that are meant to be there.
    pub(super) current: u64,
    /// Those of them that serve and have told their load.
    pub(super) ready: u64,
    /// Those that start.
    pub(super) unready: u64,
    /// Sum over the ready ones of the share of workers at work.
    pub(super) at_work: f64,
}

impl Autoscaler {
    /// One that finds so many instances: its first recommendation.
    pub(super) fn new(spec: ScaleSpec, now: Time, current: u64) -> Autoscaler {
        Autoscaler { spec, recommended: [(now, current)].into() }
    }

    /// The number of instances that it wants now.
    pub(super) fn decide(&mut self, now: Time, seen: &Seen) -> u64 {
        let proposal = self.clamp(propose(&self.spec, seen));
        while self.recommended.front().is_some_and(|&(at, _)| now.since(at) > self.spec.down_window) {
            self.recommended.pop_front();
        }
        self.recommended.push_back((now, proposal));
        let greatest = self.recommended.iter().map(|&(_, wanted)| wanted).max().unwrap_or(proposal);
        let stable = if proposal < seen.current { greatest.min(seen.current) } else { proposal };
        let most = (seen.current * 2).max(seen.current + 4);
        self.clamp(stable.min(most))
    }

    fn clamp(&self, wanted: u64) -> u64 {
        wanted.clamp(self.spec.least, self.spec.most)
    }
}

/// `ceil(current * metric / target)`, unless the ratio is near one. Instances that start count as idle when
/// the others are too busy: they may turn the decision into none, but not round.
fn propose(spec: &ScaleSpec, seen: &Seen) -> u64 {
    if seen.ready == 0 {
        return seen.current;
    }
    let near = |ratio: f64| (ratio - 1.0).abs() <= spec.tolerance;
    let ratio = seen.at_work / seen.ready as f64 / spec.target;
    if ratio <= 1.0 || seen.unready == 0 {
        return if near(ratio) { seen.current } else { whole(ratio * seen.ready as f64) };
    }
    let all = (seen.ready + seen.unready) as f64;
    let ratio = seen.at_work / all / spec.target;
    if near(ratio) || ratio < 1.0 {
        return seen.current;
    }
    whole(ratio * all).max(seen.current)
}

/// The next whole number, rounding errors of the division apart.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn whole(number: f64) -> u64 {
    libm::ceil(number - 1e-9) as u64
}

#[cfg(test)]
mod tests {
    use murphy_sim::Span;

    use super::*;

    fn spec() -> ScaleSpec {
        ScaleSpec {
            target: 0.5,
            least: 1,
            most: 100,
            every: Span::secs(15),
            tolerance: 0.1,
            down_window: Span::secs(300),
            warm: 0,
        }
    }

    fn seen(current: u64, ready: u64, at_work: f64) -> Seen {
        Seen { current, ready, unready: current - ready, at_work: at_work * ready as f64 }
    }

    #[test]
    fn proposals_are_those_of_the_rule() {
        // The documentation's examples: twice the target doubles, half of it halves, 10 % off is near enough.
        for (current, ready, at_work, wanted) in [
            (2, 2, 1.0, 4),
            (2, 2, 0.25, 1),
            (3, 3, 0.549, 3),
            (3, 3, 0.551, 4),
            (10, 10, 0.451, 10),
            (10, 10, 0.449, 9),
            // Two of four start: 0.9 at work over two ready is 0.45 over four, near the target.
            (4, 2, 0.9, 4),
            // Over four it is 0.6: ceil(4 * 1.2).
            (4, 2, 1.2, 5),
            (4, 0, 0.0, 4),
        ] {
            assert_eq!(
                propose(&spec(), &seen(current, ready, at_work)),
                wanted,
                "{current} {ready} {at_work}"
            );
        }
    }

    #[test]
    fn it_grows_at_once_but_by_steps_and_shrinks_after_the_window() {
        let mut scaler = Autoscaler::new(spec(), Time::ZERO, 1);
        let second = |s: u64| Time(s * 1_000_000_000);
        assert_eq!(scaler.decide(second(0), &seen(1, 1, 5.0)), 5, "by four at most");
        assert_eq!(scaler.decide(second(15), &seen(10, 10, 5.0)), 20, "to twice as many at most");
        assert_eq!(scaler.decide(second(30), &seen(20, 20, 0.5)), 20);
        // The greatest recommendation of the last 300 s was 100, at 15 s.
        assert_eq!(scaler.decide(second(300), &seen(20, 20, 0.05)), 20);
        assert_eq!(scaler.decide(second(315), &seen(20, 20, 0.05)), 20);
        assert_eq!(scaler.decide(second(330), &seen(20, 20, 0.05)), 20, "20 was recommended at 30 s");
        assert_eq!(scaler.decide(second(331), &seen(20, 20, 0.05)), 2);
    }

    #[test]
    fn limits_hold() {
        let mut scaler = Autoscaler::new(ScaleSpec { least: 3, most: 6, ..spec() }, Time::ZERO, 0);
        assert_eq!(scaler.decide(Time::ZERO, &seen(5, 5, 5.0)), 6);
        let mut idle = Autoscaler::new(ScaleSpec { least: 3, most: 6, ..spec() }, Time::ZERO, 0);
        assert_eq!(idle.decide(Time::ZERO, &seen(5, 5, 0.0)), 3);
    }
}
