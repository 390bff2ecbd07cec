//! What clients and replicas say to each other.

use std::sync::Arc;

use murphy_sim::{Identity, Message, Mutation, fold};

use crate::consensus::{Command, Reply, Signed, Signers, Snapshot};

/// Commands that are ordered together; an empty one is the null request of a new view.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    digest: u64,
    commands: Vec<Command>,
}

impl Batch {
    /// A batch, with its digest.
    pub fn new(commands: Vec<Command>) -> Batch {
        let mut batch = Batch { digest: 0, commands };
        batch.seal();
        batch
    }

    /// Replaces the commands, and keeps their memory.
    pub(super) fn refill(&mut self, commands: &[Command]) {
        self.commands.clear();
        self.commands.extend_from_slice(commands);
        self.seal();
    }

    fn seal(&mut self) {
        let length = self.commands.len() as u64;
        self.digest = self.commands.iter().fold(length, |sum, command| fold(sum, command.digest()));
    }

    /// Digest of the commands and their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The batch with one bit of one value another, as a disk makes it; `None` if there is no value.
    pub(super) fn flipped(&self, word: u64) -> Option<Batch> {
        let mut commands = self.commands.clone();
        let place = (word >> 8).checked_rem(commands.len() as u64)?;
        let command = &mut commands[usize::try_from(place).expect("an index")];
        *command = command.flipped(word);
        Some(Batch::new(commands))
    }

    /// The commands, in order of execution.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }
}

/// The primary's proposal of a batch for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrePrepare {
    /// View.
    pub view: u64,
    /// Sequence number.
    pub slot: u64,
    /// What the primary says the batch's digest is.
    pub digest: u64,
    /// The batch.
    pub batch: Arc<Batch>,
}

/// A prepare or a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// View.
    pub view: u64,
    /// Sequence number.
    pub slot: u64,
    /// Digest of the batch.
    pub digest: u64,
}

/// Says that the sender's state after a slot has this digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointVote {
    /// Last slot that the checkpoint covers.
    pub slot: u64,
    /// Digest of the state.
    pub state: u64,
}

/// Proof that a checkpoint is stable: a quorum of checkpoint messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StableProof {
    pub(super) slot: u64,
    pub(super) state: u64,
    pub(super) signers: Signers,
}

impl StableProof {
    /// Last slot that the checkpoint covers.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// Digest of the state.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// Who voted for it.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }
}

/// Prepared certificate: a pre-prepare and the matching prepares of different backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub(super) view: u64,
    pub(super) slot: u64,
    pub(super) batch: Arc<Batch>,
    pub(super) signers: Signers,
}

impl Prepared {
    /// A certificate without votes: all that a liar can make. Correct replicas refuse it.
    pub fn forged(view: u64, slot: u64, batch: Arc<Batch>, n: usize) -> Prepared {
        Prepared { view, slot, batch, signers: Signers::none(n) }
    }

    /// View in which it was prepared.
    pub fn view(&self) -> u64 {
        self.view
    }

    /// Sequence number.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// What was prepared.
    pub fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    /// The backups whose prepares it holds.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }
}

/// VIEW-CHANGE: what its sender knows when it gives up on a view (Castro & Liskov 1999, section 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewChange {
    /// The view that it wants.
    pub view: u64,
    /// The sender's last stable checkpoint and its proof C; `None` for the initial state.
    pub stable: Option<StableProof>,
    /// The set P: a certificate for every slot prepared above the checkpoint, in slot order.
    pub prepared: Vec<Prepared>,
}

impl ViewChange {
    /// Slot of the stable checkpoint.
    pub fn low(&self) -> u64 {
        self.stable.as_ref().map_or(0, |proof| proof.slot)
    }
}

/// What a new view proposes again for one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Sequence number.
    pub slot: u64,
    /// The batch; empty for the null request.
    pub batch: Arc<Batch>,
}

