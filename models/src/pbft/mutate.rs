//! What a Byzantine replica or client says instead of what the protocol told it to say.
//!
//! Certificates are made of other replicas' votes, so a forged one has none; what is signed is
//! signed with the keys of accomplices. Everything else may be claimed.

use std::sync::Arc;

use murphy_sim::{Identity, Mutation, fold};

use super::message::{
    Batch, CheckpointVote, NewView, PbftMessage, PrePrepare, Prepared, Proposal, StableProof, Status,
    Transfer, ViewChange, Vote,
};
use crate::consensus::{Reply, Signed, Signers};

/// A number that no run reaches, and that a sum does not overflow.
const FAR: u64 = 1 << 62;

impl PbftMessage {
    /// The message altered in one way, if there is such a lie.
    pub(super) fn lie(&self, how: Mutation, word: u64, identity: &mut Identity<'_>) -> Option<PbftMessage> {
        match how {
            Mutation::Equivocate => self.equivocate(identity),
            Mutation::Conflict => self.conflict(word, identity),
            Mutation::Forge => self.forge(word, identity),
            Mutation::Stale => self.stale(identity),
            Mutation::Corrupt => self.corrupt(word, identity),
        }
    }

    /// The second story: the same commands in another order, or none of them. Votes follow it.
    fn equivocate(&self, identity: &mut Identity<'_>) -> Option<PbftMessage> {
        match self {
            PbftMessage::PrePrepare(proposal) => {
                let batch = other_batch(&proposal.batch)?;
                identity.note(proposal.digest, batch.digest());
                let digest = batch.digest();
                Some(PbftMessage::PrePrepare(PrePrepare { digest, batch, ..*proposal }))
            }
            PbftMessage::Prepare(vote) => {
                Some(PbftMessage::Prepare(Vote { digest: identity.other(vote.digest)?, ..*vote }))
            }
            PbftMessage::Commit(vote) => {
                Some(PbftMessage::Commit(Vote { digest: identity.other(vote.digest)?, ..*vote }))
            }
            PbftMessage::NewView(new) => {
                let mut any = false;
                let proposals = new.body().proposals.iter().map(|proposal| {
                    let Some(batch) = other_batch(&proposal.batch) else { return proposal.clone() };
                    any = true;
                    identity.note(proposal.batch.digest(), batch.digest());
                    Proposal { slot: proposal.slot, batch }
                });
                let proposals = proposals.collect();
                if any { propose_again(new, proposals, identity) } else { None }
            }
            _ => None,
        }
    }

    /// A vote for something else; the same from every accomplice.
    fn conflict(&self, word: u64, identity: &Identity<'_>) -> Option<PbftMessage> {
        let other = |digest: u64| identity.other(digest).unwrap_or(fold(digest, word));
        match self {
            PbftMessage::Prepare(vote) => {
                Some(PbftMessage::Prepare(Vote { digest: other(vote.digest), ..*vote }))
            }
            PbftMessage::Commit(vote) => {
                Some(PbftMessage::Commit(Vote { digest: other(vote.digest), ..*vote }))
            }
            PbftMessage::Checkpoint(vote) => {
                Some(PbftMessage::Checkpoint(CheckpointVote { state: fold(vote.state, word), ..*vote }))
            }
            PbftMessage::Reply(reply) => {
                Some(PbftMessage::Reply(Reply { value: fold(reply.value, reply.timestamp), ..*reply }))
            }
            _ => None,
        }
    }

    /// Certificates without the votes that would prove them.
    fn forge(&self, word: u64, identity: &Identity<'_>) -> Option<PbftMessage> {
        match self {
            PbftMessage::ViewChange(change) => {
                let mut body = change.body().clone();
                if word.is_multiple_of(4) || body.view == 0 {
                    body.stable = Some(forged_proof(&body, word));
                    body.prepared.clear();
                } else {
                    forge_prepared(&mut body);
                }
                Some(PbftMessage::ViewChange(Arc::new(Signed::by_accomplice(identity, change.by(), body)?)))
            }
            PbftMessage::NewView(new) => {
                let null = Arc::new(Batch::new(Vec::new()));
                let proposals = new.body().proposals.iter();
                let nulls = proposals.map(|known| Proposal { slot: known.slot, batch: Arc::clone(&null) });
                let nulls: Vec<Proposal> = nulls.collect();
                if nulls == new.body().proposals { None } else { propose_again(new, nulls, identity) }
            }
            PbftMessage::Checkpoint(vote) => {
                let slot = vote.slot.saturating_mul(2).min(FAR);
                Some(PbftMessage::Checkpoint(CheckpointVote { slot, state: fold(vote.state, word) }))
            }
            PbftMessage::State(transfer) => {
                let snapshot = Arc::new(transfer.snapshot.corrupted());
                let Transfer { proof, .. } = &**transfer;
                let signers = nobody(&proof.signers);
                let proof = StableProof { state: snapshot.recomputed(), signers, ..proof.clone() };
                Some(PbftMessage::State(Arc::new(Transfer { proof, snapshot })))
            }
            _ => None,
        }
    }

