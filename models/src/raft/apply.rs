//! What is committed is executed in order (Ongaro 2014, section 3.5), and snapshots are taken (section 5.1).

use std::sync::Arc;

use murphy_sim::{Fact, RequestId};

use super::Cx;
use super::log::{Compacted, Entry, Payload};
use super::members::Members;
use super::replica::{Replica, Role};
use super::stable::Write;
use crate::consensus::Command;

impl Replica {
    /// Entries up to here are committed.
    pub(super) fn commit_to(&mut self, cx: &mut Cx<'_>, index: u64) {
        if index <= self.commit {
            return;
        }
        self.commit = index;
        while self.applied < self.commit {
            let index = self.applied + 1;
            let Some(entry) = self.log.get(index).copied() else { break };
            self.applied = index;
            cx.fact(Fact::Decide { slot: index, view: self.term, digest: entry.chain });
            self.apply(cx, index, &entry);
        }
        self.compact_if_due(cx);
        self.serve_reads(cx);
    }

    fn apply(&mut self, cx: &mut Cx<'_>, index: u64, entry: &Entry) {
        match &entry.payload {
            Payload::Nothing => self.say_executed(cx, index, RequestId::NONE),
            Payload::Members(members) => {
                self.say_executed(cx, index, RequestId::NONE);
                self.on_members_committed(cx, index, *members);
            }
            Payload::Command(command) => self.execute(cx, index, command),
        }
    }

    fn say_executed(&self, cx: &mut Cx<'_>, slot: u64, request: RequestId) {
        cx.fact(Fact::Execute { slot, request, state: self.store.digest() });
    }

    /// Section 6.3: a session's command is executed once; who asks again gets the result of then.
    fn execute(&mut self, cx: &mut Cx<'_>, index: u64, command: &Command) {
        if command.timestamp() <= self.store.session(command.session()).timestamp {
            return self.say_executed(cx, index, RequestId::NONE);
        }
        let value = self.store.execute(command);
        self.say_executed(cx, index, command.request());
        if self.role == Role::Leader {
            self.reply(cx, command, value);
        }
    }

    /// The members as of an index.
    pub(super) fn members_at(&self, index: u64) -> Members {
        let known = self.configurations.iter().rev().find(|(at, _)| *at <= index);
        known.unwrap_or(&self.configurations[0]).1
    }

    fn compact_if_due(&mut self, cx: &mut Cx<'_>) {
        let covered = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.last.index);
        if self.applied < covered + self.options.snapshot_every {
            return;
        }
        let Some(last) = self.log.place(self.applied) else { return };
        let (members, state) = (self.members_at(last.index), self.store.snapshot(last.index));
        cx.fact(Fact::Stable { slot: last.index, state: state.digest() });
        let bytes = state.bytes();
        let snapshot = Arc::new(Compacted { last, members, state });
        let from = last.index.saturating_sub(self.options.trailing);
        cx.write(Write::Compact { snapshot: Arc::clone(&snapshot), from }, bytes);
        self.snapshot = Some(snapshot);
        self.log.compact(from);
        while self.configurations.get(1).is_some_and(|next| next.0 <= self.log.base().index) {
            self.configurations.remove(0);
        }
    }
}
