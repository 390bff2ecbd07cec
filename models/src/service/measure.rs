//! What is measured of services: facts in, samples out.

use std::collections::BTreeSet;

use murphy_scenarios::language::Layer;
use murphy_scenarios::{MetricKind, MetricRecord, Oracles, PropertyRecord, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Stamped};

use super::fact::Said;

/// Counts are gathered over so long before they become a sample.
const BUCKET_NS: u64 = 100_000_000;
/// Amplification is taken over so long.
const SECOND_NS: u64 = 1_000_000_000;

/// Counters, in the order of [`Said::ALL`], and after them those that count some of these facts only.
pub(super) const COUNTERS: [(&str, &str); 37] = [
    ("attempts", "attempts sent, first tries and retries"),
    ("timeouts", "attempts that were not answered in time"),
    ("shed", "requests that a service refused, or dropped because nobody waited any more"),
    (
        "refused",
        "calls that the caller's own policies refused: breaker, rate limiter, bulkhead, and the like",
    ),
    ("retries_denied", "retries that the budget did not allow"),
    ("late_replies", "replies that came when nobody waited for them any more"),
    ("fallbacks", "calls that failed and were answered by the fallback"),
    ("expired", "requests whose deadline had passed when their turn came"),
    ("breaker_opened", "times that a breaker opened"),
    ("hedges", "second attempts because the first took long"),
    ("failed_calls", "calls that failed for good, and nothing stood in for them"),
    ("full_bulkheads", "attempts that a full bulkhead refused"),
    ("answers", "answers that users got"),
    ("effects", "requests whose work took effect, at services with `effect`"),
    ("unserved", "requests that reached a node on which no instance serves"),
    ("dropped", "requests that an instance gave up because it stopped"),
    ("changes", "times that an instance began or ceased to serve"),
    ("ejections", "times that a caller ejected an instance"),
    ("kills", "instances that the control plane killed because they failed their checks"),
    ("rollouts", "new versions that the control plane began to bring out"),
    ("rollbacks", "new versions that it took back because they failed too often"),
    ("cache_hits", "calls that a cache answered"),
    ("cache_misses", "calls that a cache could not answer, and that went on"),
    ("coalesced", "calls that waited for what another one fetched"),
    ("outdated", "answers from a cache that were no longer true"),
    ("skipped", "optional calls that failed, and whose request went on without"),
    ("retries", "attempts that are not the first"),
    ("cut_valid", "good replies that came when nobody waited for them any more: slow, but valid"),
    ("idle_slots", "slots free in the caller's other bulkheads whenever one was full"),
    ("fallbacks_degraded", "calls answered by the fallback, degraded or with an earlier answer"),
    ("fallbacks_minimal", "calls answered by the fallback, minimally"),
    ("answers_degraded", "answers to users of which a part is degraded or old, none minimal"),
    ("answers_minimal", "answers to users of which a part is minimal"),
    ("refused_by_breaker", "calls that a breaker refused"),
    ("duplicates", "effects of a call beyond its first: double charges"),
    ("sessions_finished", "sessions that had all their results in time"),
    ("sessions_given_up", "sessions that a failure or a long wait ended"),
];
/// Of [`COUNTERS`], the first that counts some facts only.
const SOME: usize = 26;
const DUPLICATES: usize = COUNTERS.len() - 3;
const FINISHED: usize = COUNTERS.len() - 2;
const GIVEN_UP: usize = COUNTERS.len() - 1;
const ATTEMPT: u16 = Said::Attempt as u16;
const LATE: u16 = Said::Late as u16;
const FALLBACK: u16 = Said::Fallback as u16;
const ANSWERED: u16 = Said::Answered as u16;
const REFUSED: u16 = Said::Refused as u16;
const IDLE: u16 = Said::Idle as u16;
const EFFECT: u16 = Said::Effect as u16;
const BREAKER: u64 = Layer::Breaker as u64;
pub(super) const AMPLIFICATION: &str = "amplification";
pub(super) const INSTANCES: &str = "instances";

/// Properties that tell whether something happened at all, by what is said when it does.
pub(super) const SOMETIMES: [(&str, &str, Said); 4] = [
    ("service.timeout", "an attempt was not answered in time", Said::Timeout),
    ("service.shed", "a service refused a request", Said::Shed),
    ("service.refused", "a caller's own policy refused a call", Said::Refused),
    ("service.breaker_opened", "a breaker opened", Said::Opened),
];

/// Measures services.
#[derive(Clone, Debug)]
pub struct ServiceOracles {
    /// By counter and node: the bucket that is gathered, and its count.
    open: Vec<[(u64, u64); COUNTERS.len()]>,
    samples: Vec<Vec<(u64, u32, f64)>>,
    totals: [u64; COUNTERS.len()],
    /// Calls whose work took effect.
    done: BTreeSet<u64>,
    /// First replica of each service.
    firsts: Vec<NodeId>,
    second: u64,
    arrived: u64,
    attempts: Vec<u64>,
    amplification: Vec<(u64, u32, f64)>,
    /// By node: the service whose instance serves there.
    serving: Vec<Option<usize>>,
    /// By service: how many serve.
    instances: Vec<u32>,
    instance_samples: Vec<(u64, u32, f64)>,
}