    /// What was true before: an earlier view or slot, a view-change that remembers nothing.
    fn stale(&self, identity: &Identity<'_>) -> Option<PbftMessage> {
        match self {
            PbftMessage::PrePrepare(proposal) if proposal.slot > 1 => {
                let slot = proposal.slot - 1;
                Some(PbftMessage::PrePrepare(PrePrepare { slot, ..proposal.clone() }))
            }
            PbftMessage::Prepare(vote) => Some(PbftMessage::Prepare(earlier(vote)?)),
            PbftMessage::Commit(vote) => Some(PbftMessage::Commit(earlier(vote)?)),
            PbftMessage::ViewChange(change) => {
                let view = change.body().view;
                let body = ViewChange { view, stable: None, prepared: Vec::new() };
                Some(PbftMessage::ViewChange(Arc::new(Signed::by_accomplice(identity, change.by(), body)?)))
            }
            PbftMessage::Status(_) => Some(PbftMessage::Status(Status { view: 0, low: 0, executed: 0 })),
            PbftMessage::Reply(reply) if reply.timestamp > 1 => {
                Some(PbftMessage::Reply(Reply { timestamp: reply.timestamp - 1, ..*reply }))
            }
            _ => None,
        }
    }

    /// What a correct recipient can see to be wrong.
    fn corrupt(&self, word: u64, identity: &Identity<'_>) -> Option<PbftMessage> {
        let garbage = |digest: u64| digest ^ (word | 1);
        Some(match self {
            PbftMessage::Request(command) => PbftMessage::Request(command.with_unverifiable(word)),
            PbftMessage::PrePrepare(proposal) => {
                PbftMessage::PrePrepare(PrePrepare { digest: garbage(proposal.digest), ..proposal.clone() })
            }
            PbftMessage::Prepare(vote) => {
                PbftMessage::Prepare(Vote { digest: garbage(vote.digest), ..*vote })
            }
            PbftMessage::Commit(vote) => {
                PbftMessage::Commit(Vote { slot: vote.slot.saturating_add(FAR), ..*vote })
            }
            PbftMessage::Reply(reply) => PbftMessage::Reply(Reply { value: garbage(reply.value), ..*reply }),
            PbftMessage::Checkpoint(vote) => {
                PbftMessage::Checkpoint(CheckpointVote { state: garbage(vote.state), ..*vote })
            }
            PbftMessage::ViewChange(change) => {
                let mut body = change.body().clone();
                match body.prepared.first().cloned() {
                    // P names each slot once, in order.
                    Some(first) => body.prepared.push(first),
                    None => body.stable = Some(forged_proof(&body, word)),
                }
                PbftMessage::ViewChange(Arc::new(Signed::by_accomplice(identity, change.by(), body)?))
            }
            PbftMessage::NewView(new) => {
                let mut body = new.body().clone();
                body.view_changes.pop();
                PbftMessage::NewView(Arc::new(Signed::by_accomplice(identity, new.by(), body)?))
            }
            PbftMessage::Status(_) => PbftMessage::Status(Status { view: FAR, low: FAR, executed: FAR }),
            PbftMessage::StateRequest { .. } => PbftMessage::StateRequest { slot: FAR },
            PbftMessage::State(transfer) => {
                let (proof, snapshot) = (transfer.proof.clone(), Arc::new(transfer.snapshot.corrupted()));
                PbftMessage::State(Arc::new(Transfer { proof, snapshot }))
            }
        })
    }
}

/// Another batch of what clients asked for.
fn other_batch(batch: &Batch) -> Option<Arc<Batch>> {
    let commands = match batch.commands() {
        [] => return None,
        [_] => Vec::new(),
        several => several.iter().rev().copied().collect(),
    };
    Some(Arc::new(Batch::new(commands)))
}

/// A new-view with another set O.
fn propose_again(
    new: &Signed<NewView>,
    proposals: Vec<Proposal>,
    identity: &Identity<'_>,
) -> Option<PbftMessage> {
    let body = NewView { proposals, ..new.body().clone() };
    Some(PbftMessage::NewView(Arc::new(Signed::by_accomplice(identity, new.by(), body)?)))
}

/// The set of no replica, for a group of the same size.
fn nobody(like: &Signers) -> Signers {
    Signers::from_words(&vec![0; like.words().len()])
}

/// Says that null requests were prepared in the view just left, wherever something is known.
fn forge_prepared(body: &mut ViewChange) {
    let null = Arc::new(Batch::new(Vec::new()));
    let (first, view) = (body.low() + 1, body.view - 1);
    let signers = body.prepared.first().map_or(Signers::none(1), |known| nobody(&known.signers));
    let last = body.prepared.last().map_or(first, |known| known.slot);
    let forged = |slot| Prepared { view, slot, batch: Arc::clone(&null), signers: signers.clone() };
    body.prepared = (first..=last).map(forged).collect();
}

/// A stable checkpoint that nobody voted for, a little later than the true one.
fn forged_proof(body: &ViewChange, word: u64) -> StableProof {
    let signers = body.stable.as_ref().map_or(Signers::none(1), |proof| nobody(&proof.signers));
    StableProof { slot: body.low() + 1 + word % 64, state: word, signers }
}

fn earlier(vote: &Vote) -> Option<Vote> {
    let &Vote { view, slot, digest } = vote;
    match (view, slot) {
        (0, 0 | 1) => None,
        (0, slot) => Some(Vote { view, slot: slot - 1, digest }),
        (view, slot) => Some(Vote { view: view - 1, slot, digest }),
    }
}
