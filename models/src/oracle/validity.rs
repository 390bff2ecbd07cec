//! Validity: what is executed was asked for.

use std::sync::Arc;

use murphy_sim::{Fact, Judge, RequestId, Stamped};

use super::{Finding, Names, OracleVerdict};

/// Judges that every command that a correct replica executes is a request which had arrived at
/// its client before, or the null request.
#[derive(Clone, Debug)]
pub struct Validity {
    names: Names,
    /// One bit a request.
    arrived: Vec<u64>,
    finding: Finding,
    checked: u64,
}

impl Validity {
    /// An oracle for the nodes with these names, in roster order.
    pub fn new(names: Arc<[String]>) -> Validity {
        Validity { names: Names(names), arrived: Vec::new(), finding: Finding::default(), checked: 0 }
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        self.finding.verdict()
    }

    /// Whether it is violated.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How many executed commands were looked up.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    fn has_arrived(&self, request: RequestId) -> bool {
        let word = self.arrived.get(request.index() / 64).copied().unwrap_or(0);
        word >> (request.index() % 64) & 1 == 1
    }
}

impl Judge for Validity {
    fn observe(&mut self, said: &Stamped) {
        match said.fact {
            // The engine says this one, also of clients that are not correct.
            Fact::Arrive(request) => {
                let word = request.id.index() / 64;
                if word >= self.arrived.len() {
                    self.arrived.resize(word + 1, 0);
                }
                self.arrived[word] |= 1 << (request.id.index() % 64);
            }
            Fact::Execute { slot, request, .. } if said.correct && request != RequestId::NONE => {
                self.checked += 1;
                if !self.has_arrived(request) {
                    let who = self.names.of(said.node);
                    self.finding.report(said, || {
                        format!(
                            "{who} executed request {} at slot {slot}, which no client had issued",
                            request.0
                        )
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, check_violated, names};
    use super::*;

    #[test]
    fn issued_and_null_requests_are_valid() {
        let null = RequestId::NONE.0;
        let story = Story::default().put(70).execute(&[0, 1], 1, 70, 11).execute(&[0, 1], 2, null, 12);
        let oracle = story.judge(Validity::new(names()));
        assert_eq!(oracle.verdict(), OracleVerdict::Held);
        assert_eq!(oracle.checked(), 2);
    }

    #[test]
    fn forged_and_future_requests_are_not() {
        let story = Story::default().put(1).execute(&[2], 7, 6, 11).put(6);
        check_violated(
            story.judge(Validity::new(names())).verdict(),
            3,
            "r2 executed request 6 at slot 7, which no client had issued",
        );
        let forged = Fact::Execute { slot: 7, request: RequestId(6), state: 0 };
        let oracle = Story::default().lie(2, forged).judge(Validity::new(names()));
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 0));
    }
}
