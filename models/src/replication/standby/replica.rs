//! A replica: its options, its role, and what goes where.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use murphy_sim::{DiskResult, Fact, Law, NodeId, Span, Time, TimerId};

use super::active::Active;
use super::{Cx, Record, StandbyMessage, Timer, Write, own};

/// When a write is acknowledged, beside being on the primary's own disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shipping {
    /// At once.
    Asynchronous,
    /// When one standby has it; if none has it in time, the primary goes on alone until one has caught up.
    SemiSynchronous,
    /// When all standbys in sync have it. One that has it not in time is out of sync: the arbiter will
    /// not let it take over before it has caught up.
    Synchronous,
}

/// How long a record waits before it leaves the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// Each for itself, always as long.
    Constant,
    /// Each for itself, exponential.
    Exponential,
    /// One after the other, each exponential: a stream of limited pace.
    Stream,
}

/// What a standby has ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heat {
    /// It applies what it receives: nothing is left to do.
    Hot,
    /// It applies now and then, and replays the rest; its caches are cold.
    Warm,
    /// It has the log, but no process: that starts, replays all of it, and its caches are cold.
    Cold,
}

/// How a replica replicates and takes over.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the declared parameters say what they are")]
pub struct Options {
    pub shipping: Shipping,
    pub patience: Span,
    pub lag: Span,
    pub lag_law: Lag,
    pub ship_every: Span,
    pub heartbeat: Span,
    pub suspect_after: Span,
    pub cooldown: Span,
    pub failback: Span,
    pub lease: Span,
    pub heat: Heat,
    pub apply_every: Span,
    pub start: Span,
    pub replay: Span,
    pub promote: Span,
    pub promote_sigma: f64,
    pub warm_up: Span,
    pub cold_factor: f64,
    pub work: Span,
}

/// What a sync on its way covers.
#[derive(Clone, Debug)]
pub(super) enum Covered {
    Nothing,
    /// The primary's own record.
    Own(Record),
    /// Records of a primary, under its term.
    Shipped(NodeId, u64, Arc<[Record]>),
    /// The state of a primary.
    Installed(NodeId, u64),
}

/// What a replica is.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// It follows a primary, if there is one.
    Passive,
    /// It asks for a lease.
    Candidate,
    /// It has the lease, and gets ready.
    Promoting,
    /// It serves.
    Active(Box<Active>),
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) group: Arc<[NodeId]>,
    pub(super) arbiter: Option<NodeId>,
    pub(super) options: Options,
    pub(super) term: u64,
    pub(super) role: Role,
    pub(super) primary: Option<NodeId>,
    /// What is committed, by key: record number and value.
    pub(super) visible: BTreeMap<u64, (u64, u64)>,
    pub(super) syncs: VecDeque<Covered>,
    pub(super) suspicion: Option<TimerId>,
    /// Since when the term is known, on the monotonic clock.
    pub(super) term_since: Time,
    /// The state of this term's primary is here.
    pub(super) joined: bool,
    /// When it was asked for.
    pub(super) asked: Option<Time>,
    /// Records received and not yet applied.
    pub(super) unapplied: u64,
    /// On the monotonic clock.
    pub(super) lease_until: Time,
}

impl Replica {
    pub(super) fn boot(
        cx: &mut Cx<'_>,
        group: Arc<[NodeId]>,
        arbiter: Option<NodeId>,
        options: Options,
    ) -> Replica {
        let store = cx.durable();
        let (term, last, visible) = (store.term, store.last, store.blocks().clone());
        cx.fact(Fact::Own { kind: own::BOOTED, a: last, b: 0 });
        let mut replica = Replica {
            group,
            arbiter,
            options,
            term,
            role: Role::Passive,
            primary: None,
            visible,
            syncs: VecDeque::new(),
            suspicion: None,
            term_since: Time::ZERO,
            joined: false,
            asked: None,
            unapplied: 0,
            lease_until: Time::ZERO,
        };
        if options.heat == Heat::Warm {
            cx.set_timer(options.apply_every, Timer::Apply);
        }
        // Who was never in any term begins one, if it is the preferred primary.
        if replica.is_preferred(cx) && term == 0 {
            replica.campaign(cx);
        } else {
            replica.listen(cx);
        }
        replica
    }