/// NEW-VIEW: starts a view (Castro & Liskov 1999, section 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewView {
    /// View.
    pub view: u64,
    /// The set V: a quorum of view-changes.
    pub view_changes: Vec<Arc<Signed<ViewChange>>>,
    /// The set O: what is proposed again, in slot order.
    pub proposals: Vec<Proposal>,
}

/// How far a replica is, so that others retransmit what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// View.
    pub view: u64,
    /// Last stable checkpoint.
    pub low: u64,
    /// Last slot executed.
    pub executed: u64,
}

/// A state and the proof that it is a stable checkpoint.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Proof.
    pub proof: StableProof,
    /// State.
    pub snapshot: Arc<Snapshot>,
}

/// A message of the protocol.
#[derive(Clone, Debug)]
pub enum PbftMessage {
    /// From a client, or relayed by a replica.
    Request(Command),
    /// First phase.
    PrePrepare(PrePrepare),
    /// Second phase.
    Prepare(Vote),
    /// Third phase.
    Commit(Vote),
    /// To a client.
    Reply(Reply),
    /// Vote for a checkpoint.
    Checkpoint(CheckpointVote),
    /// Gives up on a view.
    ViewChange(Arc<Signed<ViewChange>>),
    /// Starts a view.
    NewView(Arc<Signed<NewView>>),
    /// Asks for what is missing.
    Status(Status),
    /// Asks for a stable checkpoint that covers at least this slot.
    StateRequest {
        /// The slot.
        slot: u64,
    },
    /// Answers a state request.
    State(Arc<Transfer>),
}

/// Headers and authenticators of any message, in bytes.
const HEADER: u32 = 64;
const COMMAND: u32 = 56;
/// A signed vote inside a certificate.
const SIGNED_VOTE: u32 = 88;

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

fn certificate_bytes(signers: &Signers) -> u32 {
    count(signers.count()).saturating_mul(SIGNED_VOTE)
}

pub(super) fn batch_bytes(batch: &Batch) -> u32 {
    count(batch.commands.len()).saturating_mul(COMMAND)
}

fn prepared_bytes(prepared: &Prepared) -> u32 {
    24 + certificate_bytes(&prepared.signers) + batch_bytes(&prepared.batch)
}

pub(super) fn view_change_bytes(change: &ViewChange) -> u32 {
    let stable = change.stable.as_ref().map_or(0, |proof| certificate_bytes(&proof.signers));
    change.prepared.iter().map(prepared_bytes).fold(HEADER + stable, u32::saturating_add)
}

pub(super) fn new_view_bytes(new: &NewView) -> u32 {
    let changes = new.view_changes.iter().map(|change| view_change_bytes(change.body()));
    // O names digests; the batches are those of the view-changes.
    changes.fold(HEADER + 32 * count(new.proposals.len()), u32::saturating_add)
}

fn view_change_digest(change: &ViewChange) -> u64 {
    let start = fold(change.view, change.low());
    change.prepared.iter().fold(start, |sum, prepared| {
        fold(sum, fold(prepared.slot, fold(prepared.view, prepared.batch.digest)))
    })
}

fn new_view_digest(new: &NewView) -> u64 {
    let changes = new.view_changes.iter().fold(new.view, |sum, change| {
        fold(sum, fold(u64::from(change.by().0), view_change_digest(change.body())))
    });
    new.proposals.iter().fold(changes, |sum, proposal| fold(sum, fold(proposal.slot, proposal.batch.digest)))
}