impl ServiceOracles {
    /// For so many nodes; `firsts` has the first replica of each service.
    pub fn new(nodes: usize, firsts: Vec<NodeId>) -> ServiceOracles {
        ServiceOracles {
            open: vec![[(0, 0); COUNTERS.len()]; nodes],
            samples: vec![Vec::new(); COUNTERS.len()],
            totals: [0; COUNTERS.len()],
            done: BTreeSet::new(),
            attempts: vec![0; firsts.len()],
            serving: vec![None; nodes],
            instances: vec![0; firsts.len()],
            instance_samples: Vec::new(),
            firsts,
            second: 0,
            arrived: 0,
            amplification: Vec::new(),
        }
    }

    /// How often each counter counted, for tests.
    pub fn total(&self, counter: &str) -> u64 {
        let index = COUNTERS.iter().position(|(name, _)| *name == counter);
        index.map_or(0, |index| self.totals[index])
    }

    /// Counts what only some facts of a kind are.
    #[inline]
    fn count_some(&mut self, said: &Stamped, kind: u16, more: u64) {
        let some = SOME
            + match (kind, more) {
                (ATTEMPT, 1..) => 0,
                (LATE, 1) => 1,
                (FALLBACK, 1) => 3,
                (FALLBACK, 2) => 4,
                (ANSWERED, 1) => 5,
                (ANSWERED, 2) => 6,
                (REFUSED, BREAKER) => 7,
                (IDLE, slots) => return self.add(said, SOME + 2, slots),
                (EFFECT, call) if !self.done.insert(call) => DUPLICATES - SOME,
                _ => return,
            };
        self.add(said, some, 1);
    }

    #[inline]
    fn add(&mut self, said: &Stamped, counter: usize, amount: u64) {
        self.totals[counter] += amount;
        let bucket = said.at.0 / BUCKET_NS;
        let (open, count) = &mut self.open[said.node.index()][counter];
        if *open != bucket && *count > 0 {
            self.samples[counter].push((*open * BUCKET_NS, said.node.0, *count as f64));
            *count = 0;
        }
        *open = bucket;
        *count += amount;
    }

    /// An instance serves from now on, or no longer.
    fn serves(&mut self, said: &Stamped, service: Option<usize>) {
        let before = std::mem::replace(&mut self.serving[said.node.index()], service);
        if before == service {
            return;
        }
        for (of, more) in [(before, false), (service, true)] {
            let Some(of) = of else { continue };
            self.instances[of] = if more { self.instances[of] + 1 } else { self.instances[of] - 1 };
            self.instance_samples.push((said.at.0, self.firsts[of].0, f64::from(self.instances[of])));
        }
    }

    /// Turns to the second that it is now.
    #[inline]
    fn turn(&mut self, at_ns: u64) {
        if at_ns / SECOND_NS != self.second {
            self.close_second();
            self.second = at_ns / SECOND_NS;
        }
    }

    fn close_second(&mut self) {
        if self.arrived > 0 {
            for (first, attempts) in self.firsts.iter().zip(&self.attempts) {
                let times = *attempts as f64 / self.arrived as f64;
                self.amplification.push((self.second * SECOND_NS, first.0, times));
            }
        }
        self.arrived = 0;
        self.attempts.fill(0);
    }
}

impl Judge for ServiceOracles {
    #[inline]
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Arrive(_) => {
                self.turn(said.at.0);
                self.arrived += 1;
            }
            Fact::Own { kind, a, b } => {
                self.add(said, usize::from(kind), 1);
                self.count_some(said, kind, b);
                if kind == Said::Serving as u16 {
                    let service = usize::try_from(a).expect("an index");
                    self.serves(said, (b == 1).then_some(service));
                }
                if kind == Said::Attempt as u16 {
                    self.turn(said.at.0);
                    self.attempts[usize::try_from(a).expect("an index")] += 1;
                }
            }
            Fact::Crash => self.serves(said, None),
            Fact::SessionEnd { finished, .. } => {
                self.add(said, if finished { FINISHED } else { GIVEN_UP }, 1);
            }
            _ => {}
        }
    }
}

impl Oracles for ServiceOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let record = |&(name, _, said): &(&str, &str, Said)| PropertyRecord {
            name: name.to_owned(),
            verdict: Verdict::Held,
            checked: self.totals[said as usize],
        };
        SOMETIMES.iter().map(record).collect()
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        self.close_second();
        for (node, counters) in self.open.iter().enumerate() {
            let node = u32::try_from(node).expect("fewer than 2^32 nodes");
            for (samples, &(bucket, count)) in self.samples.iter_mut().zip(counters) {
                if count > 0 {
                    samples.push((bucket * BUCKET_NS, node, count as f64));
                }
            }
        }
        // A counter that never counted says so: that is no missing sample.
        for samples in self.samples.iter_mut().filter(|samples| samples.is_empty()) {
            samples.push((0, 0, 0.0));
        }
        let record = |name: &str, kind, samples: &mut Vec<(u64, u32, f64)>| MetricRecord {
            name: name.to_owned(),
            unit: "1".to_owned(),
            kind,
            samples: std::mem::take(samples),
        };
        let mut metrics: Vec<MetricRecord> = COUNTERS
            .iter()
            .zip(&mut self.samples)
            .map(|((name, _), samples)| record(name, MetricKind::Counter, samples))
            .collect();
        metrics.push(record(AMPLIFICATION, MetricKind::Gauge, &mut self.amplification));
        metrics.push(record(INSTANCES, MetricKind::Gauge, &mut self.instance_samples));
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_counter() {
        for (index, said) in Said::ALL.into_iter().enumerate() {
            assert_eq!(said as usize, index, "{said:?}");
        }
        assert_eq!(SOME, Said::ALL.len());
    }
}
