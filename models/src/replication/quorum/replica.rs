//! A replica: what it keeps, and what goes where.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use murphy_sim::{DiskResult, Fact, NodeId, Span};

use super::coordinator::Open;
use super::{Cx, QuorumMessage, Timer, Version, Write, metric};

/// What a coordinator does about replicas that do not answer a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hints {
    /// Nothing.
    None,
    /// It keeps the write for them.
    Kept,
    /// The same, and counts that as a replica that has it: a sloppy quorum.
    Counted,
}

/// How a replica replicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the declared parameters say what they are")]
pub struct Options {
    pub read: usize,
    pub write: usize,
    /// A request goes to as many replicas as it needs, drawn at random, instead of to all.
    pub partial: bool,
    pub read_repair: bool,
    pub hints: Hints,
    pub patience: Span,
    pub handoff_every: Span,
    pub anti_entropy: Span,
    pub work: Span,
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) group: Arc<[NodeId]>,
    pub(super) options: Options,
    /// Requests that it coordinates, by number.
    pub(super) open: BTreeMap<u64, Open>,
    pub(super) next: u64,
    /// Whom to answer when each sync on its way is over.
    syncs: VecDeque<Option<(NodeId, u64, Version)>>,
}

impl Replica {
    pub(super) fn boot(cx: &mut Cx<'_>, group: Arc<[NodeId]>, options: Options) -> Replica {
        if options.hints != Hints::None {
            cx.set_timer(options.handoff_every, Timer::Handoff);
        }
        if options.anti_entropy > Span::ZERO {
            let phase = Span(cx.rng().below(options.anti_entropy.0));
            cx.set_timer(phase, Timer::Compare);
        }
        cx.fact(Fact::State { digest: cx.durable().digest() });
        // Numbers of requests before a crash are not used again.
        let next = cx.rng().word() >> 1 | 1;
        Replica { group, options, open: BTreeMap::new(), next, syncs: VecDeque::new() }
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &QuorumMessage) {
        match message {
            QuorumMessage::Call(call) => self.coordinate(cx, from, *call),
            QuorumMessage::Store { op, version } => self.keep(cx, *version, Some((from, *op))),
            QuorumMessage::Stored { op, version } => self.stored(cx, from, *op, *version),
            QuorumMessage::Fetch { op, key } => {
                cx.work(self.options.work);
                let version = cx.durable().get(*key);
                cx.send(from, QuorumMessage::Fetched { op: *op, version });
            }
            QuorumMessage::Fetched { op, version } => self.fetched(cx, from, *op, *version),
            QuorumMessage::Compare { digests } => Replica::compared(cx, from, digests),
            QuorumMessage::Differ { ranges, versions, back } => {
                self.exchange(cx, from, *ranges, versions, *back);
            }
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Over(op) => self.over(cx, op),
            Timer::Handoff => self.hand_off(cx),
            Timer::Compare => self.compare(cx),
            Timer::Client(_) => {}
        }
    }

    /// Writes a version, unless there is a newer one.
    pub(super) fn keep(&mut self, cx: &mut Cx<'_>, version: Version, answer: Option<(NodeId, u64)>) {
        if answer.is_some() {
            cx.work(self.options.work);
        }
        cx.write(Write::Put(version), 1000);
        cx.sync();
        self.syncs.push_back(answer.map(|(node, op)| (node, op, version)));
        if cx.durable().get(version.key).stamp < version.stamp {
            let lag = cx.now().since(version.begun);
            cx.fact(Fact::Sample { metric: metric::LAG, value: lag.0 });
        }
    }

    /// Writes something that nobody waits for.
    pub(super) fn note(&mut self, cx: &mut Cx<'_>, write: Write) {
        cx.write(write, 1000);
        cx.sync();
        self.syncs.push_back(None);
    }

    pub(super) fn on_disk(&mut self, cx: &mut Cx<'_>, result: DiskResult) {
        let Some(answer) = self.syncs.pop_front() else { return };
        cx.fact(Fact::State { digest: cx.durable().digest() });
        if let Some((node, op, version)) = answer.filter(|_| result == DiskResult::Synced) {
            cx.send(node, QuorumMessage::Stored { op, version });
        }
    }
}
