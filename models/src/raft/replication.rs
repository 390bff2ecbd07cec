//! Replication and commitment (Ongaro 2014, sections 3.5 and 3.6, 10.2).

use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Time};

use super::Cx;
use super::bug::Bug;
use super::log::{Entry, Payload};
use super::members::{places, quorum_reached};
use super::message::{Append, Appended, ENTRY, InstallSnapshot, RaftMessage};
use super::own;
use super::replica::{Later, Replica, Role};
use super::stable::Write;
use crate::consensus::{Command, GET, Reply, own::APPEND};
use crate::oracle::LogMatching;

use super::options::Reads;

fn bytes(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX).saturating_mul(ENTRY)
}

impl Replica {
    /// A client's command arrived at the leader.
    pub(super) fn on_command(&mut self, cx: &mut Cx<'_>, command: &Command) {
        let done = self.store.session(command.session());
        if command.timestamp() <= done.timestamp {
            if command.timestamp() == done.timestamp {
                // Section 6.3: a command that was executed is answered again, not executed again.
                self.reply(cx, command, done.value);
            }
            return;
        }
        if command.operation().kind == GET && self.options.reads != Reads::Log {
            return self.on_read(cx, command);
        }
        let session = command.session().index();
        if self.proposed.len() <= session {
            self.proposed.resize(session + 1, 0);
        }
        if self.proposed[session] < command.timestamp() {
            self.proposed[session] = command.timestamp();
            self.propose(cx, Payload::Command(*command));
        }
    }

    /// A new leader looks up which commands are in its log, so that it appends none again.
    pub(super) fn note_proposed(&mut self) {
        self.proposed.clear();
        for index in self.applied.max(self.log.base().index) + 1..=self.log.last() {
            if let Some(Entry { payload: Payload::Command(command), .. }) = self.log.get(index) {
                let session = command.session().index();
                if self.proposed.len() <= session {
                    self.proposed.resize(session + 1, 0);
                }
                self.proposed[session] = self.proposed[session].max(command.timestamp());
            }
        }
    }

    pub(super) fn reply(&self, cx: &mut Cx<'_>, command: &Command, value: u64) {
        let leader = u32::try_from(self.place).expect("at most 64 replicas");
        let reply = Reply { view: self.term, leader, timestamp: command.timestamp(), value };
        cx.send(command.client(), RaftMessage::Reply(reply));
    }

    /// Section 3.5: the leader appends to its log, and sends to all. It writes to its disk meanwhile (section 10.2.1).
    pub(super) fn propose(&mut self, cx: &mut Cx<'_>, payload: Payload) {
        let end = self.log.end();
        let index = end.index + 1;
        let entries: Arc<[Entry]> = Arc::from([self.append(cx, self.term, payload)]);
        let write = Write::Append { from: index, entries: Arc::clone(&entries) };
        self.promise(cx, write, bytes(1), Later::Own { term: self.term });
        let sent = cx.monotonic();
        let mut ready = 0_u64;
        for place in self.followers() {
            let window = index <= self.peers[place].matched + self.options.window;
            if self.peers[place].next == index && window {
                self.peers[place].next = index + 1;
                ready |= 1 << place;
            } else {
                self.send_entries(cx, place);
            }
        }
        if ready != 0 {
            let (prev_index, prev_term, commit) = (end.index, end.term, self.commit);
            let append = Append { term: self.term, prev_index, prev_term, entries, commit, sent };
            let replicas = self.group.replicas();
            cx.broadcast(places(ready).map(|place| replicas[place]), RaftMessage::Append(append));
        }
    }

    /// Puts an entry into the log, and says so.
    fn append(&mut self, cx: &mut Cx<'_>, term: u64, payload: Payload) -> Entry {
        let entry = self.log.push(term, payload);
        let index = self.log.last();
        self.not_durable(index);
        if let Payload::Members(members) = payload {
            self.configurations.push((index, members));
        }
        cx.fact(Fact::Own { kind: APPEND, a: LogMatching::entry(index, term), b: entry.chain });
        entry
    }

    /// All that the leader sends entries to.
    pub(super) fn followers(&self) -> impl Iterator<Item = usize> + use<> {
        let learner = self.learner.map_or(0, |(place, _)| 1 << place);
        places((self.members().all() | learner) & !(1 << self.place))
    }

