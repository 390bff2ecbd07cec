//! A replica: its state, its disk and its timers. Each phase of the protocol has a file of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Span, TimerId};

use super::bug::Bug;
use super::checkpoint::Tally;
use super::log::Log;
use super::message::{Batch, CheckpointVote, NewView, PbftMessage, StableProof, ViewChange, Vote};
use super::options::{Options, Quorums};
use super::stable::Write;
use super::{Cx, Timer};
use crate::consensus::{Command, Group, SessionId, Signed, Snapshot, Store};

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) group: Arc<Group>,
    /// The other replicas.
    pub(super) peers: Arc<[NodeId]>,
    pub(super) place: usize,
    pub(super) view: u64,
    /// Whether the view has started; if not, its view-change is out.
    pub(super) active: bool,
    pub(super) quorums: Quorums,
    pub(super) options: Options,
    pub(super) log: Log,
    /// Last slot executed.
    pub(super) executed: u64,
    /// Last slot that this primary proposed.
    pub(super) proposed: u64,
    pub(super) store: Store,

    /// What each client waits for, by node.
    pub(super) waiting: Vec<Waiting>,
    /// How many clients wait.
    pub(super) pending: usize,
    /// Clients whose request this primary has to propose.
    pub(super) queue: VecDeque<SessionId>,
    /// Retired batches, to be used again.
    pub(super) retired: VecDeque<Arc<Batch>>,
    /// The commands of the next batch.
    pub(super) gathered: Vec<Command>,

    /// What is to be sent when the disk is done, in order.
    later: VecDeque<Later>,
    /// How many of them the running sync covers.
    syncing: usize,

    /// Runs while a request is pending, or while the new view does not come.
    pub(super) timer: Option<TimerId>,
    /// View changes since the last progress.
    pub(super) attempts: u32,

    /// Own checkpoints, oldest first: those since the stable one, and the last before.
    pub(super) snapshots: VecDeque<Arc<Snapshot>>,
    pub(super) proof: Option<StableProof>,
    pub(super) tallies: Vec<Tally>,

    /// Latest view-change of each replica.
    pub(super) view_changes: Vec<Option<Arc<Signed<ViewChange>>>>,
    /// The message that started the last view.
    pub(super) new_view: Option<Arc<Signed<NewView>>>,
    /// Pre-prepares of a view that has not started here.
    pub(super) early: Vec<super::message::PrePrepare>,

    /// A checkpoint to fetch.
    pub(super) target: Option<u64>,
    pub(super) fetches: usize,
    pub(super) fetch_timer: Option<TimerId>,

    /// View, stable checkpoint and executed slot at the last status tick.
    pub(super) seen: (u64, u64, u64),
    pub(super) quiet_ticks: u32,
    /// Somebody is in a later view.
    pub(super) overtaken: bool,
    /// Last slot for which it may have promised what its disk has lost.
    pub(super) doubt: Option<u64>,
}

/// What one session of a client waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    pub(super) command: Option<Command>,
    /// Highest timestamp that is queued or proposed in this view.
    pub(super) proposed: u64,
}

/// What is sent when the disk has what it promises.
#[derive(Clone, Copy, Debug)]
pub(super) enum Later {
    PrePrepare(Vote),
    Prepare(Vote),
    Commit(Vote),
    Checkpoint(CheckpointVote),
    ViewChange,
    NewView,
}

impl Replica {
    /// Starts from what the disk kept; a first start finds an empty disk.
    pub(super) fn boot(cx: &mut Cx<'_>, group: Arc<Group>, options: Options) -> Replica {
        let me = cx.id();
        let place = group.place(me).expect("a replica is in its own group");
        let n = group.n();
        let peers = group.replicas().iter().copied().filter(|node| *node != me).collect();
        let twice = options.bug == Some(Bug::DuplicateVotes);
        let log = Log::new(n, options.window, options.bug == Some(Bug::PrepareIgnoresDigest), twice);
        let mut replica = Replica {
            quorums: Quorums::new(&group, options.bug),
            group,
            peers,
            place,
            view: 0,
            active: true,
            options,
            log,
            executed: 0,
            proposed: 0,
            store: Store::default(),
            waiting: Vec::new(),
            pending: 0,
            queue: VecDeque::new(),
            retired: VecDeque::new(),
            gathered: Vec::with_capacity(options.batch_max),
            later: VecDeque::with_capacity(64),
            syncing: 0,
            timer: None,
            attempts: 0,
            snapshots: VecDeque::from([Snapshot::initial()]),
            proof: None,
            tallies: Vec::new(),
            view_changes: vec![None; n],
            new_view: None,
            early: Vec::new(),
            target: None,
            fetches: 0,
            fetch_timer: None,
            seen: (0, 0, 0),
            quiet_ticks: 0,
            overtaken: false,
            doubt: None,
        };
        if cx.durable().is_blank() {
            if !options.checksums {
                replica.write(cx, Write::NoSums, 8);
            }
        } else {
            let found = cx.durable().read(options.window);
            replica.recover(cx, &found);
        }
        if replica.active {
            replica.say_view(cx);
        }
        cx.set_timer(options.status_interval, Timer::Status);
        replica
    }

    /// View that the replica is in, or wants.
    pub fn view(&self) -> u64 {
        self.view
    }

