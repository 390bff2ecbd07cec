//! What is judged: whether two primaries answer, what a failover loses, and how long its parts take.

use murphy_scenarios::{MetricRecord, Oracles, PropertyRecord, System, Verdict};
use murphy_sim::{Fact, Judge, NodeId, Outcome, RequestId, Stamped, Time};

use super::own;
use super::protocol::{MEASURED, PROPERTIES};
use crate::replication::declare::{measured, saw, verdict};
use crate::replication::{History, Linear, Lost, Sample};

/// Values that a replica has, by value.
type Has = Vec<bool>;

/// A failover on its way.
#[derive(Clone, Copy, Debug, Default)]
struct Failover {
    crashed: Option<Time>,
    suspected: Option<Time>,
    elected: Option<Time>,
    serving: Option<Time>,
}

/// The judges of the model.
#[derive(Clone, Debug)]
pub struct StandbyOracles {
    history: History,
    linear: Linear,
    lost: Lost,
    has: Vec<Has>,
    /// Record number of each value.
    numbers: Vec<u64>,
    /// Highest term that serves, and who.
    serving: Option<(u64, NodeId)>,
    /// The primary gave up its place, or a standby campaigns for a failed one.
    yielded: bool,
    failover: Failover,
    failovers: u64,
    answers: u64,
    split: Option<(Time, u64, String)>,
    /// In the order of [`MEASURED`].
    samples: [Vec<Sample>; MEASURED.len()],
    names: std::sync::Arc<[String]>,
    abort: [bool; 2],
    loss: Option<(Time, u64, String)>,
}

/// Places in [`MEASURED`].
pub(super) mod place {
    pub(crate) const DETECT: usize = 0;
    pub(crate) const ELECT: usize = 1;
    pub(crate) const PROMOTE: usize = 2;
    pub(crate) const WARM_UP: usize = 3;
    pub(crate) const RTO: usize = 4;
    pub(crate) const RPO: usize = 5;
    pub(crate) const RPO_WRITES: usize = 6;
    pub(crate) const STARTED: usize = 7;
    pub(crate) const DONE: usize = 8;
    pub(crate) const FALSE: usize = 9;
    pub(crate) const SPLIT: usize = 10;
    pub(crate) const HANDOVERS: usize = 11;
}

impl StandbyOracles {
    pub(super) fn new(system: &System, abort: [bool; 2]) -> StandbyOracles {
        StandbyOracles {
            history: History::default(),
            linear: Linear::new(system),
            lost: Lost::default(),
            has: vec![Has::new(); system.names.len()],
            numbers: Vec::new(),
            serving: None,
            yielded: false,
            failover: Failover::default(),
            failovers: 0,
            answers: 0,
            split: None,
            samples: Default::default(),
            names: std::sync::Arc::clone(&system.names),
            abort,
            loss: None,
        }
    }

    fn sample(&mut self, place: usize, said: &Stamped, value: f64) {
        self.samples[place].push((said.at, said.node, value));
    }

    fn elapsed(&mut self, place: usize, said: &Stamped, since: Time) {
        self.sample(place, said, said.at.since(since).0 as f64);
    }

    fn stored(&mut self, node: NodeId, value: u64, number: u64) {
        let index = usize::try_from(value).expect("a value is the number of a request");
        let has = &mut self.has[node.index()];
        if has.len() <= index {
            has.resize(index + 1, false);
        }
        has[index] = true;
        if self.numbers.len() <= index {
            self.numbers.resize(index + 1, 0);
        }
        self.numbers[index] = number;
    }

    fn installed(&mut self, node: NodeId, from: usize, last: u64) {
        let theirs = self.has.get(from).cloned().unwrap_or_default();
        let within = |(value, has): (usize, bool)| has && self.numbers[value] <= last;
        self.has[node.index()] = theirs.into_iter().enumerate().map(within).collect();
    }

    fn lacks(&self, node: NodeId, value: u64) -> bool {
        let has = usize::try_from(value).ok().and_then(|index| self.has[node.index()].get(index));
        !has.copied().unwrap_or(false)
    }

    /// A new primary serves: what it does not have of what was acknowledged is lost.
    fn serves(&mut self, said: &Stamped, term: u64) {
        let first = self.serving.is_none();
        if self.serving.is_some_and(|(highest, _)| highest >= term) {
            return;
        }
        self.serving = Some((term, said.node));
        if first {
            return;
        }
        let gone: Vec<(u64, Time)> = self
            .history
            .values()
            .filter(|&(value, _)| self.lacks(said.node, value))
            .filter_map(|(value, write)| Some((value, write.done?)))
            .collect();
        let new: Vec<(u64, Time)> =
            gone.into_iter().filter(|&(value, _)| self.lost.add(said.at, said.node, value)).collect();
        if let Some(&(value, done)) = new.first() {
            self.report_loss(said, value, done, new.len());
        }
        if std::mem::take(&mut self.yielded) {
            self.sample(place::HANDOVERS, said, 1.0);
            return;
        }
        self.failovers += 1;
        self.sample(place::DONE, said, 1.0);
        self.sample(place::RPO_WRITES, said, new.len() as f64);
        if let Some(crashed) = self.failover.crashed {
            let oldest = new.iter().map(|&(_, done)| done).min();
            let age = oldest.map_or(0, |oldest| crashed.since(oldest).0);
            self.sample(place::RPO, said, age as f64);
            self.failover.serving = Some(said.at);
            if let Some(elected) = self.failover.elected {
                self.elapsed(place::PROMOTE, said, elected);
            }
            self.elapsed(place::RTO, said, crashed);
        } else {
            self.sample(place::FALSE, said, 1.0);
        }
    }

