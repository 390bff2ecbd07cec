//! What clients saw of a store of registers: which writes were acknowledged, and which reads missed them.

use std::collections::{BTreeMap, BTreeSet};

use murphy_sim::{Fact, Judge, NodeId, Operation, Outcome, RequestId, Stamped, Time};

use super::{GET, PUT};

/// What an oracle measured: when, at which node, and how much.
pub type Sample = (Time, NodeId, f64);

/// A write as its client saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its key.
    pub key: u64,
    /// When it could first take effect.
    pub invoked: Time,
    /// When it was acknowledged.
    pub done: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    operation: Operation,
    invoked: Option<Time>,
    done: Option<Time>,
}

/// Judges reads by the writes that were acknowledged before them.
///
/// A read is *stale* when another write was acknowledged before the read began, and began after the
/// write that the read returned was acknowledged: the *staleness* is the time since the first such
/// acknowledgement. It is *corrupt* when nobody wrote what it returned. Source: real-time order of
/// registers, Herlihy & Wing 1990.
#[derive(Clone, Debug, Default)]
pub struct History {
    requests: Vec<Told>,
    /// By key: when a write was acknowledged, and the latest beginning of any write acknowledged until then.
    acknowledged: BTreeMap<u64, Vec<(Time, Time)>>,
    reads: u64,
    /// Reads that were stale, with their staleness in nanoseconds.
    stale: Vec<Sample>,
    corrupt: Vec<Sample>,
}

impl History {
    /// Reads that were judged.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Stale reads: when, by whom, and by how many nanoseconds.
    pub fn stale(&self) -> &[Sample] {
        &self.stale
    }

    /// Corrupt reads: when, by whom, and the number 1.
    pub fn corrupt(&self) -> &[Sample] {
        &self.corrupt
    }

    /// The write of a value: no two requests write the same.
    pub fn write(&self, value: u64) -> Option<Write> {
        let told = self.requests.get(usize::try_from(value.checked_sub(1)?).ok()?)?;
        let invoked = told.invoked.filter(|_| told.operation.kind != GET)?;
        Some(Write { key: told.operation.key, invoked, done: told.done })
    }

    /// Whether the write of `later` began after that of `earlier` had been acknowledged.
    pub fn precedes(&self, earlier: u64, later: u64) -> bool {
        let done = self.write(earlier).and_then(|write| write.done);
        let begun = self.write(later).map(|write| write.invoked);
        done.zip(begun).is_some_and(|(done, begun)| done <= begun)
    }

    /// Values of all acknowledged writes, in the order in which they began.
    pub fn values(&self) -> impl Iterator<Item = (u64, Write)> + '_ {
        (1..=self.requests.len() as u64)
            .filter_map(|value| Some((value, self.write(value).filter(|write| write.done.is_some())?)))
    }

    fn complete(&mut self, said: &Stamped, request: RequestId, value: u64) {
        let Some(told) = self.requests.get_mut(request.index()) else { return };
        let (operation, Some(invoked)) = (told.operation, told.invoked) else { return };
        told.done = Some(said.at);
        if operation.kind == PUT {
            let list = self.acknowledged.entry(operation.key).or_default();
            let latest = list.last().map_or(invoked, |&(_, latest)| latest.max(invoked));
            list.push((said.at, latest));
        } else if operation.kind == GET {
            self.read(said, operation.key, invoked, value);
        }
    }

    fn read(&mut self, said: &Stamped, key: u64, invoked: Time, value: u64) {
        self.reads += 1;
        // A key without any write reads as zero, which was there before all writes.
        let since = if value == 0 {
            Some(Time::ZERO)
        } else if let Some(write) = self.write(value).filter(|write| write.key == key) {
            write.done
        } else {
            self.corrupt.push((said.at, said.node, 1.0));
            return;
        };
        let (Some(since), Some(list)) = (since, self.acknowledged.get(&key)) else { return };
        // The first acknowledgement of a write that began after `since`.
        let newer = list.partition_point(|&(_, latest)| latest < since);
        if let Some(&(done, _)) = list.get(newer).filter(|(done, _)| *done < invoked) {
            self.stale.push((said.at, said.node, invoked.since(done).0 as f64));
        }
    }
}

