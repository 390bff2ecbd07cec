//! Simulated authentication: who said what, beyond doubt.
//!
//! A message's sender is given by the engine, so that votes need no signature of their own. What
//! is shown to third parties (view-changes, new-views, requests, certificates) is made only by
//! code that holds the signer's context, or that received the votes from their senders.

use murphy_sim::{Context, Identity, NodeId, Process};

/// A body that its signer vouches for. Nobody can sign for another: the signature is the node
/// whose context was at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    by: NodeId,
    body: T,
}

impl<T> Signed<T> {
    /// Signs as the node that handles this event.
    pub fn new<P: Process>(cx: &Context<'_, P>, body: T) -> Signed<T> {
        Signed { by: cx.id(), body }
    }

    /// Signs as one of the accomplices of a Byzantine fault; `None` when the key is not theirs.
    pub fn by_accomplice(identity: &Identity<'_>, by: NodeId, body: T) -> Option<Signed<T>> {
        identity.has_key_of(by).then_some(Signed { by, body })
    }

    /// Signs for anyone, to test what a verifier refuses.
    #[cfg(test)]
    pub(crate) fn by_hand(by: NodeId, body: T) -> Signed<T> {
        Signed { by, body }
    }

    /// Who signed.
    pub fn by(&self) -> NodeId {
        self.by
    }

    /// What was signed.
    pub fn body(&self) -> &T {
        &self.body
    }
}

/// The replicas whose votes make a certificate, by their place in the group.
///
/// Only the code that received a vote can put its sender in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers(Words);

/// Up to 128 replicas need no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    Few([u64; 2]),
    Many(Box<[u64]>),
}

impl Signers {
    /// No replica of a group of `n`.
    pub fn none(n: usize) -> Signers {
        Signers(if n <= 128 {
            Words::Few([0; 2])
        } else {
            Words::Many(vec![0; n.div_ceil(64)].into_boxed_slice())
        })
    }

    /// The replicas whose bits are set.
    pub(crate) fn from_words(words: &[u64]) -> Signers {
        Signers(match words {
            [] => Words::Few([0; 2]),
            [a] => Words::Few([*a, 0]),
            [a, b] => Words::Few([*a, *b]),
            many => Words::Many(many.into()),
        })
    }

    /// Adds a replica; `false` if it was there before.
    pub(crate) fn insert(&mut self, replica: usize) -> bool {
        let words = match &mut self.0 {
            Words::Few(words) => &mut words[..],
            Words::Many(words) => words,
        };
        let (word, bit) = (&mut words[replica / 64], 1 << (replica % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes all replicas out.
    pub(crate) fn clear(&mut self) {
        match &mut self.0 {
            Words::Few(words) => words.fill(0),
            Words::Many(words) => words.fill(0),
        }
    }

    /// The bits, lowest replica first.
    pub(crate) fn words(&self) -> &[u64] {
        match &self.0 {
            Words::Few(words) => words,
            Words::Many(words) => words,
        }
    }

    /// Whether this replica voted.
    pub fn has(&self, replica: usize) -> bool {
        self.words().get(replica / 64).is_some_and(|word| word >> (replica % 64) & 1 == 1)
    }

    /// How many replicas voted.
    pub fn count(&self) -> usize {
        self.words().iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_signs_once_in_small_and_large_groups() {
        for n in [4, 64, 128, 129, 1000] {
            let mut signers = Signers::none(n);
            assert!(signers.insert(0) && signers.insert(n - 1));
            assert!(!signers.insert(n - 1), "n = {n}");
            assert!(signers.has(n - 1) && !signers.has(1));
            assert_eq!(signers.count(), 2);
            assert_eq!(Signers::from_words(signers.words()).count(), 2);
        }
    }
}
