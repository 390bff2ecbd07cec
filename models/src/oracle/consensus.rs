//! All oracles of a replicated state machine, side by side.

use std::sync::Arc;

use murphy_scenarios::Effect;
use murphy_sim::{Judge, Stamped};

use super::{Agreement, Durability, Integrity, Linearizability, OracleVerdict, Validity};

/// Names of the properties, in the order in which [`ConsensusOracles`] lists them.
pub const PROPERTIES: [&str; 5] = ["agreement", "validity", "integrity", "durability", "linearizability"];

/// The five safety properties of a replicated key-value store.
#[derive(Clone, Debug)]
pub struct ConsensusOracles {
    /// No two correct replicas differ about a slot.
    pub agreement: Agreement,
    /// What is executed was asked for.
    pub validity: Validity,
    /// What is executed is executed once.
    pub integrity: Integrity,
    /// What was acknowledged stays.
    pub durability: Durability,
    /// Clients see one store.
    pub linearizability: Linearizability,
    abort_on: [bool; 5],
}

impl ConsensusOracles {
    /// Oracles for the nodes with these names, in roster order, and the operations with these effects.
    ///
    /// A violation of a property whose place in [`PROPERTIES`] is set in `abort_on` stops the run.
    pub fn new(names: &Arc<[String]>, effects: &[Effect], abort_on: [bool; 5]) -> ConsensusOracles {
        ConsensusOracles {
            agreement: Agreement::new(names.clone()),
            validity: Validity::new(names.clone()),
            integrity: Integrity::new(names.clone()),
            durability: Durability::new(names.clone(), effects.to_vec()),
            linearizability: Linearizability::new(names.clone(), effects.to_vec()),
            abort_on,
        }
    }

    /// What each oracle says, in the order of [`PROPERTIES`].
    pub fn verdicts(&self) -> [OracleVerdict; 5] {
        [
            self.agreement.verdict(),
            self.validity.verdict(),
            self.integrity.verdict(),
            self.durability.verdict(),
            self.linearizability.verdict(),
        ]
    }

    /// How many times each oracle had something to judge, in the order of [`PROPERTIES`].
    pub fn checked(&self) -> [u64; 5] {
        [
            self.agreement.checked(),
            self.validity.checked(),
            self.integrity.checked(),
            self.durability.checked(),
            self.linearizability.checked(),
        ]
    }

    /// Which properties are violated so far, in the order of [`PROPERTIES`].
    pub fn violated(&self) -> [bool; 5] {
        [
            self.agreement.violated(),
            self.validity.violated(),
            self.integrity.violated(),
            self.durability.violated(),
            self.linearizability.violated(),
        ]
    }
}

impl Judge for ConsensusOracles {
    fn observe(&mut self, said: &Stamped) {
        self.agreement.observe(said);
        self.validity.observe(said);
        self.integrity.observe(said);
        self.durability.observe(said);
        self.linearizability.observe(said);
    }

    fn wants_stop(&self) -> bool {
        self.violated().into_iter().zip(self.abort_on).any(|(violated, abort)| violated && abort)
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{CLIENT, GET, Story, effects, names};
    use super::*;

    const ALL: &[u32] = &[0, 1, 2, 3];

    /// Judges with the given properties aborting.
    fn judged(story: &Story, abort_on: [bool; 5]) -> ConsensusOracles {
        story.judge(ConsensusOracles::new(&names(), &effects(), abort_on))
    }

    /// Request 1 is executed at slot 1 and acknowledged, request 2 reads it.
    fn healthy() -> Story {
        Story::default()
            .put(1)
            .decide(0, 1, 0, 0xa)
            .decide(1, 1, 0, 0xa)
            .execute(ALL, 1, 1, 11)
            .complete(CLIENT, 1, 0)
            .invoke(CLIENT + 1, 2, GET, 5, 0)
            .execute(ALL, 2, 2, 12)
            .complete(CLIENT + 1, 2, 101)
    }

    #[test]
    fn a_healthy_run_holds_and_is_not_vacuous() {
        let oracles = judged(&healthy(), [true; 5]);
        assert_eq!(oracles.verdicts(), [const { OracleVerdict::Held }; 5]);
        assert!(oracles.checked().iter().all(|&checked| checked > 0), "{:?}", oracles.checked());
        assert!(!oracles.wants_stop());
    }

    #[test]
    fn each_planted_bug_is_reported_by_one_oracle() {
        let planted = [
            ("agreement", healthy().decide(2, 1, 1, 0xb)),
            ("validity", healthy().execute(ALL, 3, 9, 13)),
            ("integrity", healthy().execute(ALL, 3, 1, 13)),
            ("durability", healthy().put(3).complete(CLIENT, 3, 0)),
            (
                "linearizability",
                healthy().invoke(CLIENT, 3, GET, 5, 0).execute(ALL, 3, 3, 13).complete(CLIENT, 3, 0),
            ),
        ];
        for (place, (property, story)) in planted.into_iter().enumerate() {
            let oracles = judged(&story, [true; 5]);
            let found: Vec<_> = PROPERTIES
                .iter()
                .zip(oracles.violated())
                .filter(|found| found.1)
                .map(|found| *found.0)
                .collect();
            assert_eq!(found, [property]);
            assert!(oracles.wants_stop(), "{property}");
            let mut others = [true; 5];
            others[place] = false;
            assert!(!judged(&story, others).wants_stop(), "{property}");
        }
    }
}
