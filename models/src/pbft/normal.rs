//! The normal case (Castro & Liskov 1999, section 4.2): requests, three phases, execution.

use std::sync::Arc;

use murphy_sim::{Fact, NodeId, RequestId};

use super::Cx;
use super::bug::Bug;
use super::log::Phase;
use super::message::{Batch, PbftMessage, PrePrepare, Vote, batch_bytes};
use super::replica::{Later, Replica, Waiting};
use super::stable::Write;
use crate::consensus::{Command, GET, PUT, Reply, SessionId};

/// Bytes of a record's header on the disk.
const RECORD: u32 = 40;

impl Replica {
    pub(super) fn on_request(&mut self, cx: &mut Cx<'_>, from: NodeId, command: &Command) {
        if !command.verifies_at(self.place) {
            return;
        }
        let client = command.client();
        if self.has(Bug::LocalRead) && command.operation().kind == GET && from == client {
            let value = self.store.get(command.operation().key);
            self.reply(cx, client, command.timestamp(), value);
            return;
        }
        let session = self.store.session(command.session());
        if command.timestamp() <= session.timestamp && !self.has(Bug::NoClientDedup) {
            if command.timestamp() == session.timestamp {
                // Section 4.1: a replica that has executed the request sends its reply again.
                self.reply(cx, client, session.timestamp, session.value);
            }
            return;
        }
        self.note_pending(command);
        if !self.active {
            return;
        }
        if self.is_primary() {
            self.enqueue(command.session());
            self.propose(cx);
        } else {
            let known = self.waiting[command.session().index()].proposed >= command.timestamp();
            if from == client && !known {
                // Section 4.1: otherwise it relays the request to the primary.
                cx.send(self.group.primary(self.view), PbftMessage::Request(*command));
            }
            self.watch(cx);
        }
    }

    fn waiting_mut(&mut self, session: SessionId) -> &mut Waiting {
        if self.waiting.len() <= session.index() {
            self.waiting.resize(session.index() + 1, Waiting::default());
        }
        &mut self.waiting[session.index()]
    }

    /// Takes note of a request that is not executed. A session has one at a time: the latest counts.
    fn note_pending(&mut self, command: &Command) {
        let waiting = self.waiting_mut(command.session());
        match &mut waiting.command {
            Some(known) if known.timestamp() > command.timestamp() => {}
            // The same request again may carry another authenticator.
            Some(known) => *known = *command,
            none => {
                *none = Some(*command);
                self.pending += 1;
            }
        }
    }

    /// Forgets requests that the state covers.
    pub(super) fn settle_all(&mut self) {
        for session in (0..self.waiting.len()).map(SessionId::at) {
            self.settle(session, self.store.session(session).timestamp);
        }
    }

    fn settle(&mut self, session: SessionId, timestamp: u64) {
        let waiting = self.waiting_mut(session);
        if waiting.command.is_some_and(|command| command.timestamp() <= timestamp) {
            waiting.command = None;
            self.pending -= 1;
        }
    }

    /// Takes note of all requests in the log that are not executed.
    pub(super) fn note_all_pending(&mut self) {
        for slot in self.executed.max(self.log.low()) + 1..=self.log.top().min(self.log.high()) {
            if let Some(batch) = self.log.slot(slot).batch.clone() {
                self.note_batch(&batch);
            }
        }
    }

    fn note_batch(&mut self, batch: &Batch) {
        for command in batch.commands() {
            if self.store.session(command.session()).timestamp < command.timestamp() {
                self.note_pending(command);
            }
            let waiting = self.waiting_mut(command.session());
            waiting.proposed = waiting.proposed.max(command.timestamp());
        }
    }

    /// Puts a session in the primary's queue, unless its request is there or proposed already.
    fn enqueue(&mut self, session: SessionId) {
        let dedup = !self.has(Bug::NoClientDedup);
        let waiting = self.waiting_mut(session);
        let Some(command) = waiting.command else { return };
        if waiting.proposed < command.timestamp() || !dedup {
            waiting.proposed = command.timestamp();
            self.queue.push_back(session);
        }
    }

    /// A primary queues all that is pending, when its view starts.
    pub(super) fn enqueue_all(&mut self) {
        for session in (0..self.waiting.len()).map(SessionId::at) {
            self.enqueue(session);
        }
    }

    /// Proposes what is queued, as long as the pipeline and the window have room. Requests that
    /// find no room wait, and go together (section 5 names batching; the rule is ours).
    pub(super) fn propose(&mut self, cx: &mut Cx<'_>) {
        while self.active
            && self.is_primary()
            && self.proposed < self.log.high()
            && self.proposed < self.executed.max(self.log.low()) + self.options.pipeline
        {
            self.gathered.clear();
            while self.gathered.len() < self.options.batch_max
                && let Some(session) = self.queue.pop_front()
            {
                self.gathered.extend(self.waiting[session.index()].command);
            }
            if self.gathered.is_empty() {
                return;
            }
            let batch = self.fill_batch();
            self.propose_batch(cx, batch);
        }
    }

