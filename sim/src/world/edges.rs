//! Starts and ends of faults.

use std::sync::Arc;

use super::World;
use crate::fact::{Judge, NodeId};
use crate::fault::{FaultKind, Hit};
use crate::hash::name_hash;
use crate::process::Process;
use crate::trace::Event;

impl<P: Process, J: Judge> World<P, J> {
    /// A fault of the plan starts or ends: the state of every node it names is made to fit the list
    /// of faults that are active now.
    #[cold]
    pub(super) fn fault_edge(&mut self, index: u32, starts: bool) {
        self.list_active(index, starts);
        let fault = index as usize;
        let plan = Arc::clone(&self.core.plan);
        match &plan[fault].kind {
            FaultKind::Crash { nodes, amnesia } => {
                for node in nodes.iter() {
                    if starts {
                        self.crash_by(fault, node, *amnesia);
                    } else if !self.core.is_kept_down(node) {
                        self.core.hits[fault].add(Hit::NodesRestarted, 1);
                        self.boot(node.index());
                    }
                }
            }
            FaultKind::Pause { nodes } => {
                for node in nodes.iter() {
                    let paused = self.core.covered(node, |kind| matches!(kind, FaultKind::Pause { .. }));
                    self.core.hosts[node.index()].paused = paused;
                    if !paused {
                        self.core.wake_at_free(node.index());
                    }
                }
            }
            FaultKind::Slow { nodes, .. } => {
                for node in nodes.iter() {
                    self.core.set_pace(node);
                }
            }
            FaultKind::Clock { nodes, jump_ns, .. } => {
                for node in nodes.iter() {
                    self.core.jump_clock(node, if starts { *jump_ns } else { 0 });
                    self.core.hits[fault].add(Hit::ClocksShifted, u64::from(starts));
                    self.core.set_clock(node);
                }
            }
            FaultKind::Byzantine { nodes, attack } => self.subvert(index, nodes, attack, starts),
            FaultKind::Resource { nodes, failure } => self.fail(index, nodes, failure, starts),
            FaultKind::Load { workload, load } => self.load(index, *workload, *load, starts),
            FaultKind::Partition { .. }
            | FaultKind::Flapping { .. }
            | FaultKind::Messages { .. }
            | FaultKind::Cut { .. } => {}
        }
    }

    /// Enters a fault into the list of active ones, or takes it out and closes its counts.
    fn list_active(&mut self, index: u32, starts: bool) {
        let core = &mut self.core;
        let fault = index as usize;
        let event = if starts { Event::FaultStart } else { Event::FaultEnd };
        core.trace.fault(core.now, name_hash(&core.plan[fault].name), event);
        if starts {
            let place = core.active.partition_point(|&other| other < index);
            core.active.insert(place, index);
        } else {
            core.active.retain(|&other| other != index);
            let mut hits = core.hits[fault];
            core.count_time(&core.plan[fault], &mut hits);
            core.hits[fault] = hits;
        }
        core.network.set_active(&core.plan, &core.active);
    }

    pub(super) fn crash_by(&mut self, fault: usize, node: NodeId, amnesia: bool) {
        if self.core.hosts[node.index()].down {
            return;
        }
        let lost = self.crash(node.index(), amnesia);
        self.core.hits[fault].add(Hit::NodesCrashed, 1);
        self.core.hits[fault].add(Hit::WritesLost, lost);
    }
}
