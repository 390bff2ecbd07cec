//! The replica that a client asks: it asks the others, repairs, and keeps hints.

use std::collections::BTreeSet;

use murphy_sim::{Fact, NodeId, Operation, Outcome, RequestId};

use super::replica::{Hints, Replica};
use super::{Cx, QuorumMessage, Timer, Version, Write, metric};
use crate::replication::{Call, GET};

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Open {
    client: NodeId,
    request: RequestId,
    needed: usize,
    /// Who was asked and has not answered.
    silent: BTreeSet<NodeId>,
    answers: Vec<(NodeId, Version)>,
    write: bool,
    /// What is written, or the newest version that came.
    version: Version,
    answered: bool,
}

impl Replica {
    /// A client asks.
    pub(super) fn coordinate(&mut self, cx: &mut Cx<'_>, client: NodeId, call: Call) {
        let Call::Ask { request, operation } = call else { return };
        let write = operation.kind != GET;
        let needed = if write { self.options.write } else { self.options.read };
        let asked = self.asked(cx, needed);
        self.next += 1;
        let op = self.next;
        let Operation { key, value, .. } = operation;
        let version = if write {
            Version { key, value, stamp: (cx.clock().0, cx.id().0), begun: cx.now() }
        } else {
            Version { key, ..Version::default() }
        };
        let message =
            if write { QuorumMessage::Store { op, version } } else { QuorumMessage::Fetch { op, key } };
        cx.broadcast(asked.iter().copied(), message);
        cx.set_timer(self.options.patience, Timer::Over(op));
        let silent = asked.into_iter().collect();
        let (answers, answered) = (Vec::new(), false);
        self.open.insert(op, Open { client, request, needed, silent, answers, write, version, answered });
    }

    /// Everybody, or as many as are needed, drawn without preference.
    fn asked(&mut self, cx: &mut Cx<'_>, needed: usize) -> Vec<NodeId> {
        let mut nodes = self.group.to_vec();
        if self.options.partial {
            for place in 0..needed {
                let other = place as u64 + cx.rng().below((nodes.len() - place) as u64);
                nodes.swap(place, usize::try_from(other).expect("a place"));
            }
            nodes.truncate(needed);
        }
        nodes
    }

    pub(super) fn stored(&mut self, cx: &mut Cx<'_>, from: NodeId, op: u64, version: Version) {
        if op == 0 {
            cx.fact(Fact::Sample { metric: metric::HANDED_OFF, value: 1 });
            self.note(cx, Write::Done(from, version));
        } else if let Some(request) = self.open.get_mut(&op)
            && request.silent.remove(&from)
        {
            request.answers.push((from, version));
            self.settle(cx, op);
        }
    }

    pub(super) fn fetched(&mut self, cx: &mut Cx<'_>, from: NodeId, op: u64, version: Version) {
        let Some(request) = self.open.get_mut(&op) else { return };
        if request.silent.remove(&from) {
            request.answers.push((from, version));
            if !request.answered && version.stamp > request.version.stamp {
                request.version = version;
            }
            self.settle(cx, op);
        }
    }

    /// Enough answers, or all of them.
    fn settle(&mut self, cx: &mut Cx<'_>, op: u64) {
        let Some(request) = self.open.get_mut(&op) else { return };
        if !request.answered && request.answers.len() >= request.needed {
            request.answered = true;
            let value = if request.write { 0 } else { request.version.value };
            let answer = Call::Answer { request: request.request, outcome: Outcome::Ok, value };
            cx.send(request.client, answer.into());
        }
        if request.silent.is_empty() {
            self.finish(cx, op);
        }
    }

    /// A coordinator waits no longer.
    pub(super) fn over(&mut self, cx: &mut Cx<'_>, op: u64) {
        let Some(request) = self.open.get_mut(&op) else { return };
        if request.write && self.options.hints != Hints::None {
            let (version, silent) = (request.version, request.silent.clone());
            if self.options.hints == Hints::Counted {
                request.needed = request.needed.saturating_sub(silent.len());
            }
            for node in silent {
                cx.fact(Fact::Sample { metric: metric::HINTS, value: 1 });
                self.note(cx, Write::Hint(node, version));
            }
        }
        self.settle(cx, op);
        self.finish(cx, op);
    }

    /// A read has all answers that it will get: who has an old version gets the newest.
    fn finish(&mut self, cx: &mut Cx<'_>, op: u64) {
        let Some(request) = self.open.remove(&op) else { return };
        if !request.answered {
            let answer = Call::Answer { request: request.request, outcome: Outcome::Failed, value: 0 };
            cx.send(request.client, answer.into());
        }
        if request.write || !self.options.read_repair {
            return;
        }
        let newest = request.answers.iter().map(|(_, version)| *version).max_by_key(|version| version.stamp);
        let Some(newest) = newest.filter(|version| version.value != 0) else { return };
        for (node, _) in request.answers.iter().filter(|(_, version)| version.stamp < newest.stamp) {
            cx.fact(Fact::Sample { metric: metric::READ_REPAIRS, value: 1 });
            cx.send(*node, QuorumMessage::Store { op: u64::MAX, version: newest });
        }
    }

    /// Time to send hints again.
    pub(super) fn hand_off(&mut self, cx: &mut Cx<'_>) {
        cx.set_timer(self.options.handoff_every, Timer::Handoff);
        let hints: Vec<(NodeId, Version)> = cx.durable().hints().collect();
        for (node, version) in hints {
            cx.send(node, QuorumMessage::Store { op: 0, version });
        }
    }
}