    fn report_loss(&mut self, said: &Stamped, value: u64, done: Time, count: usize) {
        if self.loss.is_none() {
            let name = &self.names[said.node.index()];
            let message = format!(
                "{name} lacks {count} acknowledged writes, the first of them of request {} at {done}",
                value - 1
            );
            self.loss = Some((said.at, said.event, message));
        }
    }

    fn answered(&mut self, said: &Stamped, term: u64, request: u64) {
        self.answers += 1;
        let Some((highest, primary)) = self.serving.filter(|(highest, _)| *highest > term) else { return };
        self.sample(place::SPLIT, said, 1.0);
        if self.split.is_none() {
            let (old, new) = (&self.names[said.node.index()], &self.names[primary.index()]);
            let message = format!(
                "{old} answers request {request} under term {term} while {new} serves under term {highest}"
            );
            self.split = Some((said.at, said.event, message));
        }
    }

    /// A write is acknowledged that the primary of the highest term has never had.
    fn acknowledged(&mut self, said: &Stamped, request: RequestId) {
        let value = u64::from(request.0) + 1;
        let Some((_, primary)) = self.serving else { return };
        if self.history.write(value).is_some() && self.lacks(primary, value) {
            self.lost.add(said.at, primary, value);
            self.report_loss(said, value, said.at, 1);
        }
    }

    fn own(&mut self, said: &Stamped, kind: u16, a: u64, b: u64) {
        match kind {
            own::STORED => self.stored(said.node, a, b),
            own::INSTALLED => self.installed(said.node, usize::try_from(a).unwrap_or(usize::MAX), b),
            own::BOOTED if a == 0 => self.has[said.node.index()].clear(),
            own::SERVING => self.serves(said, a),
            own::ANSWERED => self.answered(said, a, b),
            own::YIELDED => self.yielded = true,
            own::CAMPAIGN if self.serving.is_some() => self.sample(place::STARTED, said, 1.0),
            own::WARM => {
                if let (Some(serving), Some((_, primary))) = (self.failover.serving, self.serving)
                    && primary == said.node
                {
                    self.elapsed(place::WARM_UP, said, serving);
                    self.failover = Failover::default();
                }
            }
            _ => {}
        }
    }

    fn crashed(&mut self, said: &Stamped) {
        if self.serving.is_some_and(|(_, primary)| primary == said.node) {
            self.failover = Failover { crashed: Some(said.at), ..Failover::default() };
        }
    }
}

impl Judge for StandbyOracles {
    fn observe(&mut self, said: &Stamped) {
        self.history.observe(said);
        self.linear.observe(said);
        let primary = self.serving.map(|(_, primary)| primary);
        match said.fact {
            Fact::Own { kind, a, b } => self.own(said, kind, a, b),
            Fact::Crash => self.crashed(said),
            Fact::Suspect { node } if Some(node) == primary => {
                if let Some(crashed) = self.failover.crashed.filter(|_| self.failover.suspected.is_none()) {
                    self.failover.suspected = Some(said.at);
                    self.elapsed(place::DETECT, said, crashed);
                }
            }
            Fact::Leader { .. } => {
                self.failover.elected = Some(said.at);
                if let Some(suspected) = self.failover.suspected {
                    self.elapsed(place::ELECT, said, suspected);
                }
            }
            Fact::Complete { request, outcome: Outcome::Ok, .. } => self.acknowledged(said, request),
            _ => {}
        }
    }

    fn wants_stop(&self) -> bool {
        (self.abort[0] && self.split.is_some()) || (self.abort[1] && self.loss.is_some())
    }
}

impl Oracles for StandbyOracles {
    fn verdicts(&mut self) -> Vec<PropertyRecord> {
        let found = |found: &Option<(Time, u64, String)>| match found {
            None => Verdict::Held,
            Some((at, event, message)) => {
                Verdict::Violated { at_ns: at.0, event: *event, message: message.clone() }
            }
        };
        let mut records = vec![
            verdict(PROPERTIES[0].0, found(&self.split), self.answers),
            verdict(PROPERTIES[1].0, found(&self.loss), self.history.values().count() as u64),
            verdict(PROPERTIES[2].0, Verdict::Held, self.failovers),
        ];
        records.extend(self.linear.verdicts());
        records
    }

    fn metrics(&mut self) -> Vec<MetricRecord> {
        let own = MEASURED.iter().zip(&self.samples).map(|(info, samples)| measured(&info(), samples));
        own.chain(saw(&self.history, &self.lost)).collect()
    }
}
