//! A standby: it follows, suspects, and takes over.

use std::sync::Arc;

use murphy_sim::{Fact, NodeId, Span, Time};

use super::replica::{Covered, Heat, Replica, Role};
use super::{Cx, Record, StandbyMessage, Store, Timer, Write, metric, own};

/// Time after which a standby asks again for the state.
const ASK_AGAIN: Span = Span::secs(1);

impl Replica {
    /// Restarts the wait for a heartbeat.
    pub(super) fn listen(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.suspicion.take() {
            cx.cancel_timer(timer);
        }
        self.suspicion = Some(cx.set_timer(self.options.suspect_after, Timer::Suspect));
    }

    /// There is a term: whoever leads under a lower one stops.
    pub(super) fn learn(&mut self, cx: &mut Cx<'_>, term: u64) {
        if term <= self.term {
            return;
        }
        self.term = term;
        self.term_since = cx.monotonic();
        self.write(cx, Write::Term(term), 100, Covered::Nothing);
        (self.role, self.primary) = (Role::Passive, None);
        (self.joined, self.asked) = (false, None);
        self.listen(cx);
    }

    /// Whether the sender leads the highest term; if it does, this replica follows it.
    pub(super) fn follows(&mut self, cx: &mut Cx<'_>, from: NodeId, term: u64) -> bool {
        if term < self.term {
            cx.send(from, StandbyMessage::Deposed { term: self.term });
            return false;
        }
        self.learn(cx, term);
        if self.leads() {
            return false;
        }
        (self.role, self.primary) = (Role::Passive, Some(from));
        true
    }

    /// A heartbeat of the primary.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>) {
        self.listen(cx);
        let now = cx.monotonic();
        let again = self.asked.is_none_or(|asked| now.since(asked) >= ASK_AGAIN);
        if !self.joined
            && again
            && let Some(primary) = self.primary
        {
            self.asked = Some(now);
            cx.send(primary, StandbyMessage::Join { term: self.term });
        }
    }

    pub(super) fn install(&mut self, cx: &mut Cx<'_>, from: NodeId, state: &Arc<Store>) {
        let discarded = cx.durable().missing_in(state);
        if discarded > 0 {
            cx.fact(Fact::Sample { metric: metric::DISCARDED, value: discarded });
        }
        self.joined = true;
        self.visible.clone_from(state.blocks());
        let bytes = 1000 * u32::try_from(state.blocks().len()).unwrap_or(u32::MAX / 1000);
        self.write(cx, Write::Install(Arc::clone(state)), bytes, Covered::Installed(from, self.term));
        cx.fact(Fact::Behind { slot: state.last });
    }

    pub(super) fn installed(&mut self, cx: &mut Cx<'_>, from: NodeId, term: u64) {
        let (prefix, last) = (cx.durable().prefix, cx.durable().last);
        cx.fact(Fact::Own { kind: own::INSTALLED, a: u64::from(from.0), b: last });
        cx.fact(Fact::CaughtUp { slot: last });
        cx.send(from, StandbyMessage::Stored { term, prefix });
        if self.options.failback > Span::ZERO && self.is_preferred(cx) {
            cx.set_timer(self.options.failback, Timer::Failback);
        }
    }

    pub(super) fn receive(&mut self, cx: &mut Cx<'_>, from: NodeId, records: &Arc<[Record]>) {
        for record in records.iter() {
            cx.write(Write::Put(*record), 1000);
            let block = self.visible.entry(record.key).or_default();
            *block = (*block).max((record.seq, record.value));
        }
        self.unapplied += records.len() as u64;
        cx.sync();
        self.syncs.push_back(Covered::Shipped(from, self.term, Arc::clone(records)));
    }

    pub(super) fn stored_shipped(cx: &mut Cx<'_>, from: NodeId, term: u64, records: &[Record]) {
        for record in records {
            cx.fact(Fact::Own { kind: own::STORED, a: record.value, b: record.seq });
            let lag = cx.now().since(record.committed);
            cx.fact(Fact::Sample { metric: metric::LAG, value: lag.0 });
        }
        let prefix = cx.durable().prefix;
        cx.send(from, StandbyMessage::Stored { term, prefix });
    }

    /// No heartbeat for too long.
    pub(super) fn suspect(&mut self, cx: &mut Cx<'_>) {
        if !matches!(self.role, Role::Passive) {
            return;
        }
        if let Some(primary) = self.primary.take() {
            cx.fact(Fact::Suspect { node: primary });
        }
        // Cool-down: after a failover the group stays as it is for a while, even if that means to wait.
        let quiet = cx.monotonic().since(self.term_since);
        if self.term > 0 && quiet < self.options.cooldown {
            let wait = Span(self.options.cooldown.0 - quiet.0);
            self.suspicion = Some(cx.set_timer(wait, Timer::Suspect));
            return;
        }
        cx.fact(Fact::Own { kind: own::CAMPAIGN, a: self.term, b: 0 });
        self.campaign(cx);
    }

    /// Tries to become primary.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_>) {
        if self.leads() {
            return;
        }
        if self.arbiter.is_none() {
            // Nobody to ask: terms name their owner, so that no two replicas have the same.
            let n = self.group.len() as u64;
            let place = self.group.iter().position(|node| *node == cx.id()).unwrap_or(0) as u64;
            let term = (self.term / n + 1) * n + place;
            self.lease_until = Time(u64::MAX);
            self.lead(cx, term);
        } else if !matches!(self.role, Role::Candidate) {
            self.role = Role::Candidate;
            self.ask(cx);
        }
    }

    /// Asks for a lease, again and again.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>) {
        let Some(arbiter) = self.arbiter else { return };
        let (last, sent) = (cx.durable().last, cx.monotonic());
        cx.send(arbiter, StandbyMessage::Acquire { last, sent });
        cx.set_timer(self.options.heartbeat, Timer::Campaign);
    }

    /// The arbiter granted or renewed a lease.
    pub(super) fn granted(&mut self, cx: &mut Cx<'_>, term: u64, sent: Time, insync: u64) {
        let until = sent.saturating_add(self.options.lease);
        if term == self.term && self.leads() {
            self.lease_until = self.lease_until.max(until);
            self.agreed(cx, sent, insync);
        } else if term > self.term && !self.leads() {
            self.lease_until = until;
            self.lead(cx, term);
        }
    }

    fn lead(&mut self, cx: &mut Cx<'_>, term: u64) {
        (self.term, self.term_since) = (term, cx.monotonic());
        (self.role, self.primary) = (Role::Promoting, Some(cx.id()));
        cx.fact(Fact::Leader { term });
        self.write(cx, Write::Lead(term), 100, Covered::Nothing);
        let options = self.options;
        let ready = Replica::lognormal(cx, options.promote, options.promote_sigma);
        let blocks = cx.durable().blocks().len() as u64;
        let replay = |records: u64| Span(options.replay.0.saturating_mul(records));
        let prepare = match options.heat {
            // The first primary of all has nothing to start from.
            _ if cx.durable().last == 0 => Span::ZERO,
            Heat::Hot => ready,
            Heat::Warm => ready + replay(self.unapplied),
            Heat::Cold => ready + options.start + replay(blocks),
        };
        cx.set_timer(prepare, Timer::Promoted);
        self.beat(cx);
        self.renew(cx);
    }

    pub(super) fn ask_for_place(&mut self, cx: &mut Cx<'_>) {
        if let (Role::Passive, true, Some(primary)) = (&self.role, self.joined, self.primary) {
            cx.send(primary, StandbyMessage::Handover { term: self.term });
            cx.set_timer(ASK_AGAIN, Timer::Failback);
        }
    }
}
