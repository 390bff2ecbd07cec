//! Faults of load: requests beside those that a workload would bring.
//!
//! They have decisions of their own, keyed by the fault: the workload's other requests come when they
//! would have come, from the same clients, for the same operations and keys.

use std::sync::Arc;

use super::{Core, World};
use crate::fact::{Fact, Judge, NodeId, Request};
use crate::failure::Load;
use crate::fault::{FaultKind, Hit};
use crate::hash::name_hash;
use crate::process::Process;
use crate::random::Domain;
use crate::trace::Event;

impl<P: Process, J: Judge> World<P, J> {
    /// A fault of load starts or ends.
    pub(super) fn load(&mut self, index: u32, workload: u16, load: Load, starts: bool) {
        // A list of requests has what a fault of load added.
        if !starts || self.core.is_listed() {
            return;
        }
        match load {
            Load::Herd(requests) => {
                for _ in 0..requests {
                    self.arrive_extra(index, workload);
                }
            }
            Load::Surge(factor) => self.core.schedule_extra(index, workload, factor),
        }
    }

    /// A request that a surge adds arrives, and the next one is drawn.
    pub(super) fn surge(&mut self, index: u32) {
        let plan = Arc::clone(&self.core.plan);
        if let FaultKind::Load { workload, load: Load::Surge(factor) } = plan[index as usize].kind {
            self.arrive_extra(index, workload);
            self.core.schedule_extra(index, workload, factor);
        }
    }

    fn arrive_extra(&mut self, index: u32, workload: u16) {
        let (request, client) = self.core.extra_request(index, workload);
        let now = self.core.now;
        self.core.hits[index as usize].add(Hit::RequestsAdded, 1);
        self.core.say(client, now, Fact::Arrive(request));
        self.arrive(client.index(), Event::Request, request.id.0);
    }
}

impl<P: Process> Core<P> {
    fn extra_request(&mut self, index: u32, workload: u16) -> (Request, NodeId) {
        let workloads = Arc::clone(&self.workloads);
        let source = &workloads[usize::from(workload)];
        let ordinal = self.failing.ordinal(index, 0);
        let base = self.extra_base(index, &source.name, ordinal);
        let (client, kind, key) = self.draw(source, base);
        (self.number_request(usize::from(workload), false, kind, key), client)
    }

    /// Draws when the surge's next request comes. Those of a group come one by one.
    fn schedule_extra(&mut self, index: u32, workload: u16, factor: f64) {
        let source = &self.workloads[usize::from(workload)];
        let base = self.extra_base(index, &source.name, self.failing.next_ordinal(index, 0));
        let word = self.keyed.word(Domain::Arrival, base, 0);
        let gap = if factor > 1.0 { source.arrivals.extra(self.now, word, factor - 1.0) } else { None };
        if let Some(gap) = gap {
            self.schedule_tick(index, NodeId(0), gap);
        }
    }

    fn extra_base(&self, index: u32, workload: &str, ordinal: u64) -> u64 {
        let fault = name_hash(&self.plan[index as usize].name);
        self.keyed.base(name_hash(workload) ^ fault.rotate_left(1), ordinal)
    }
}
