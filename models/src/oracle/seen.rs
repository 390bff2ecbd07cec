//! "Sometimes": something happened at least once, so that a green run is not vacuous.

use murphy_sim::{Fact, Judge, Stamped, Time};

use super::OracleVerdict;

/// Counts the facts of correct nodes that match a predicate, such as "a view change happened".
///
/// `eventually(p)` asks for a count above zero, `never(p)` for zero.
#[derive(Clone, Debug)]
pub struct Seen {
    what: &'static str,
    matches: fn(&Fact) -> bool,
    count: u64,
    first: Option<(Time, u64)>,
}

impl Seen {
    /// Counts the facts for which `matches` is true; `what` says in a few words what they mean.
    pub fn new(what: &'static str, matches: fn(&Fact) -> bool) -> Seen {
        Seen { what, matches, count: 0, first: None }
    }

    /// `Held` once it was seen, `Unknown` before: whether it had to happen is for the expectation to say.
    pub fn verdict(&self) -> OracleVerdict {
        match self.first {
            Some(_) => OracleVerdict::Held,
            None => OracleVerdict::Unknown { message: format!("{} was never seen", self.what) },
        }
    }

    /// How many facts matched.
    pub fn checked(&self) -> u64 {
        self.count
    }

    /// Time and event number of the first match.
    pub fn first(&self) -> Option<(Time, u64)> {
        self.first
    }
}

impl Judge for Seen {
    fn observe(&mut self, said: &Stamped) {
        if said.correct && (self.matches)(&said.fact) {
            self.count += 1;
            self.first.get_or_insert((said.at, said.event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn it_counts_what_correct_nodes_say() {
        let view_change = Seen::new("a view change", |fact| matches!(fact, Fact::ViewChange { .. }));
        let story = Story::default().lie(0, Fact::ViewChange { view: 1 }).put(1);
        let before = story.judge(view_change.clone());
        assert_eq!(
            before.verdict(),
            OracleVerdict::Unknown { message: "a view change was never seen".into() }
        );
        let after = story.each(&[1, 2], Fact::ViewChange { view: 1 }).judge(view_change);
        assert_eq!((after.verdict(), after.checked()), (OracleVerdict::Held, 2));
        assert_eq!(after.first(), Some((Time(4_000_000), 4)));
    }
}
