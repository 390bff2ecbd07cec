//! Requests of workloads: who asks for what, and when.

use std::sync::Arc;

use super::setup::Workload;
use super::{Core, Tag};
use crate::fact::{NodeId, Operation, Request, RequestId};
use crate::hash::name_hash;
use crate::process::Process;
use crate::queue::Entry;
use crate::random::{Domain, below, unit};
use crate::time::Span;

impl<P: Process> Core<P> {
    pub(super) fn gap(&self, workload: usize) -> Span {
        let source = &self.workloads[workload];
        let base = self.keyed.base(name_hash(&source.name), self.arrivals[workload][0]);
        source.gap.sample(self.keyed.word(Domain::Arrival, base, 0))
    }

    /// Draws the request that arrives now, and schedules the arrival after it.
    pub(crate) fn next_request(&mut self, entry: Entry, probe: bool) -> (Request, NodeId) {
        let index = entry.slot as usize;
        let workloads = Arc::clone(&self.workloads);
        let source = &workloads[index];
        let ordinal = self.arrivals[index][usize::from(probe)];
        self.arrivals[index][usize::from(probe)] += 1;
        let base = self.keyed.base(name_hash(&source.name), ordinal);
        let (client, kind, key) = match source.probe {
            Some(asked) if probe => (asked.client, asked.operation, u64::MAX),
            _ => self.draw(source, base),
        };
        let next = match source.probe {
            Some(asked) if probe => asked.every,
            // Requests of one group arrive together.
            _ if !(ordinal + 1).is_multiple_of(source.together) => Span::ZERO,
            _ => self.gap(index),
        };
        let tag = if probe { Tag::Probe } else { Tag::Arrival };
        self.push(entry.at.saturating_add(next), tag, 0, entry.slot);
        (self.number_request(index, probe, kind, key), client)
    }

    /// Client, kind of operation and key of the request with this key of its decisions.
    pub(super) fn draw(&self, source: &Workload, base: u64) -> (NodeId, u16, u64) {
        let word = |part| self.keyed.word(Domain::Request, base, part);
        let client = usize::try_from(below(word(1), source.clients.len() as u64)).expect("an index");
        (source.clients[client], pick(&source.operations, unit(word(2))), below(word(3), source.keys))
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
