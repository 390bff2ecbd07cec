//! Requests of workloads: who asks for what, and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::setup::Workload;
use super::{Core, Tag};
use crate::arrivals::Arrivals;
use crate::fact::{Fact, NodeId, Operation, Outcome, Request, RequestId};
use crate::hash::name_hash;
use crate::process::Process;
use crate::queue::Entry;
use crate::random::{Domain, below, unit};
use crate::time::{Span, Time};

/// Users who wait for their result before they ask again, by their open request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Askers {
    waiting: BTreeMap<RequestId, Asker>,
    /// Requests so far, by workload and user or session.
    counts: BTreeMap<(u32, u32), u32>,
}

#[derive(Clone, Copy, Debug)]
struct Asker {
    workload: u32,
    /// From one.
    user: u32,
    asked: Time,
}

impl Askers {
    #[inline]
    pub(crate) fn none_waits(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<P: Process> Core<P> {
    /// The first arrivals of a workload.
    pub(super) fn schedule_arrivals(&mut self, workload: usize) {
        let slot = u32::try_from(workload).expect("fewer than 2^16 workloads");
        if self.is_listed() {
            if let Some(at) = self.next_listed(workload) {
                self.push(at, Tag::Arrival, 0, slot);
            }
            return;
        }
        let workloads = Arc::clone(&self.workloads);
        match &workloads[workload].arrivals {
            Arrivals::Users { users, .. } => {
                for user in 1..=*users {
                    self.ask_again(slot, user, Time::ZERO);
                }
            }
            _ => self.schedule_next(workload, Time::ZERO),
        }
    }

    /// Schedules the next arrival of an open workload, or the next session.
    fn schedule_next(&mut self, workload: usize, now: Time) {
        let slot = u32::try_from(workload).expect("fewer than 2^16 workloads");
        if let Some(at) = self.next_arrival(workload, now) {
            self.push(at, Tag::Arrival, 0, slot);
        }
    }

    fn next_arrival(&self, workload: usize, now: Time) -> Option<Time> {
        let source = &self.workloads[workload];
        let ordinal = self.arrivals[workload];
        let word = || self.keyed.word(Domain::Arrival, self.keyed.base(name_hash(&source.name), ordinal), 0);
        let gap = match &source.arrivals {
            // Requests of one group arrive together.
            Arrivals::Groups { size, .. } if !ordinal.is_multiple_of(*size) => Span::ZERO,
            Arrivals::Groups { gap, .. } | Arrivals::Sessions { gap, .. } => gap.sample(word()),
            Arrivals::Varying(rate) => rate.next(now, word())?,
            Arrivals::Trace(times) => return times.get(usize::try_from(ordinal).ok()?).copied(),
            Arrivals::Users { .. } => return None,
        };
        Some(now.saturating_add(gap))
    }

    /// Draws the request that arrives now, and schedules the arrival after it.
    pub(crate) fn next_request(&mut self, entry: Entry, probe: bool) -> (Request, NodeId) {
        if !probe && self.is_listed() {
            return self.listed_request(entry);
        }
        let index = entry.slot as usize;
        let workloads = Arc::clone(&self.workloads);
        let source = &workloads[index];
        if let (Some(asked), true) = (source.probe, probe) {
            self.push(entry.at.saturating_add(asked.every), Tag::Probe, 0, entry.slot);
            return (self.number_request(index, true, asked.operation, u64::MAX), asked.client);
        }
        let open = entry.target == 0;
        let session = matches!(source.arrivals, Arrivals::Sessions { .. });
        let user = match (open, session) {
            (true, false) => None,
            // A session's number, from one.
            (true, true) => Some(u32::try_from(self.arrivals[index] + 1).expect("fewer than 2^32 sessions")),
            (false, _) => Some(entry.target),
        };
        let ordinal = user.map_or(self.arrivals[index], |user| self.next_of(entry.slot, user));
        if open {
            self.arrivals[index] += 1;
            self.schedule_next(index, entry.at);
        }
        let base = self.keyed.base(name_hash(&source.name), ordinal);
        let (client, kind, key) = self.draw(source, base);
        let request = self.number_request(index, false, kind, key);
        if let Some(user) = user {
            let asker = Asker { workload: entry.slot, user, asked: entry.at };
            self.askers.waiting.insert(request.id, asker);
        }
        (request, client)
    }

    /// Ordinal of a user's next request: no other user's has it, whatever the others do.
    fn next_of(&mut self, workload: u32, user: u32) -> u64 {
        let count = self.askers.counts.entry((workload, user)).or_insert(0);
        *count += 1;
        u64::from(user) << 32 | u64::from(*count)
    }

    /// A request of a user who waits for it has its result.
    pub(crate) fn asker_has_result(&mut self, now: Time, node: NodeId, request: RequestId, outcome: Outcome) {
        let Some(Asker { workload, user, asked }) = self.askers.waiting.remove(&request) else { return };
        let workloads = Arc::clone(&self.workloads);
        let Arrivals::Sessions { requests, patience, .. } = workloads[workload as usize].arrivals else {
            return self.ask_again(workload, user, now);
        };
        let gives_up = outcome != Outcome::Ok || now.since(asked) > patience;
        let done = self.askers.counts.get(&(workload, user)).copied().unwrap_or(0) >= requests;
        if !gives_up && !done {
            return self.ask_again(workload, user, now);
        }
        self.askers.counts.remove(&(workload, user));
        let workload = u16::try_from(workload).expect("fewer than 2^16 workloads");
        self.say(node, now, Fact::SessionEnd { workload, finished: !gives_up });
    }

    /// Schedules a user's next request.
    fn ask_again(&mut self, workload: u32, user: u32, now: Time) {
        let workloads = Arc::clone(&self.workloads);
        let source = &workloads[workload as usize];
        let (Arrivals::Users { think, .. } | Arrivals::Sessions { think, .. }) = &source.arrivals else {
            return;
        };
        let count = self.askers.counts.get(&(workload, user)).copied().unwrap_or(0);
        let base = self.keyed.base(name_hash(&source.name), u64::from(user) << 32 | u64::from(count));
        let thinks = think.sample(self.keyed.word(Domain::Arrival, base, 0));
        self.push(now.saturating_add(thinks), Tag::Arrival, user, workload);
    }

    /// Client, kind of operation and key of the request with this key of its decisions.
    pub(super) fn draw(&self, source: &Workload, base: u64) -> (NodeId, u16, u64) {
        let word = |part| self.keyed.word(Domain::Request, base, part);
        let client = usize::try_from(below(word(1), source.clients.len() as u64)).expect("an index");
        (source.clients[client], pick(&source.operations, unit(word(2))), source.keys.pick(word(3)))
    }

    /// Takes down a request under the next number.
    pub(super) fn number_request(&mut self, workload: usize, probe: bool, kind: u16, key: u64) -> Request {
        let id = RequestId(u32::try_from(self.requests.len()).expect("fewer than 2^32 requests"));
        let workload = u16::try_from(workload).expect("fewer than 2^16 workloads");
        let operation = Operation { kind, key, value: u64::from(id.0) + 1 };
        let request = Request { id, workload, probe, operation };
        self.requests.push(request);
        request
    }
}

/// The kind that a number in (0, 1) picks by weight.
fn pick(operations: &[(u16, f64)], at: f64) -> u16 {
    let total: f64 = operations.iter().map(|(_, weight)| weight).sum();
    let mut left = at * total;
    for &(kind, weight) in operations {
        left -= weight;
        if left < 0.0 {
            return kind;
        }
    }
    operations.last().expect("a workload has operations").0
}
