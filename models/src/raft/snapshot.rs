//! A follower that is far behind gets the leader's snapshot (Ongaro 2014, section 5.3).

use std::sync::Arc;

use murphy_sim::Fact;

use super::Cx;
use super::log::Payload;
use super::message::{Appended, InstallSnapshot, RaftMessage};
use super::replica::{Later, Replica, Role};
use super::stable::Write;

impl Replica {
    pub(super) fn on_snapshot(&mut self, cx: &mut Cx<'_>, from: usize, install: &InstallSnapshot) {
        let (to, sent) = (self.node(from), install.sent);
        if install.term < self.term {
            let refusal = Appended { term: self.term, ok: false, index: 0, sent };
            return cx.send(to, RaftMessage::Appended(refusal));
        }
        if install.term > self.term {
            self.follow(cx, install.term, Some(from));
        }
        if self.role == Role::Leader {
            return;
        }
        self.hear(cx, from);
        let snapshot = &install.snapshot;
        let last = snapshot.last;
        if last.index <= self.commit {
            return self.acknowledge(cx, to, self.commit, sent);
        }
        // Section 5.3: if the log goes on behind the snapshot, the rest of it stays.
        let agrees = self.log.term(last.index) == Some(last.term);
        if !agrees {
            self.not_durable(1);
        }
        self.log.install(last);
        self.store = snapshot.state.store();
        (self.commit, self.applied) = (last.index, last.index);
        self.snapshot = Some(Arc::clone(snapshot));
        self.configurations = vec![(last.index, snapshot.members)];
        self.read_configurations(last.index + 1);
        cx.fact(Fact::Install { slot: last.index, state: snapshot.state.digest() });
        let bytes = snapshot.state.bytes();
        let later = Later::Appended { to, term: self.term, index: last.index, sent };
        self.promise(cx, Write::Install(Arc::clone(snapshot)), bytes, later);
    }

    /// Takes note of the members that the log names from an index on.
    pub(super) fn read_configurations(&mut self, from: u64) {
        for index in from..=self.log.last() {
            if let Some(Payload::Members(members)) = self.log.get(index).map(|entry| entry.payload)
                && self.configurations.last().is_none_or(|last| last.0 < index)
            {
                self.configurations.push((index, members));
            }
        }
    }
}
