//! Log matching: entries with the same index and term end the same log.

use std::collections::BTreeMap;
use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, Stamped};

use super::{Finding, Names, OracleVerdict};

/// Judges that two logs with an entry of the same index and term are the same up to it (Ongaro
/// 2014, figure 3.2), from a hash of the log up to each entry that a node appends.
///
/// Nodes say [`Fact::Own`] of the kind given, with [`LogMatching::entry`] as its first value.
#[derive(Clone, Debug)]
pub struct LogMatching {
    names: Names,
    kind: u16,
    entries: BTreeMap<u64, (NodeId, u64)>,
    /// The entries last looked up: most are said by all replicas within a short time.
    recent: Box<[(u64, u64, NodeId)]>,
    finding: Finding,
    checked: u64,
}

/// Bits of an index; the term takes the rest.
const INDEX_BITS: u32 = 40;
const RECENT: usize = 256;

impl LogMatching {
    /// An oracle for the nodes with these names, in roster order, which say facts of this kind.
    pub fn new(names: Arc<[String]>, kind: u16) -> LogMatching {
        LogMatching {
            names: Names(names),
            kind,
            entries: BTreeMap::new(),
            recent: vec![(u64::MAX, 0, NodeId(0)); RECENT].into_boxed_slice(),
            finding: Finding::default(),
            checked: 0,
        }
    }

    /// An index and a term as one value.
    #[inline]
    pub fn entry(index: u64, term: u64) -> u64 {
        (term << INDEX_BITS) | (index & ((1 << INDEX_BITS) - 1))
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        self.finding.verdict()
    }

    /// Whether it is violated.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How often an entry was compared with that of another log.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    #[inline]
    fn compare(&mut self, said: &Stamped, entry: u64, log: u64) {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let place = entry as usize % RECENT;
        let known = match self.recent[place] {
            (known, hash, by) if known == entry => Some((by, hash)),
            _ => {
                let known = self.entries.get(&entry).copied();
                let (by, hash) = *self.entries.entry(entry).or_insert((said.node, log));
                self.recent[place] = (entry, hash, by);
                known
            }
        };
        let Some((by, hash)) = known else { return };
        self.checked += 1;
        if hash != log {
            let who = self.names.pair(by, said.node);
            let (index, term) = (entry & ((1 << INDEX_BITS) - 1), entry >> INDEX_BITS);
            self.finding.report(said, || {
                format!("{who} have different logs up to their entry of term {term} at index {index}")
            });
        }
    }
}

impl Judge for LogMatching {
    fn observe(&mut self, said: &Stamped) {
        if let Fact::Own { kind, a, b } = said.fact
            && kind == self.kind
            && said.correct
        {
            self.compare(said, a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, check_violated, names};
    use super::*;

    fn append(index: u64, term: u64, b: u64) -> Fact {
        Fact::Own { kind: 3, a: LogMatching::entry(index, term), b }
    }

    #[test]
    fn logs_may_differ_by_term_only() {
        let story = Story::default()
            .each(&[0, 1, 2], append(1, 1, 11))
            .each(&[0, 1], append(2, 1, 12))
            .each(&[2, 1], append(2, 2, 13))
            .each(&[2], append(2 + RECENT as u64, 1, 14))
            .each(&[0], append(2, 1, 12))
            .each(&[0], Fact::Own { kind: 4, a: LogMatching::entry(1, 1), b: 5 });
        let oracle = story.judge(LogMatching::new(names(), 3));
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 5));
        let story = story.each(&[3], append(2, 1, 15));
        check_violated(
            story.judge(LogMatching::new(names(), 3)).verdict(),
            11,
            "r0 and r3 have different logs up to their entry of term 1 at index 2",
        );
    }
}
