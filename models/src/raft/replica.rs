//! A replica: its state, its disk and its timers. Each part of the protocol has a file of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Span, Time, TimerId};

use super::bug::Bug;
use super::log::{Compacted, Log};
use super::members::{Members, Places};
use super::message::{RaftMessage, Vote};
use super::options::Options;
use super::reads::PendingRead;
use super::stable::Write;
use super::{Cx, Timer};
use crate::consensus::{Command, Group, Store};

/// What a replica is in its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It answers leaders and candidates.
    Follower,
    /// It asks whether it could win an election.
    PreCandidate,
    /// It wants to lead its term.
    Candidate,
    /// It leads its term.
    Leader,
}

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) group: Arc<Group>,
    pub(super) place: usize,
    pub(super) options: Options,
    pub(super) term: u64,
    pub(super) vote: Option<usize>,
    pub(super) role: Role,
    /// The leader of the term, once it was heard.
    pub(super) leader: Option<usize>,

    pub(super) log: Log,
    pub(super) commit: u64,
    pub(super) applied: u64,
    pub(super) store: Store,
    pub(super) snapshot: Option<Arc<Compacted>>,
    /// The members, and the entry that made them so: all that the log may fall back to.
    pub(super) configurations: Vec<(u64, Members)>,

    /// When it last heard from a leader, and when it will have waited long enough, by its monotonic clock.
    pub(super) heard: Time,
    pub(super) deadline: Time,
    /// How long that is.
    pub(super) wait: Span,
    pub(super) election_timer: Option<TimerId>,
    pub(super) heartbeat_timer: Option<TimerId>,
    pub(super) reconfigure_timer: Option<TimerId>,
    pub(super) votes: Places,

    /// What a leader knows of the others, by place.
    pub(super) peers: Vec<Peer>,
    /// Index of the entry that started the leader's term.
    pub(super) start: u64,
    pub(super) since: Time,
    pub(super) reads: VecDeque<PendingRead>,
    /// Highest timestamp of each session that is in the log.
    pub(super) proposed: Vec<u64>,
    /// The replica that is brought up to date, and what it is for.
    pub(super) learner: Option<(usize, Members)>,

    /// What is to be sent when the disk is done, in order.
    pub(super) later: VecDeque<Later>,
    /// How many of them the running sync covers, and how much of the log.
    syncing: usize,
    covers: u64,
    /// Up to here the log is on the disk.
    pub(super) durable: u64,
}

/// What a leader knows of another replica.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peer {
    /// The next entry to send.
    pub(super) next: u64,
    /// Up to here its log is the leader's, and on its disk.
    pub(super) matched: u64,
    /// Latest of the leader's messages that it has answered, by when that was sent.
    pub(super) acked: Option<Time>,
    /// It was sent a snapshot, and is given time for it.
    pub(super) installing: Option<Time>,
}

/// What is said when the disk has what it promises.
#[derive(Clone, Copy, Debug)]
pub(super) enum Later {
    /// Asks for votes: the candidate's own is on the disk.
    Campaign { term: u64 },
    /// Gives a vote.
    Grant { to: NodeId, term: u64 },
    /// The log agrees up to here.
    Appended { to: NodeId, term: u64, index: u64, sent: Time },
    /// The leader's own entries count.
    Own { term: u64 },
}

impl Replica {
    /// Starts from what the disk kept; a first start finds an empty disk.
    pub(super) fn boot(cx: &mut Cx<'_>, group: Arc<Group>, options: Options) -> Replica {
        let place = group.place(cx.id()).expect("a replica is in its own group");
        let n = group.n();
        let members = Members::first(options.members.min(n));
        let stable = cx.durable().clone();
        let mut replica = Replica {
            group,
            place,
            options,
            term: stable.term,
            vote: stable.vote.map(|vote| vote as usize),
            role: Role::Follower,
            leader: None,
            log: stable.log,
            commit: 0,
            applied: 0,
            store: Store::default(),
            snapshot: stable.snapshot,
            configurations: vec![(0, members)],
            heard: cx.monotonic(),
            deadline: Time::ZERO,
            wait: Span::ZERO,
            election_timer: None,
            heartbeat_timer: None,
            reconfigure_timer: None,
            votes: 0,
            peers: vec![Peer::default(); n],
            start: 0,
            since: Time::ZERO,
            reads: VecDeque::new(),
            proposed: Vec::new(),
            learner: None,
            later: VecDeque::new(),
            syncing: 0,
            covers: 0,
            durable: 0,
        };
        replica.recover();
        replica.await_leader(cx);
        replica.arm_election(cx);
        replica
    }

    /// Continues where the disk says that the replica stopped.
    fn recover(&mut self) {
        if let Some(snapshot) = self.snapshot.clone() {
            self.store = snapshot.state.store();
            self.applied = snapshot.last.index;
            self.commit = self.applied;
            self.configurations = vec![(self.applied, snapshot.members)];
        }
        self.durable = self.log.last();
        self.read_configurations(self.log.base().index + 1);
    }

    /// The term that it is in.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// What it is in its term.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Up to here entries are committed, as far as it knows.
    pub fn committed(&self) -> u64 {
        self.commit
    }

    /// Up to here entries are executed.
    pub fn executed(&self) -> u64 {
        self.applied
    }

    /// Digest of the service's state.
    pub fn state_digest(&self) -> u64 {
        self.store.digest()
    }

    /// Those that vote, by the last entry that says so, committed or not (section 4.1).
    #[inline]
    pub fn members(&self) -> Members {
        self.configurations[self.configurations.len() - 1].1
    }

