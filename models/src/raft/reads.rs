//! Reads that are not in the log: read index and leases (Ongaro 2014, section 6.4).

use murphy_sim::{Fact, Time};

use super::Cx;
use super::bug::Bug;
use super::options::Reads;
use super::own;
use super::replica::Replica;
use crate::consensus::Command;

/// A read that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingRead {
    command: Command,
    /// What must be executed before it is answered.
    index: u64,
    /// When it came, by the leader's monotonic clock.
    came: Time,
}

impl Replica {
    /// A read arrived at the leader.
    pub(super) fn on_read(&mut self, cx: &mut Cx<'_>, command: &Command) {
        if self.has(Bug::LocalRead) {
            let value = self.store.get(command.operation().key);
            return self.reply(cx, command, value);
        }
        // Section 6.4, steps 1 and 2: all that may have been answered is committed here or before,
        // once an entry of the leader's own term is.
        let index = self.commit.max(self.start);
        let waits = |read: &PendingRead| read.command.request() == command.request();
        if self.reads.iter().any(waits) {
            return;
        }
        let came = cx.monotonic();
        self.reads.push_back(PendingRead { command: *command, index, came });
        if !(self.has_lease(cx) && self.applied >= index) {
            // Step 3: a majority must confirm, from now on, that it leads.
            self.send_heartbeats(cx);
        }
        self.serve_reads(cx);
    }

    /// Section 6.4.1: a majority has promised not to vote for another before this ends.
    fn has_lease(&self, cx: &Cx<'_>) -> bool {
        let lasts = self.followed_at(cx).saturating_add(self.options.lease());
        self.options.reads == Reads::Lease && self.followed_at(cx) > Time::ZERO && cx.monotonic() < lasts
    }

    /// Answers the reads that are confirmed and whose index is executed (steps 4 and 5).
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        if self.reads.is_empty() {
            return;
        }
        let (followed, lease) = (self.followed_at(cx), self.has_lease(cx));
        while let Some(read) = self.reads.front().copied() {
            let confirmed = followed >= read.came;
            if !(confirmed || lease) || self.applied < read.index {
                return;
            }
            self.reads.pop_front();
            let kind = if confirmed { own::READ_INDEX } else { own::LEASE_READ };
            cx.fact(Fact::Own { kind, a: read.index, b: u64::from(read.command.request().0) });
            let value = self.store.get(read.command.operation().key);
            self.reply(cx, &read.command, value);
        }
    }
}