impl Judge for History {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            Fact::Arrive(request) => {
                self.requests.push(Told { operation: request.operation, invoked: None, done: None });
            }
            Fact::Invoke { request } => {
                if let Some(told) = self.requests.get_mut(request.index()) {
                    told.invoked = Some(said.at);
                }
            }
            Fact::Complete { request, outcome: Outcome::Ok, value } => self.complete(said, request, value),
            _ => {}
        }
    }
}

/// Acknowledged writes that are gone, each counted once.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    values: BTreeSet<u64>,
    samples: Vec<Sample>,
}

impl Lost {
    /// Takes down a loss; returns whether it was not known yet.
    pub fn add(&mut self, at: Time, node: NodeId, value: u64) -> bool {
        let new = self.values.insert(value);
        if new {
            self.samples.push((at, node, 1.0));
        }
        new
    }

    /// How many writes are gone.
    pub fn count(&self) -> u64 {
        self.samples.len() as u64
    }

    /// When each loss became certain, at whom, and the number 1.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::Request;

    /// (kind, value that a put writes or a get returns, begin, end); all on one key. Values of puts
    /// are their place in the story, from 1.
    fn judged(story: &[(u16, u64, u64, u64)]) -> (Vec<f64>, usize) {
        let mut facts = Vec::new();
        for (place, &(kind, value, begin, end)) in story.iter().enumerate() {
            let id = RequestId(u32::try_from(place).unwrap());
            let operation = Operation { kind, key: 1, value: place as u64 + 1 };
            let request = Request { id, workload: 0, probe: false, operation };
            facts.push((0, Fact::Arrive(request)));
            facts.push((begin, Fact::Invoke { request: id }));
            facts.push((end, Fact::Complete { request: id, outcome: Outcome::Ok, value }));
        }
        facts.sort_by_key(|(at, _)| *at);
        let mut judge = History::default();
        for (at, fact) in facts {
            judge.observe(&Stamped { at: Time(at), event: 0, node: NodeId(0), correct: true, fact });
        }
        (judge.stale().iter().map(|read| read.2).collect(), judge.corrupt().len())
    }

    #[test]
    fn stale_and_corrupt_reads_are_told_from_those_that_may_be() {
        assert_eq!(judged(&[(PUT, 0, 1, 2), (GET, 1, 3, 4)]), (vec![], 0));
        assert_eq!(judged(&[(PUT, 0, 1, 2), (PUT, 0, 3, 4), (GET, 1, 9, 10)]), (vec![5.0], 0));
        assert_eq!(
            judged(&[(PUT, 0, 1, 2), (GET, 0, 3, 4)]),
            (vec![1.0], 0),
            "an acknowledged write is gone"
        );
        assert_eq!(judged(&[(PUT, 0, 1, 2), (GET, 9, 3, 4)]), (vec![], 1));
        assert_eq!(judged(&[(PUT, 0, 1, 2), (GET, 2, 3, 4)]), (vec![], 1), "a value of no write");
        assert_eq!(judged(&[(PUT, 0, 1, 4), (PUT, 0, 2, 3), (GET, 1, 5, 6)]), (vec![], 0), "they overlapped");
        assert_eq!(
            judged(&[(PUT, 0, 1, 2), (PUT, 0, 3, 6), (GET, 1, 4, 5)]),
            (vec![], 0),
            "not acknowledged"
        );
        assert_eq!(judged(&[(GET, 0, 1, 2), (PUT, 0, 3, 4)]), (vec![], 0));
        let three = [(PUT, 0, 1, 2), (PUT, 0, 3, 4), (PUT, 0, 5, 6), (GET, 1, 9, 10)];
        assert_eq!(judged(&three), (vec![5.0], 0), "stale since the first newer write");
    }
}