    /// The gathered commands as a batch, in the memory of a retired one if nobody else holds it.
    fn fill_batch(&mut self) -> Arc<Batch> {
        if let Some(mut retired) = self.retired.pop_front() {
            if let Some(batch) = Arc::get_mut(&mut retired) {
                batch.refill(&self.gathered);
                return retired;
            }
            self.retired.push_back(retired);
        }
        Arc::new(Batch::new(self.gathered.clone()))
    }

    pub(super) fn propose_batch(&mut self, cx: &mut Cx<'_>, batch: Arc<Batch>) {
        self.proposed += 1;
        let slot = self.proposed;
        self.log.accept(self.view, slot, Arc::clone(&batch));
        let bytes = RECORD + batch_bytes(&batch);
        let write = Write::Accepted { view: self.view, slot, batch };
        let vote = self.log.matching(slot);
        self.promise(cx, write, bytes, Later::PrePrepare(vote));
        self.advance_slot(cx, slot);
    }

    pub(super) fn send_pre_prepare(&mut self, cx: &mut Cx<'_>, vote: &Vote) {
        if !self.current(vote) {
            return;
        }
        let slot = self.log.slot_mut(vote.slot);
        slot.announced = true;
        let batch = slot.batch.clone().expect("an own proposal was accepted");
        let proposal = PrePrepare { view: vote.view, slot: vote.slot, digest: vote.digest, batch };
        self.to_peers(cx, PbftMessage::PrePrepare(proposal));
        if self.has(Bug::ReplyBeforeCommit) {
            self.reply_early(cx, vote.slot);
        }
    }

    /// Whether a vote belongs to the view that runs and to the window.
    #[inline]
    fn current(&self, vote: &Vote) -> bool {
        self.active && vote.view == self.view && self.log.in_window(vote.slot)
    }

    /// Section 4.2: a backup accepts a pre-prepare of the primary of its view, between the
    /// watermarks, whose digest fits, if it accepted no other for the view and slot.
    pub(super) fn on_pre_prepare(&mut self, cx: &mut Cx<'_>, from: usize, proposal: &PrePrepare) {
        let &PrePrepare { view, slot, digest, ref batch } = proposal;
        if view > self.view || (view == self.view && !self.active) {
            let room = usize::try_from(self.options.window).unwrap_or(usize::MAX);
            if from == self.group.primary_place(view) && self.early.len() < room {
                self.early.push(proposal.clone());
            }
            return;
        }
        if view != self.view
            || from != self.group.primary_place(view)
            || !self.log.in_window(slot)
            || batch.digest() != digest
        {
            return;
        }
        if self.log.accepted(slot, view).is_some()
            && (!self.has(Bug::TwoPrePrepares) || self.log.accepted(slot, view) == Some(digest))
        {
            return;
        }
        // Section 4.2 asks for authentic requests; f + 1 prepares say that a correct replica found them so.
        let authentic = batch.commands().iter().all(|command| command.verifies_at(self.place));
        if !authentic && self.log.votes_for(slot, view, digest) <= self.group.f() {
            return;
        }
        self.accept(cx, slot, batch);
    }

    /// Accepts a proposal of this view, and promises a prepare.
    pub(super) fn accept(&mut self, cx: &mut Cx<'_>, slot: u64, batch: &Arc<Batch>) {
        self.log.accept(self.view, slot, Arc::clone(batch));
        if slot > self.executed {
            self.note_batch(batch);
        }
        let bytes = RECORD + batch_bytes(batch);
        let write = Write::Accepted { view: self.view, slot, batch: Arc::clone(batch) };
        let vote = self.log.matching(slot);
        if self.is_primary() {
            self.write(cx, write, bytes);
        } else {
            self.promise(cx, write, bytes, Later::Prepare(vote));
        }
        self.watch(cx);
        self.advance_slot(cx, slot);
    }

    pub(super) fn send_prepare(&mut self, cx: &mut Cx<'_>, vote: &Vote) {
        if !self.current(vote) {
            return;
        }
        self.log.slot_mut(vote.slot).announced = true;
        self.to_peers(cx, PbftMessage::Prepare(*vote));
        if self.has(Bug::ReplyBeforeCommit) {
            self.reply_early(cx, vote.slot);
        }
        self.log.vote(Phase::Prepare, self.place, vote);
        self.advance_slot(cx, vote.slot);
    }

    #[inline]
    pub(super) fn on_prepare(&mut self, cx: &mut Cx<'_>, from: usize, vote: &Vote) {
        if !self.current(vote) {
            self.keep_for_later(Phase::Prepare, from, vote);
            return;
        }
        // The primary's pre-prepare stands for its prepare.
        if from == self.group.primary_place(self.view) {
            return;
        }
        if self.log.vote(Phase::Prepare, from, vote) >= self.quorums.prepares {
            self.advance_slot(cx, vote.slot);
        }
    }

