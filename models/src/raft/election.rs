//! Elections (Ongaro 2014, sections 3.4, 4.2.3, 6.2 and 9.6).

use murphy_sim::{Fact, Span, Time};

use super::bug::Bug;
use super::log::Payload;
use super::members::{has_quorum, places, quorum_reached};
use super::message::{RaftMessage, RequestVote, Vote};
use super::own;
use super::replica::{Later, Peer, Replica, Role};
use super::{Cx, Timer};

impl Replica {
    /// From now on it waits for a leader, for a random time (section 3.4).
    pub(super) fn await_leader(&mut self, cx: &mut Cx<'_>) {
        let least = self.options.election_timeout;
        self.wait = least + Span(cx.rng().below(least.0.max(1)));
        self.deadline = cx.monotonic() + self.wait;
    }

    pub(super) fn arm_election(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.election_timer.take() {
            cx.cancel_timer(timer);
        }
        let wait = self.deadline.since(cx.monotonic()).max(Span(1));
        self.election_timer = Some(cx.set_timer(wait, Timer::Election));
    }

    /// A leader of this term said something.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>, leader: usize) {
        if self.role != Role::Follower || self.leader != Some(leader) {
            self.follow(cx, self.term, Some(leader));
            self.await_leader(cx);
        }
        // The wait is drawn once a leader, and starts again with every sign of life.
        self.heard = cx.monotonic();
        self.deadline = self.heard + self.wait;
    }

    /// Section 4.2.3: within the least election time-out of hearing from a leader, no vote is given.
    fn is_content(&self, cx: &Cx<'_>) -> bool {
        let hears = || cx.monotonic().since(self.heard) < self.options.election_timeout;
        self.options.sticky && (self.role == Role::Leader || hears())
    }

    pub(super) fn on_election_timer(&mut self, cx: &mut Cx<'_>) {
        self.election_timer = None;
        if self.role == Role::Leader {
            return;
        }
        if cx.monotonic() >= self.deadline {
            self.await_leader(cx);
            if self.members().has(self.place) {
                cx.fact(Fact::ViewChange { view: self.term + 1 });
                self.leader = None;
                if self.options.pre_vote { self.ask_before(cx) } else { self.campaign(cx) }
            }
        }
        if self.role != Role::Leader {
            self.arm_election(cx);
        }
    }

    fn request(&self, term: u64) -> RequestVote {
        let end = self.log.end();
        RequestVote { term, last_index: end.index, last_term: end.term }
    }

    /// Section 9.6: a candidate first asks whether it would get a majority's votes.
    fn ask_before(&mut self, cx: &mut Cx<'_>) {
        self.role = Role::PreCandidate;
        self.votes = 1 << self.place;
        if self.has_votes() {
            return self.campaign(cx);
        }
        let ask = self.request(self.term + 1);
        self.ask(cx, RaftMessage::PreVote(ask));
        self.arm_heartbeat(cx);
    }

    fn arm_heartbeat(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.heartbeat_timer.take() {
            cx.cancel_timer(timer);
        }
        self.heartbeat_timer = Some(cx.set_timer(self.options.heartbeat, Timer::Heartbeat));
    }

    /// Section 3.4: it increments its term, votes for itself, and asks the others.
    fn campaign(&mut self, cx: &mut Cx<'_>) {
        self.role = Role::Candidate;
        self.term += 1;
        self.vote = Some(self.place);
        self.votes = 0;
        self.write_vote(cx);
        self.later.push_back(Later::Campaign { term: self.term });
    }

    /// Its own vote is on the disk.
    pub(super) fn ask_for_votes(&mut self, cx: &mut Cx<'_>) {
        self.votes |= 1 << self.place;
        if self.has_votes() {
            return self.lead(cx);
        }
        let ask = self.request(self.term);
        self.ask(cx, RaftMessage::RequestVote(ask));
        self.arm_heartbeat(cx);
    }

    fn has_votes(&self) -> bool {
        has_quorum(self.members(), self.votes, self.place, &self.options)
    }

    /// Asks those that have not given their votes.
    fn ask(&self, cx: &mut Cx<'_>, message: RaftMessage) {
        let others = self.members().all() & !(1 << self.place) & !self.votes;
        let replicas = self.group.replicas();
        cx.broadcast(places(others).map(|place| replicas[place]), message);
    }

    /// Section 3.6.1: the log with the later last term is more up to date, or the longer one.
    fn is_up_to_date(&self, ask: &RequestVote) -> bool {
        let end = self.log.end();
        if self.has(Bug::VoteWithoutLogCheck) {
            return true;
        }
        if self.has(Bug::VoteLastTermOnly) {
            return ask.last_term >= end.term;
        }
        (ask.last_term, ask.last_index) >= (end.term, end.index)
    }

    pub(super) fn on_pre_vote(&mut self, cx: &mut Cx<'_>, from: usize, ask: &RequestVote) {
        let granted = ask.term > self.term && self.is_up_to_date(ask) && !self.is_content(cx);
        let term = if granted { ask.term } else { self.term };
        cx.send(self.node(from), RaftMessage::PreVoted(Vote { term, granted }));
    }

    pub(super) fn on_pre_voted(&mut self, cx: &mut Cx<'_>, from: usize, answer: &Vote) {
        if !answer.granted {
            if answer.term > self.term {
                self.follow(cx, answer.term, None);
            }
            return;
        }
        if self.role == Role::PreCandidate && answer.term == self.term + 1 {
            self.votes |= 1 << from;
            if self.has_votes() {
                self.campaign(cx);
            }
        }
    }

    pub(super) fn on_request_vote(&mut self, cx: &mut Cx<'_>, from: usize, ask: &RequestVote) {
        if ask.term > self.term {
            if self.is_content(cx) {
                return;
            }
            self.follow(cx, ask.term, None);
        }
        let to = self.node(from);
        let free = self.vote.is_none_or(|vote| vote == from);
        if ask.term < self.term || !free || !self.is_up_to_date(ask) {
            cx.send(to, RaftMessage::Voted(Vote { term: self.term, granted: false }));
            return;
        }
        self.vote = Some(from);
        self.await_leader(cx);
        self.write_vote(cx);
        self.later.push_back(Later::Grant { to, term: self.term });
    }

    pub(super) fn on_voted(&mut self, cx: &mut Cx<'_>, from: usize, answer: &Vote) {
        if answer.term > self.term {
            return self.follow(cx, answer.term, None);
        }
        if answer.granted && answer.term == self.term && self.role == Role::Candidate {
            self.votes |= 1 << from;
            // Without its own vote on the disk it could vote for another after a crash.
            if self.votes >> self.place & 1 == 1 && self.has_votes() {
                self.lead(cx);
            }
        }
    }

    /// It won: section 3.5, and an entry of its own term at once (section 6.4).
    fn lead(&mut self, cx: &mut Cx<'_>) {
        self.role = Role::Leader;
        self.leader = Some(self.place);
        self.since = cx.monotonic();
        let last = self.log.last();
        self.peers.fill(Peer { next: last + 1, matched: 0, acked: None, installing: None });
        self.reads.clear();
        self.learner = None;
        self.note_proposed();
        cx.fact(Fact::View { view: self.term });
        cx.fact(Fact::Leader { term: self.term });
        if last > 0 {
            cx.fact(Fact::Own { kind: own::SUCCEEDED, a: self.term, b: last });
        }
        self.start = last + 1;
        self.propose(cx, Payload::Nothing);
        self.arm_heartbeat(cx);
        self.arm_reconfigure(cx);
    }

    /// The latest instant of which a quorum has shown since that it still followed.
    pub(super) fn followed_at(&self, cx: &Cx<'_>) -> Time {
        let now = cx.monotonic();
        quorum_reached(self.members(), self.place, &self.options, |place| {
            if place == self.place { now } else { self.peers[place].acked.unwrap_or_default() }
        })
    }

    pub(super) fn on_heartbeat(&mut self, cx: &mut Cx<'_>) {
        self.heartbeat_timer = None;
        // Section 3.3: a request that is not answered in time is sent again.
        match self.role {
            Role::Leader => {}
            Role::Follower => return,
            Role::PreCandidate => {
                let ask = self.request(self.term + 1);
                self.ask(cx, RaftMessage::PreVote(ask));
                return self.arm_heartbeat(cx);
            }
            Role::Candidate => {
                let ask = self.request(self.term);
                self.ask(cx, RaftMessage::RequestVote(ask));
                return self.arm_heartbeat(cx);
            }
        }
        // Section 6.2: a leader steps down if an election time-out goes by without a majority's answers.
        let followed = self.followed_at(cx).max(self.since);
        if cx.monotonic().since(followed) > self.options.election_timeout && !self.has(Bug::NoCheckQuorum) {
            cx.fact(Fact::Own { kind: own::STEPPED_DOWN, a: self.term, b: 0 });
            return self.follow(cx, self.term, None);
        }
        self.send_heartbeats(cx);
        self.arm_heartbeat(cx);
    }
}