    #[inline]
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.options.has(bug)
    }

    #[inline]
    pub(super) fn node(&self, place: usize) -> NodeId {
        self.group.replicas()[place]
    }

    #[inline]
    pub(super) fn on_message(&mut self, cx: &mut Cx<'_>, from: NodeId, message: &RaftMessage) {
        let Some(place) = self.group.place(from) else {
            if let RaftMessage::Request(command) = message {
                self.on_request(cx, from, command);
                self.flush(cx);
            }
            return;
        };
        match message {
            RaftMessage::Append(append) => self.on_append(cx, place, append),
            RaftMessage::Appended(appended) => self.on_appended(cx, place, appended),
            RaftMessage::Request(command) => self.on_request(cx, from, command),
            RaftMessage::PreVote(ask) => self.on_pre_vote(cx, place, ask),
            RaftMessage::PreVoted(answer) => self.on_pre_voted(cx, place, answer),
            RaftMessage::RequestVote(ask) => self.on_request_vote(cx, place, ask),
            RaftMessage::Voted(answer) => self.on_voted(cx, place, answer),
            RaftMessage::Snapshot(install) => self.on_snapshot(cx, place, install),
            RaftMessage::Reply(_) => {}
        }
        self.flush(cx);
    }

    pub(super) fn on_timer(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match timer {
            Timer::Election => self.on_election_timer(cx),
            Timer::Heartbeat => self.on_heartbeat(cx),
            Timer::Reconfigure => self.on_reconfigure(cx),
            Timer::Retry { .. } => {}
        }
        self.flush(cx);
    }

    fn on_request(&mut self, cx: &mut Cx<'_>, from: NodeId, command: &Command) {
        if self.role == Role::Leader {
            self.on_command(cx, command);
        } else if let Some(leader) = self.leader.filter(|_| from == command.client()) {
            // Section 6.2: a server that does not lead passes the request on.
            cx.send(self.node(leader), RaftMessage::Request(*command));
        }
    }

    /// Writes, and says `later` once the write is durable.
    pub(super) fn promise(&mut self, cx: &mut Cx<'_>, write: Write, bytes: u32, later: Later) {
        cx.write(write, bytes);
        self.later.push_back(later);
    }

    /// Writes the term and the vote.
    pub(super) fn write_vote(&self, cx: &mut Cx<'_>) {
        let term = if self.has(Bug::TermNotPersisted) { 0 } else { self.term };
        let forget = self.has(Bug::VoteNotPersisted) || self.has(Bug::TermNotPersisted);
        let vote = self.vote.filter(|_| !forget).and_then(|vote| u32::try_from(vote).ok());
        cx.write(Write::Vote { term, vote }, 16);
    }

    /// Starts one sync for all that waits, unless one is on its way (group commit).
    #[inline]
    pub(super) fn flush(&mut self, cx: &mut Cx<'_>) {
        if self.later.is_empty() || self.syncing > 0 {
            return;
        }
        cx.sync();
        self.syncing = self.later.len();
        self.covers = self.log.last();
        if self.has(Bug::AckBeforeSync) {
            self.perform_synced(cx);
            // The sync is still under way: it will find nothing to say.
            self.syncing = usize::MAX;
        }
    }

    /// Entries from here on are new: a sync that is under way does not cover them.
    pub(super) fn not_durable(&mut self, from: u64) {
        self.durable = self.durable.min(from - 1);
        self.covers = self.covers.min(from - 1);
    }

    /// A sync is done: what it covers may be said.
    pub(super) fn on_synced(&mut self, cx: &mut Cx<'_>) {
        if self.syncing == usize::MAX {
            self.syncing = 0;
        } else {
            self.perform_synced(cx);
        }
        self.flush(cx);
    }

    fn perform_synced(&mut self, cx: &mut Cx<'_>) {
        self.durable = self.durable.max(self.covers);
        for _ in 0..std::mem::take(&mut self.syncing) {
            let later = self.later.pop_front().expect("a sync covers what waits for it");
            self.perform(cx, later);
        }
    }

    fn perform(&mut self, cx: &mut Cx<'_>, later: Later) {
        match later {
            Later::Campaign { term } => {
                if term == self.term && self.role == Role::Candidate {
                    self.ask_for_votes(cx);
                }
            }
            Later::Grant { to, term } => {
                if term == self.term {
                    cx.send(to, RaftMessage::Voted(Vote { term, granted: true }));
                }
            }
            Later::Appended { to, term, index, sent } => {
                if term == self.term {
                    self.acknowledge(cx, to, index, sent);
                }
            }
            Later::Own { term } => {
                if term == self.term && self.role == Role::Leader {
                    self.advance_commit(cx);
                }
            }
        }
    }

    /// Enters a term, or gives up on leading it.
    pub(super) fn follow(&mut self, cx: &mut Cx<'_>, term: u64, leader: Option<usize>) {
        if term > self.term {
            self.term = term;
            self.vote = None;
            self.write_vote(cx);
        }
        if self.role != Role::Follower {
            for timer in [self.heartbeat_timer.take(), self.reconfigure_timer.take()].into_iter().flatten() {
                cx.cancel_timer(timer);
            }
        }
        if self.role == Role::Leader {
            self.reads.clear();
            self.learner = None;
            self.await_leader(cx);
            self.arm_election(cx);
        }
        self.role = Role::Follower;
        if self.leader != leader {
            self.leader = leader;
            if leader.is_some() {
                cx.fact(Fact::View { view: self.term });
            }
        }
    }
}
