//! The message log between the watermarks: pre-prepares, votes and prepared certificates.
//!
//! It is a ring of L slots. A slot counts the votes that match one (view, digest): that of the
//! accepted pre-prepare or, before one came, that of the first vote. Votes that match nothing
//! wait in a side list; it is empty unless a view changes or somebody lies.

use std::sync::Arc;

use super::message::{Batch, Prepared, Vote};
use crate::consensus::Signers;

/// Second or third phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Prepare,
    Commit,
}

/// One slot in the current view.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each can be true without the others, over restarts")]
pub(super) struct Slot {
    view: u64,
    digest: u64,
    /// The batch of the accepted pre-prepare.
    pub(super) batch: Option<Arc<Batch>>,
    counts: [u16; 2],
    /// A pre-prepare was accepted, or a vote came first.
    claimed: bool,
    /// Own pre-prepare or prepare is out, and may be sent again.
    pub(super) announced: bool,
    pub(super) prepared: bool,
    /// Own commit is out, and may be sent again.
    pub(super) commit_sent: bool,
    /// Committed-local.
    pub(super) committed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Early {
    phase: Phase,
    from: u32,
    vote: Vote,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Log {
    low: u64,
    window: u64,
    /// Highest slot that somebody in this view spoke of.
    top: u64,
    /// Words of a set of replicas.
    words: usize,
    slots: Box<[Slot]>,
    /// Senders of the counted votes: prepares, then commits, of each slot.
    senders: Box<[u64]>,
    /// The certificate of each slot with the highest view.
    certificates: Box<[Option<Prepared>]>,
    early: Vec<Early>,
    most_early: usize,
    ignore_digest: bool,
    count_twice: bool,
}

impl Log {
    pub(super) fn new(n: usize, window: u64, ignore_digest: bool, count_twice: bool) -> Log {
        let length = usize::try_from(window).expect("a window fits the memory");
        let words = n.div_ceil(64);
        Log {
            low: 0,
            window,
            top: 0,
            words,
            slots: vec![Slot::default(); length].into(),
            senders: vec![0; length * words * 2].into(),
            certificates: vec![None; length].into(),
            early: Vec::new(),
            most_early: 64 * n,
            ignore_digest,
            count_twice,
        }
    }

    /// Low watermark h.
    #[inline]
    pub(super) fn low(&self) -> u64 {
        self.low
    }

    /// High watermark H.
    #[inline]
    pub(super) fn high(&self) -> u64 {
        self.low + self.window
    }

    /// Highest slot that somebody in this view spoke of.
    pub(super) fn top(&self) -> u64 {
        self.top
    }

    #[inline]
    pub(super) fn in_window(&self, slot: u64) -> bool {
        self.low < slot && slot <= self.high()
    }

    #[inline]
    fn index(&self, slot: u64) -> usize {
        debug_assert!(self.in_window(slot), "slot {slot} is not between the watermarks");
        #[expect(clippy::cast_possible_truncation, reason = "below the length of the ring")]
        let index = (slot % self.window) as usize;
        index
    }

    #[inline]
    pub(super) fn slot(&self, slot: u64) -> &Slot {
        &self.slots[self.index(slot)]
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, slot: u64) -> &mut Slot {
        &mut self.slots[self.index(slot)]
    }

    /// Counts a vote of the current view, at most once a sender; returns how many match by now.
    #[inline]
    pub(super) fn vote(&mut self, phase: Phase, from: usize, vote: &Vote) -> usize {
        let index = self.index(vote.slot);
        let slot = &mut self.slots[index];
        let fits = slot.view == vote.view
            && (slot.digest == vote.digest || (self.ignore_digest && phase == Phase::Prepare));
        if !slot.claimed {
            slot.claimed = true;
            slot.view = vote.view;
            slot.digest = vote.digest;
            self.top = self.top.max(vote.slot);
        } else if !fits {
            self.stash(phase, from, vote);
            return 0;
        }
        let word = (index * 2 + phase as usize) * self.words + from / 64;
        let bit = 1 << (from % 64);
        let count = &mut slot.counts[phase as usize];
        if self.senders[word] & bit == 0 || self.count_twice {
            self.senders[word] |= bit;
            *count += 1;
        }
        usize::from(*count)
    }

    /// Keeps a vote that may match later.
    #[cold]
    pub(super) fn stash(&mut self, phase: Phase, from: usize, vote: &Vote) {
        if self.early.len() < self.most_early {
            let from = u32::try_from(from).expect("fewer than 2^32 replicas");
            self.early.push(Early { phase, from, vote: *vote });
        }
    }

    /// The accepted digest of a slot in a view, if there is one.
    pub(super) fn accepted(&self, slot: u64, view: u64) -> Option<u64> {
        let slot = self.slot(slot);
        (slot.batch.is_some() && slot.view == view).then_some(slot.digest)
    }

    /// The pre-prepare of a slot was accepted: votes that match it count from now on.
    pub(super) fn accept(&mut self, view: u64, number: u64, batch: Arc<Batch>) {
        let index = self.index(number);
        self.top = self.top.max(number);
        let digest = batch.digest();
        let slot = &mut self.slots[index];
        if !(slot.claimed && slot.view == view && slot.digest == digest) {
            slot.counts = [0; 2];
            self.senders[index * 2 * self.words..(index + 1) * 2 * self.words].fill(0);
        }
        let slot = &mut self.slots[index];
        slot.claimed = true;
        slot.view = view;
        slot.digest = digest;
        slot.batch = Some(batch);
        let mut i = 0;
        while let Some(&Early { phase, from, vote }) = self.early.get(i) {
            if vote.slot == number && vote.view == view && vote.digest == digest {
                self.early.swap_remove(i);
                self.vote(phase, from as usize, &vote);
            } else {
                i += 1;
            }
        }
    }

    /// Matching votes of an accepted slot.
    #[inline]
    pub(super) fn count(&self, slot: u64, phase: Phase) -> usize {
        usize::from(self.slot(slot).counts[phase as usize])
    }

    /// Prepares that came for this digest before its pre-prepare was accepted, if they came first.
    pub(super) fn votes_for(&self, slot: u64, view: u64, digest: u64) -> usize {
        let Slot { view: known, digest: first, counts, .. } = self.slot(slot);
        if (*known, *first) == (view, digest) { usize::from(counts[0]) } else { 0 }
    }

    /// The vote that fits what was accepted at a slot.
    pub(super) fn matching(&self, slot: u64) -> Vote {
        let Slot { view, digest, .. } = *self.slot(slot);
        Vote { view, slot, digest }
    }

    /// Makes and keeps the certificate of a slot that is prepared now.
    pub(super) fn certify(&mut self, number: u64) -> Prepared {
        let index = self.index(number);
        let senders = &self.senders[index * 2 * self.words..(index * 2 + 1) * self.words];
        let slot = &mut self.slots[index];
        slot.prepared = true;
        let batch = slot.batch.clone().expect("what is prepared was accepted");
        let certificate =
            Prepared { view: slot.view, slot: number, batch, signers: Signers::from_words(senders) };
        self.certificates[index] = Some(certificate.clone());
        certificate
    }

    /// Puts back what the disk kept of a slot.
    pub(super) fn restore(&mut self, certificate: Prepared) {
        let index = self.index(certificate.slot);
        let slot = &mut self.slots[index];
        if slot.claimed && slot.view == certificate.view {
            slot.prepared = true;
            slot.commit_sent = true;
            slot.counts[0] = u16::try_from(certificate.signers.count()).expect("fewer than 2^16 replicas");
            let words = certificate.signers.words();
            let senders = &mut self.senders[index * 2 * self.words..][..self.words];
            senders.copy_from_slice(&words[..self.words]);
        }
        self.certificates[index] = Some(certificate);
    }

    /// All certificates above the low watermark, in slot order.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Prepared> {
        (self.low + 1..=self.high()).filter_map(|slot| self.certificates[self.index(slot)].as_ref())
    }

    /// A new view: nothing is accepted in it yet. Certificates stay, and early votes of the view.
    pub(super) fn start_view(&mut self, view: u64) {
        self.slots.fill(Slot::default());
        self.senders.fill(0);
        self.top = self.low;
        self.early.retain(|early| early.vote.view >= view);
    }

    /// Moves the watermarks: everything up to `low` is forgotten (section 4.3).
    pub(super) fn advance(&mut self, low: u64) {
        if low - self.low >= self.window {
            self.slots.fill(Slot::default());
            self.senders.fill(0);
            self.certificates.fill(None);
        } else {
            for number in self.low + 1..=low {
                let index = self.index(number);
                self.slots[index] = Slot::default();
                self.senders[index * 2 * self.words..(index + 1) * 2 * self.words].fill(0);
                self.certificates[index] = None;
            }
        }
        self.low = low;
        self.top = self.top.max(low);
        self.early.retain(|early| early.vote.slot > low);
    }
}
