//! Facts written by hand, for the oracles' tests.

use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, Operation, Outcome, Request, RequestId, Stamped, Time};

use murphy_scenarios::Effect;

use super::OracleVerdict;

/// The first client; the replicas `r0` to `r3` come before it.
pub(super) const CLIENT: u32 = 4;
pub(super) const PUT: u16 = 0;
pub(super) const GET: u16 = 1;

/// What `PUT` and `GET` do.
pub(super) fn effects() -> Vec<Effect> {
    vec![Effect::Write, Effect::Read]
}

/// `r0` to `r3`, `c0` and `c1`.
pub(super) fn names() -> Arc<[String]> {
    ["r0", "r1", "r2", "r3", "c0", "c1"].map(String::from).into()
}

/// Facts in order, one event and one millisecond each.
#[derive(Clone, Default)]
pub(super) struct Story {
    facts: Vec<Stamped>,
}

impl Story {
    pub(super) fn say(mut self, node: u32, fact: Fact) -> Story {
        self.push(node, true, fact);
        self
    }

    pub(super) fn lie(mut self, node: u32, fact: Fact) -> Story {
        self.push(node, false, fact);
        self
    }

    fn push(&mut self, node: u32, correct: bool, fact: Fact) {
        let event = self.facts.len() as u64 + 1;
        self.facts.push(Stamped { at: Time(event * 1_000_000), event, node: NodeId(node), correct, fact });
    }

    /// A request arrives at its client, which invokes it.
    pub(super) fn invoke(self, client: u32, id: u32, kind: u16, key: u64, value: u64) -> Story {
        let request = RequestId(id);
        let operation = Operation { kind, key, value };
        self.say(client, Fact::Arrive(Request { id: request, workload: 0, probe: false, operation }))
            .say(client, Fact::Invoke { request })
    }

    pub(super) fn put(self, id: u32) -> Story {
        self.invoke(CLIENT, id, PUT, 5, 100 + u64::from(id))
    }

    pub(super) fn complete(self, client: u32, id: u32, value: u64) -> Story {
        self.say(client, Fact::Complete { request: RequestId(id), outcome: Outcome::Ok, value })
    }

    /// Each of the replicas executes the request.
    pub(super) fn execute(mut self, replicas: &[u32], slot: u64, id: u32, state: u64) -> Story {
        for &replica in replicas {
            self = self.say(replica, Fact::Execute { slot, request: RequestId(id), state });
        }
        self
    }

    pub(super) fn decide(self, replica: u32, slot: u64, view: u64, digest: u64) -> Story {
        self.say(replica, Fact::Decide { slot, view, digest })
    }

    pub(super) fn each(mut self, replicas: &[u32], fact: Fact) -> Story {
        for &replica in replicas {
            self = self.say(replica, fact);
        }
        self
    }

    pub(super) fn judge<J: Judge>(&self, mut judge: J) -> J {
        for said in &self.facts {
            judge.observe(said);
        }
        judge
    }
}

/// Asserts that the verdict is a violation at this event with this text.
#[track_caller]
pub(super) fn check_violated(verdict: OracleVerdict, expected_event: u64, expected: &str) {
    match verdict {
        OracleVerdict::Violated { event, at, message } => {
            assert_eq!(message, expected);
            assert_eq!(event, expected_event);
            assert_eq!(at, Time(event * 1_000_000));
        }
        other => panic!("expected a violation, found {other:?}"),
    }
}