    /// Sends what a follower lacks, as far as it may be sent.
    pub(super) fn send_entries(&mut self, cx: &mut Cx<'_>, place: usize) {
        let peer = &self.peers[place];
        let most = (peer.matched + self.options.window + 1).saturating_sub(peer.next);
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.options.batch_max);
        if most > 0 && peer.next <= self.log.last() {
            self.send_append(cx, place, most);
        }
    }

    /// Sends at most so many entries, or a snapshot if the log no longer has them.
    fn send_append(&mut self, cx: &mut Cx<'_>, place: usize, most: usize) {
        let prev_index = self.peers[place].next - 1;
        let sent = cx.monotonic();
        let (to, term, commit) = (self.node(place), self.term, self.commit);
        let Some(prev_term) = self.log.term(prev_index) else {
            let busy = self.peers[place].installing;
            let waits = busy.is_some_and(|since| sent.since(since) < self.options.election_timeout);
            if let Some(snapshot) = self.snapshot.clone().filter(|_| !waits) {
                self.peers[place].installing = Some(sent);
                cx.send(to, RaftMessage::Snapshot(InstallSnapshot { term, snapshot, sent }));
            }
            return;
        };
        let entries = if most == 0 { Arc::default() } else { self.log.slice(prev_index + 1, most) };
        self.peers[place].next += entries.len() as u64;
        cx.send(to, RaftMessage::Append(Append { term, prev_index, prev_term, entries, commit, sent }));
    }

    /// A sign of life for everybody; who is believed to have all entries finds out here if it has not.
    pub(super) fn send_heartbeats(&mut self, cx: &mut Cx<'_>) {
        for place in self.followers() {
            self.send_append(cx, place, 0);
        }
    }

    /// A follower's part (section 3.5, figure 3.1).
    pub(super) fn on_append(&mut self, cx: &mut Cx<'_>, from: usize, append: &Append) {
        let to = self.node(from);
        if append.term < self.term {
            let refusal = Appended { term: self.term, ok: false, index: 0, sent: append.sent };
            return cx.send(to, RaftMessage::Appended(refusal));
        }
        if append.term > self.term {
            self.follow(cx, append.term, Some(from));
        }
        if self.role == Role::Leader {
            // Two leaders of one term: a planted bug's doing.
            return;
        }
        self.hear(cx, from);
        // What a snapshot covers is committed, and so the leader's as well.
        let known = append.prev_index < self.log.base().index
            || self.log.term(append.prev_index) == Some(append.prev_term);
        if !known {
            let index = self.agreement_before(append.prev_index);
            let refusal = Appended { term: self.term, ok: false, index, sent: append.sent };
            return cx.send(to, RaftMessage::Appended(refusal));
        }
        let last_new = append.prev_index + append.entries.len() as u64;
        let appended = self.take_entries(cx, append);
        let known = if self.has(Bug::CommitBeyondNew) { self.log.last() } else { last_new };
        self.commit_to(cx, append.commit.min(known));
        if appended {
            let (term, sent) = (self.term, append.sent);
            self.later.push_back(Later::Appended { to, term, index: last_new, sent });
        } else {
            self.acknowledge(cx, to, last_new, append.sent);
        }
    }

    /// Up to here the log may be the leader's, given that it has not the leader's entry at `index`:
    /// the conflicting term is skipped as a whole (section 3.5).
    fn agreement_before(&self, index: u64) -> u64 {
        if index > self.log.last() {
            return self.log.last();
        }
        self.log.start_of_term(index).saturating_sub(1)
    }

    /// Puts a leader's entries into the log; whether there was anything new.
    fn take_entries(&mut self, cx: &mut Cx<'_>, append: &Append) -> bool {
        let mut skip = 0;
        for (index, entry) in (append.prev_index + 1..).zip(append.entries.iter()) {
            match self.log.term(index) {
                _ if index <= self.log.base().index => skip += 1,
                // Figure 3.1: what is there already stays, and so does all behind it.
                Some(term) if term == entry.term || self.has(Bug::KeepLogOnConflict) => skip += 1,
                _ => break,
            }
        }
        let from = append.prev_index + 1 + skip as u64;
        let new = &append.entries[skip..];
        if self.has(Bug::TruncateOnAppend) {
            self.truncate(cx, from);
        }
        if new.is_empty() {
            return false;
        }
        self.truncate(cx, from);
        for entry in new {
            self.append(cx, entry.term, entry.payload);
        }
        let entries = if skip == 0 { Arc::clone(&append.entries) } else { new.into() };
        cx.write(Write::Append { from, entries }, bytes(new.len()));
        true
    }

    /// Drops entries that conflict with the leader's.
    fn truncate(&mut self, cx: &mut Cx<'_>, from: u64) {
        if from > self.log.last() {
            return;
        }
        cx.fact(Fact::Own { kind: own::TRUNCATED, a: from, b: self.log.last() + 1 - from });
        self.not_durable(from);
        self.log.truncate(from);
        while self.configurations.len() > 1 && self.configurations.last().is_some_and(|last| last.0 >= from) {
            self.configurations.pop();
        }
    }

    /// Says up to where the log is the leader's and on the disk.
    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>, to: NodeId, index: u64, sent: Time) {
        let index = index.min(self.durable);
        cx.send(to, RaftMessage::Appended(Appended { term: self.term, ok: true, index, sent }));
    }

    /// The leader's part.
    pub(super) fn on_appended(&mut self, cx: &mut Cx<'_>, from: usize, answer: &Appended) {
        if answer.term > self.term {
            return self.follow(cx, answer.term, None);
        }
        if self.role != Role::Leader || answer.term != self.term {
            return;
        }
        let last = self.log.last();
        let peer = &mut self.peers[from];
        peer.acked = peer.acked.max(Some(answer.sent));
        if answer.ok {
            peer.installing = None;
            peer.matched = peer.matched.max(answer.index.min(last));
            peer.next = peer.next.max(peer.matched + 1);
            self.advance_commit(cx);
            self.catch_up(cx, from);
        } else {
            let next = peer.next.min((answer.index + 1).max(peer.matched + 1));
            if next == peer.next {
                // It is late, or a follower has lost what it acknowledged: to send again would not help.
                return self.serve_reads(cx);
            }
            peer.next = next;
        }
        self.send_entries(cx, from);
        self.serve_reads(cx);
    }

    /// Section 3.6.2: an entry of this term that a quorum has on its disk is committed, with all before it.
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_>) {
        let reached = quorum_reached(self.members(), self.place, &self.options, |place| {
            if place == self.place { self.durable } else { self.peers[place].matched }
        });
        if reached <= self.commit {
            return;
        }
        // Entries of earlier terms are committed with it, never by counting (figure 3.7).
        if self.log.term(reached) == Some(self.term) || self.has(Bug::CommitPreviousTerm) {
            self.commit_to(cx, reached);
        }
    }
}