    /// Whether the view has started.
    pub fn active(&self) -> bool {
        self.active
    }

    /// Last slot executed.
    pub fn executed(&self) -> u64 {
        self.executed
    }

    /// Slot of the last stable checkpoint.
    pub fn stable(&self) -> u64 {
        self.log.low()
    }

    /// Digest of the service's state.
    pub fn state_digest(&self) -> u64 {
        self.store.digest()
    }

    #[inline]
    pub(super) fn is_primary(&self) -> bool {
        self.group.primary_place(self.view) == self.place
    }

    #[inline]
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.options.bug == Some(bug)
    }

    pub(super) fn to_peers(&self, cx: &mut Cx<'_>, message: PbftMessage) {
        cx.broadcast(self.peers.iter().copied(), message);
    }

    #[inline]
    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &PbftMessage) {
        let Some(place) = self.group.place(from) else {
            if let PbftMessage::Request(command) = message {
                self.on_request(cx, from, command);
                self.flush(cx);
            }
            return;
        };
        match message {
            PbftMessage::Prepare(vote) => self.on_prepare(cx, place, vote),
            PbftMessage::Commit(vote) => self.on_commit(cx, place, vote),
            PbftMessage::Request(command) => self.on_request(cx, from, command),
            PbftMessage::PrePrepare(proposal) => self.on_pre_prepare(cx, place, proposal),
            PbftMessage::Checkpoint(vote) => self.on_checkpoint(cx, place, vote),
            PbftMessage::ViewChange(change) => self.on_view_change(cx, change),
            PbftMessage::NewView(new) => self.on_new_view(cx, new),
            PbftMessage::Status(status) => self.on_status(cx, from, status),
            PbftMessage::StateRequest { slot } => self.on_state_request(cx, from, *slot),
            PbftMessage::State(transfer) => self.on_state(cx, transfer),
            PbftMessage::Reply(_) => {}
        }
        self.flush(cx);
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Progress => self.on_timeout(cx),
            Timer::Status => self.on_status_tick(cx),
            Timer::Fetch => {
                self.fetch_timer = None;
                self.ask_for_state(cx);
            }
            Timer::Retry { .. } => {}
        }
        self.flush(cx);
    }

    /// Writes, and sends `later` once the write is durable.
    pub(super) fn promise(&mut self, cx: &mut Cx<'_>, write: Write, bytes: u32, later: Later) {
        self.write(cx, write, bytes);
        self.send_later(later);
    }

    /// Sends something once all that was written is durable.
    pub(super) fn send_later(&mut self, later: Later) {
        self.later.push_back(later);
    }

    pub(super) fn write(&mut self, cx: &mut Cx<'_>, write: Write, bytes: u32) {
        if !self.has(Bug::Amnesia) {
            cx.write(write, bytes);
        }
    }

    /// Starts one sync for all that waits, unless one is on its way (group commit).
    #[inline]
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) {
        if self.later.is_empty() || self.syncing > 0 {
            return;
        }
        if self.has(Bug::Amnesia) {
            while let Some(later) = self.later.pop_front() {
                self.perform(cx, later);
            }
        } else {
            self.syncing = self.later.len();
            cx.sync();
        }
    }

    /// A sync is done: what it covers may be said.
    pub(super) fn on_synced(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..std::mem::take(&mut self.syncing) {
            let later = self.later.pop_front().expect("a sync covers what waits for it");
            self.perform(cx, later);
        }
        self.flush(cx);
    }

    fn perform(&mut self, cx: &mut Cx<'_>, later: Later) {
        match later {
            Later::PrePrepare(vote) | Later::Prepare(vote) | Later::Commit(vote)
                if self.doubts(vote.slot) => {}
            Later::PrePrepare(vote) => self.send_pre_prepare(cx, &vote),
            Later::Prepare(vote) => self.send_prepare(cx, &vote),
            Later::Commit(vote) => self.send_commit(cx, &vote),
            Later::Checkpoint(vote) => self.send_checkpoint(cx, &vote),
            Later::ViewChange => self.send_view_change(cx),
            Later::NewView => self.send_new_view(cx),
        }
    }

    /// Time-out of the current wait: T for a request, then T, 2T, 4T… for new views (section 4.5.2).
    fn timeout(&self) -> Span {
        let doublings = self.attempts.saturating_sub(1).min(20);
        let factor = if self.has(Bug::TimeoutNotDoubled) { 1 } else { 1 << doublings };
        self.options.view_timeout * factor
    }

    /// Starts the timer, if a request is pending and it does not run (section 4.4).
    pub(super) fn watch(&mut self, cx: &mut Cx<'_>) {
        if self.timer.is_none() && self.active && self.pending > 0 && !self.is_primary() {
            self.start_timer(cx);
        }
    }

    pub(super) fn start_timer(&mut self, cx: &mut Cx<'_>) {
        self.timer = Some(cx.set_timer(self.timeout(), Timer::Progress));
    }

    pub(super) fn stop_timer(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
    }

    /// Says which view the replica is in.
    pub(super) fn say_view(&self, cx: &mut Cx<'_>) {
        cx.fact(Fact::View { view: self.view });
        if self.is_primary() {
            cx.fact(Fact::Leader { term: self.view });
        }
    }
}