    #[inline]
    pub(super) fn on_commit(&mut self, cx: &mut Cx<'_>, from: usize, vote: &Vote) {
        if !self.current(vote) {
            self.keep_for_later(Phase::Commit, from, vote);
            return;
        }
        if self.log.vote(Phase::Commit, from, vote) >= self.quorums.commits {
            self.advance_slot(cx, vote.slot);
        }
    }

    /// A vote for a view that has not started here.
    fn keep_for_later(&mut self, phase: Phase, from: usize, vote: &Vote) {
        if vote.slot > self.log.low() && (vote.view > self.view || (vote.view == self.view && !self.active)) {
            self.log.stash(phase, from, vote);
        }
    }

    /// Goes from pre-prepared to prepared to committed, as far as the votes allow (section 4.2).
    pub(super) fn advance_slot(&mut self, cx: &mut Cx<'_>, number: u64) {
        let slot = self.log.slot(number);
        if slot.batch.is_none() {
            return;
        }
        let (mut prepared, committed) = (slot.prepared, slot.committed);
        if !prepared
            && (self.log.count(number, Phase::Prepare) >= self.quorums.prepares
                || self.has(Bug::NoPreparePhase))
        {
            prepared = true;
            let certificate = self.log.certify(number);
            let bytes = RECORD + 88 * u32::try_from(certificate.signers().count()).unwrap_or(u32::MAX);
            let vote = self.log.matching(number);
            self.promise(cx, Write::Prepared(certificate), bytes, Later::Commit(vote));
        }
        if prepared && !committed && self.log.count(number, Phase::Commit) >= self.quorums.commits {
            let Vote { view, digest, .. } = self.log.matching(number);
            self.log.slot_mut(number).committed = true;
            self.write(cx, Write::Committed { slot: number }, 16);
            if number > self.executed {
                cx.fact(Fact::Decide { slot: number, view, digest });
                self.execute_ready(cx);
            }
        }
    }

    pub(super) fn send_commit(&mut self, cx: &mut Cx<'_>, vote: &Vote) {
        if !self.current(vote) {
            return;
        }
        self.log.slot_mut(vote.slot).commit_sent = true;
        self.to_peers(cx, PbftMessage::Commit(*vote));
        self.log.vote(Phase::Commit, self.place, vote);
        self.advance_slot(cx, vote.slot);
    }

    /// Executes what is committed, in order.
    pub(super) fn execute_ready(&mut self, cx: &mut Cx<'_>) {
        let before = self.executed;
        let mut progress = false;
        while self.log.in_window(self.executed + 1) {
            let slot = self.log.slot(self.executed + 1);
            let Some(batch) = slot.batch.clone().filter(|_| slot.committed) else { break };
            self.executed += 1;
            progress |= self.apply(cx, self.executed, &batch, true);
            self.checkpoint_if_due(cx);
        }
        if self.executed == before {
            return;
        }
        if progress && self.active {
            // Section 4.4: the timer stops when its request is executed, and starts again for another.
            self.attempts = 0;
            self.stop_timer(cx);
            self.watch(cx);
        }
        self.caught_up(cx);
        self.propose(cx);
    }

    /// Executes one batch; whether anything in it was new.
    pub(super) fn apply(&mut self, cx: &mut Cx<'_>, slot: u64, batch: &Batch, answers: bool) -> bool {
        if batch.commands().is_empty() {
            cx.fact(Fact::Execute { slot, request: RequestId::NONE, state: self.store.digest() });
        }
        let dedup = !self.has(Bug::NoClientDedup);
        let mut progress = false;
        for command in batch.commands() {
            let (session, timestamp) = (command.session(), command.timestamp());
            // Section 4.1: a request is executed once; older timestamps are discarded.
            if dedup && timestamp <= self.store.session(session).timestamp {
                continue;
            }
            progress = true;
            let value = self.store.execute(command);
            cx.fact(Fact::Execute { slot, request: command.request(), state: self.store.digest() });
            self.settle(session, timestamp);
            if answers {
                self.reply(cx, command.client(), timestamp, value);
            }
        }
        progress
    }

    fn reply(&self, cx: &mut Cx<'_>, client: NodeId, timestamp: u64, value: u64) {
        let leader = u32::try_from(self.group.primary_place(self.view)).expect("fewer than 2^32 replicas");
        cx.send(client, PbftMessage::Reply(Reply { view: self.view, leader, timestamp, value }));
    }

    /// What a planted bug says before anything is decided.
    fn reply_early(&self, cx: &mut Cx<'_>, slot: u64) {
        let Some(batch) = &self.log.slot(slot).batch else { return };
        for command in batch.commands() {
            let operation = command.operation();
            let value = if operation.kind == PUT { 0 } else { self.store.get(operation.key) };
            self.reply(cx, command.client(), command.timestamp(), value);
        }
    }
}
