//! When the silence of one peer becomes a suspicion: fixed, estimated or accrued.

use murphy_sim::{Span, Time};

use super::phi::{Intervals, Tail};

/// How a monitor decides that a peer has been silent for too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// So long after the last heartbeat.
    Fixed(Span),
    /// So long after the estimated arrival of the next one.
    ///
    /// Chen, Toueg & Aguilera, IEEE Trans. Computers 51(5), 2002: NFD-E.
    Expected(Span),
    /// When phi reaches a threshold.
    Phi(PhiRule),
}

/// Parameters of a phi-accrual detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhiRule {
    /// Law of the intervals.
    pub tail: Tail,
    /// Phi from which a peer is suspected.
    pub threshold: f64,
    /// Least standard deviation that is believed.
    pub min_sd: Span,
    /// Added to the mean: how long a pause is acceptable (Akka).
    pub pause: Span,
}

/// What a monitor knows about the heartbeats of one peer.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    rule: Rule,
    /// Interval at which the peer is known to send.
    interval: Span,
    /// For [`Rule::Phi`] with a spread: deviations above the mean. It depends on the threshold only.
    quantile: f64,
    last: Time,
    /// Number of the last heartbeat of this life of the peer.
    seq: u64,
    /// Intervals, or for [`Rule::Expected`] lateness against the schedule of `first`.
    window: Intervals,
    /// Arrival of the first heartbeat of this life, and its number.
    first: Option<(Time, u64)>,
}

impl Estimate {
    /// Nothing is known yet; the silence counts from `now`.
    pub(super) fn new(rule: Rule, interval: Span, window: usize, now: Time) -> Estimate {
        let quantile = match rule {
            Rule::Phi(phi) => phi.tail.quantile(phi.threshold),
            Rule::Fixed(_) | Rule::Expected(_) => 0.0,
        };
        Estimate { rule, interval, quantile, last: now, seq: 0, window: Intervals::new(window), first: None }
    }

    /// Number of the last heartbeat.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Forgets a former life of the peer.
    pub(super) fn reset(&mut self, window: usize) {
        self.window = Intervals::new(window);
        self.first = None;
    }

    /// A heartbeat came. Intervals that ended in a suspicion are not learned from: one outage
    /// would blind the detector to the next.
    pub(super) fn heard(&mut self, now: Time, seq: u64, suspected: bool) {
        match (self.rule, self.first) {
            (_, None) => {
                self.first = Some((now, seq));
                if matches!(self.rule, Rule::Expected(_)) {
                    self.window.push(LATENESS);
                }
            }
            (Rule::Expected(_), Some((first, start))) => {
                let planned = first + self.interval * (seq - start);
                self.window.push(Span((LATENESS.0 + now.0).saturating_sub(planned.0)));
            }
            (Rule::Fixed(_) | Rule::Phi(_), Some(_)) if !suspected => self.window.push(now - self.last),
            (Rule::Fixed(_) | Rule::Phi(_), Some(_)) => {}
        }
        self.last = now;
        self.seq = seq;
    }

    /// When the peer is to be suspected if nothing comes before.
    pub(super) fn deadline(&self) -> Time {
        match self.rule {
            Rule::Fixed(timeout) => self.last.saturating_add(timeout),
            Rule::Expected(margin) => {
                let (first, start) = self.first.unwrap_or((self.last, self.seq));
                let next = first + self.interval * (self.seq + 1 - start);
                let late = self.window.mean().unwrap_or(LATENESS.0 as f64);
                let expected = Time((next.0 + Span(1).scale(late).0).saturating_sub(LATENESS.0));
                expected.saturating_add(margin)
            }
            Rule::Phi(phi) => self.last.saturating_add(self.phi_silence(phi)),
        }
    }

    fn phi_silence(&self, phi: PhiRule) -> Span {
        let interval = self.interval.0 as f64;
        if phi.tail == Tail::Exponential {
            // Cassandra starts from twice the gossip interval.
            let mean = self.window.mean().unwrap_or(2.0 * interval);
            return Span(1).scale(phi.tail.silence(phi.threshold, mean, 0.0));
        }
        // Akka's guess at the first heartbeat: the interval, with a quarter of it as deviation.
        let (mean, sd) = match self.window.mean() {
            Some(mean) => (mean, self.window.sd()),
            None => (interval, interval / 4.0),
        };
        let mean = mean + phi.pause.0 as f64;
        Span(1).scale(mean + self.quantile * sd.max(phi.min_sd.0 as f64))
    }
}

/// Added to a lateness, which may be negative, so that the window holds positive spans.
const LATENESS: Span = Span::secs(1_000);

#[cfg(test)]
mod tests {
    use super::*;

    fn after_regular_heartbeats(rule: Rule) -> Span {
        let mut estimate = Estimate::new(rule, Span::secs(1), 1000, Time::ZERO);
        for seq in 1..=50 {
            estimate.heard(Time(seq * 1_000_000_000 + 5_000_000), seq, false);
        }
        estimate.deadline() - Time(50_005_000_000)
    }

    #[test]
    fn after_regular_heartbeats_each_rule_waits_as_it_says() {
        let ms = Span::millis;
        let phi = |tail| PhiRule { tail, threshold: 8.0, min_sd: ms(100), pause: Span::ZERO };
        assert_eq!(after_regular_heartbeats(Rule::Fixed(ms(2500))), ms(2500));
        assert_eq!(after_regular_heartbeats(Rule::Expected(ms(300))), ms(1300));
        assert_eq!(after_regular_heartbeats(Rule::Phi(phi(Tail::Normal))), Span(1_561_200_124));
        assert_eq!(after_regular_heartbeats(Rule::Phi(phi(Tail::Logistic))), Span(1_522_598_664));
        assert_eq!(after_regular_heartbeats(Rule::Phi(phi(Tail::Exponential))), Span(18_420_680_744));
    }

    #[test]
    fn an_outage_is_not_learned_as_an_interval() {
        for (suspected, expected) in [(true, 8), (false, 88)] {
            let rule = PhiRule {
                tail: Tail::Exponential,
                threshold: std::f64::consts::LOG10_E * 8.0,
                min_sd: Span::ZERO,
                pause: Span::ZERO,
            };
            let mut estimate = Estimate::new(Rule::Phi(rule), Span::secs(1), 10, Time::ZERO);
            estimate.heard(Time(0), 0, false);
            estimate.heard(Time(1_000_000_000), 1, false);
            // Two intervals, one of them 21 s: mean 11 s if it is learned, 1 s if not.
            estimate.heard(Time(22_000_000_000), 22, suspected);
            let silence = (estimate.deadline() - Time(22_000_000_000)).as_secs_f64();
            assert!((silence - f64::from(expected)).abs() < 1e-8, "{silence}");
        }
    }
}
