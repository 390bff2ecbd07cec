//! Election safety: one leader a view or term.

use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, Stamped};

use super::table::Table;
use super::{Finding, Names, OracleVerdict};

/// Judges that no two correct nodes lead the same view or term (Ongaro 2014, figure 3.2).
#[derive(Clone, Debug)]
pub struct Leadership {
    names: Names,
    leaders: Table<Option<NodeId>>,
    finding: Finding,
    checked: u64,
}

impl Leadership {
    /// An oracle for the nodes with these names, in roster order.
    pub fn new(names: Arc<[String]>) -> Leadership {
        Leadership { names: Names(names), leaders: Table::default(), finding: Finding::default(), checked: 0 }
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        self.finding.verdict()
    }

    /// Whether it is violated.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How often a node said that it leads.
    pub fn checked(&self) -> u64 {
        self.checked
    }
}

impl Judge for Leadership {
    fn observe(&mut self, said: &Stamped) {
        let Fact::Leader { term } = said.fact else { return };
        if !said.correct {
            return;
        }
        self.checked += 1;
        let leader = *self.leaders.entry(term).get_or_insert(said.node);
        if leader != said.node {
            let (a, b) = (self.names.of(leader), self.names.of(said.node));
            self.finding.report(said, || format!("{a} and {b} both lead {term}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, check_violated, names};
    use super::*;

    #[test]
    fn two_leaders_of_one_term_are_found_and_liars_are_not_believed() {
        let story = Story::default()
            .each(&[0], Fact::Leader { term: 1 })
            .each(&[0], Fact::Leader { term: 1 })
            .lie(2, Fact::Leader { term: 1 })
            .each(&[1], Fact::Leader { term: 2 });
        let oracle = story.judge(Leadership::new(names()));
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 3));
        let story = story.each(&[0], Fact::Leader { term: 2 });
        check_violated(story.judge(Leadership::new(names())).verdict(), 5, "r1 and r0 both lead 2");
    }
}