    pub(super) fn is_preferred(&self, cx: &Cx<'_>) -> bool {
        self.group[0] == cx.id()
    }

    pub(super) fn peers(&self, cx: &Cx<'_>) -> Vec<NodeId> {
        self.group.iter().copied().filter(|node| *node != cx.id()).collect()
    }

    pub(super) fn write(&mut self, cx: &mut Cx<'_>, write: Write, bytes: u32, covered: Covered) {
        cx.write(write, bytes);
        cx.sync();
        self.syncs.push_back(covered);
    }

    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &StandbyMessage) {
        match message {
            StandbyMessage::Call(call) => self.serve(cx, from, *call),
            StandbyMessage::Heartbeat { term }
            | StandbyMessage::Ship { term, .. }
            | StandbyMessage::State { term, .. } => self.obey(cx, from, *term, message),
            StandbyMessage::Granted { term, sent, insync } => self.granted(cx, *term, *sent, *insync),
            StandbyMessage::Deposed { term } => self.learn(cx, *term),
            StandbyMessage::Stored { term, prefix } if *term == self.term => {
                self.stored_at(cx, from, *prefix);
            }
            StandbyMessage::Join { term } => {
                if *term > self.term {
                    self.learn(cx, *term);
                } else {
                    self.joins(cx, from);
                }
            }
            StandbyMessage::Handover { term } if *term == self.term => self.handover(cx, from),
            StandbyMessage::Yield { term } if *term == self.term => self.campaign(cx),
            _ => {}
        }
    }

    fn obey(&mut self, cx: &mut Cx<'_>, from: NodeId, term: u64, message: &StandbyMessage) {
        if !self.follows(cx, from, term) {
            return;
        }
        match message {
            StandbyMessage::Heartbeat { .. } => self.hear(cx),
            StandbyMessage::Ship { records, .. } if self.joined => self.receive(cx, from, records),
            StandbyMessage::State { state, .. } if !self.joined => self.install(cx, from, state),
            _ => {}
        }
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Suspect => self.suspect(cx),
            Timer::Campaign if matches!(self.role, Role::Candidate) => self.ask(cx),
            Timer::Apply => {
                cx.set_timer(self.options.apply_every, Timer::Apply);
                self.unapplied = 0;
            }
            Timer::Failback => self.ask_for_place(cx),
            Timer::Heartbeat if self.leads() => self.beat(cx),
            Timer::Renew if self.leads() => self.renew(cx),
            Timer::Promoted if matches!(self.role, Role::Promoting) => self.begin(cx),
            Timer::Warm if matches!(self.role, Role::Active(_)) => {
                cx.fact(Fact::Own { kind: own::WARM, a: self.term, b: 0 });
            }
            Timer::Batch => self.batch(cx),
            Timer::Leave(first, last) => self.leave(cx, first, last),
            _ => {}
        }
    }

    pub(super) fn on_disk(&mut self, cx: &mut Cx<'_>, result: DiskResult) {
        let Some(covered) = self.syncs.pop_front() else { return };
        // A full disk has not what it should: nobody is told that it does.
        if result == DiskResult::Full {
            return;
        }
        match covered {
            Covered::Nothing => {}
            Covered::Own(record) => {
                cx.fact(Fact::Own { kind: own::STORED, a: record.value, b: record.seq });
                self.stored_here(cx, &record);
            }
            Covered::Shipped(from, term, records) => Self::stored_shipped(cx, from, term, &records),
            Covered::Installed(from, term) => self.installed(cx, from, term),
        }
    }

    pub(super) fn leads(&self) -> bool {
        matches!(self.role, Role::Active(_) | Role::Promoting)
    }

    /// A span of the law with this mean (or median, for a sigma).
    pub(super) fn lognormal(cx: &mut Cx<'_>, median: Span, sigma: f64) -> Span {
        let word = cx.rng().word();
        if sigma > 0.0 { Law::LogNormal { median, sigma }.sample(word) } else { median }
    }
}