impl Message for PbftMessage {
    const KINDS: &'static [&'static str] = &[
        "request",
        "pre-prepare",
        "prepare",
        "commit",
        "reply",
        "checkpoint",
        "view-change",
        "new-view",
        "status",
        "state-request",
        "state",
    ];

    #[inline]
    fn kind(&self) -> usize {
        match self {
            PbftMessage::Request(_) => 0,
            PbftMessage::PrePrepare(_) => 1,
            PbftMessage::Prepare(_) => 2,
            PbftMessage::Commit(_) => 3,
            PbftMessage::Reply(_) => 4,
            PbftMessage::Checkpoint(_) => 5,
            PbftMessage::ViewChange(_) => 6,
            PbftMessage::NewView(_) => 7,
            PbftMessage::Status(_) => 8,
            PbftMessage::StateRequest { .. } => 9,
            PbftMessage::State(_) => 10,
        }
    }

    #[inline]
    fn bytes(&self) -> u32 {
        match self {
            PbftMessage::Prepare(_)
            | PbftMessage::Commit(_)
            | PbftMessage::Reply(_)
            | PbftMessage::Status(_) => HEADER + 24,
            PbftMessage::Request(_) => HEADER + COMMAND,
            PbftMessage::PrePrepare(proposal) => (HEADER + 24).saturating_add(batch_bytes(&proposal.batch)),
            PbftMessage::Checkpoint(_) => HEADER + 16,
            PbftMessage::ViewChange(change) => view_change_bytes(change.body()),
            PbftMessage::NewView(new) => new_view_bytes(new.body()),
            PbftMessage::StateRequest { .. } => HEADER + 8,
            PbftMessage::State(transfer) => (HEADER + certificate_bytes(&transfer.proof.signers))
                .saturating_add(transfer.snapshot.bytes()),
        }
    }

    #[inline]
    fn digest(&self) -> u64 {
        match self {
            PbftMessage::Prepare(vote) | PbftMessage::Commit(vote) => {
                fold(vote.view ^ vote.slot.rotate_left(32), vote.digest)
            }
            PbftMessage::Request(command) => command.digest(),
            PbftMessage::PrePrepare(proposal) => {
                fold(fold(proposal.view, proposal.slot), fold(proposal.digest, proposal.batch.digest))
            }
            PbftMessage::Reply(reply) => fold(fold(reply.view, reply.timestamp), reply.value),
            PbftMessage::Checkpoint(vote) => fold(vote.slot, vote.state),
            PbftMessage::ViewChange(change) => {
                fold(u64::from(change.by().0), view_change_digest(change.body()))
            }
            PbftMessage::NewView(new) => fold(u64::from(new.by().0), new_view_digest(new.body())),
            PbftMessage::Status(status) => fold(fold(status.view, status.low), status.executed),
            PbftMessage::StateRequest { slot } => *slot,
            PbftMessage::State(transfer) => fold(transfer.proof.slot, transfer.snapshot.digest()),
        }
    }

    /// Normal-case messages carry authenticators (section 5.2); view-changes and new-views are
    /// signed. Votes inside certificates are charged by their size.
    #[inline]
    fn signatures(&self) -> u32 {
        match self {
            PbftMessage::ViewChange(_) => 1,
            PbftMessage::NewView(new) => 1 + count(new.body().view_changes.len()),
            _ => 0,
        }
    }

    fn mutated(&self, how: Mutation, word: u64, identity: &mut Identity<'_>) -> Option<PbftMessage> {
        self.lie(how, word, identity)
    }
}

#[cfg(test)]
mod tests {
    use murphy_sim::{NodeId, RequestId};

    use super::*;
    use crate::consensus::SessionId;

    #[test]
    fn messages_are_small() {
        assert!(size_of::<PbftMessage>() <= 64, "{}", size_of::<PbftMessage>());
        assert!(size_of::<Vote>() == 24);
    }

    #[test]
    fn a_batch_depends_on_its_commands_and_their_order() {
        let command = |id| Command::invented(NodeId(9), SessionId::at(0), RequestId(id), 1);
        let digest = |ids: &[u32]| Batch::new(ids.iter().map(|id| command(*id)).collect()).digest();
        let mut all = vec![digest(&[]), digest(&[1]), digest(&[2]), digest(&[1, 2]), digest(&[2, 1])];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5);
        let mut reused = Batch::new(vec![command(5), command(6)]);
        reused.refill(&[command(1), command(2)]);
        assert_eq!(reused.digest(), digest(&[1, 2]));
    }
}
