use proptest::prelude::*;

use super::super::story::{CLIENT, GET, PUT, Story, check_violated, effects, names};
use super::*;

const C0: u32 = CLIENT;
const C1: u32 = CLIENT + 1;

fn oracle() -> Linearizability {
    Linearizability::new(names(), effects())
}

fn judged(story: &Story) -> Linearizability {
    story.judge(oracle())
}

fn get(story: Story, client: u32, id: u32, value: u64) -> Story {
    story.invoke(client, id, GET, 5, 0).complete(client, id, value)
}

fn put(story: Story, client: u32, id: u32, value: u64) -> Story {
    story.invoke(client, id, PUT, 5, value).complete(client, id, 0)
}

fn ended(story: Story, client: u32, id: u32, outcome: Outcome) -> Story {
    story.say(client, Fact::Complete { request: RequestId(id), outcome, value: 0 })
}

#[test]
fn one_store_behind_concurrent_clients() {
    // Absent at first; a read beside a write returns the old or the new value; other keys do not matter.
    let story = get(Story::default(), C0, 0, 0).invoke(C0, 1, PUT, 5, 7);
    let story = get(get(story, C1, 2, 0), C1, 3, 7).complete(C0, 1, 0);
    let story = get(get(story, C1, 4, 7).invoke(C0, 5, GET, 6, 0).complete(C0, 5, 0), C1, 6, 7);
    let oracle = judged(&story);
    assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 7));
}

#[test]
fn a_stale_read() {
    let story = put(put(Story::default(), C0, 0, 7), C0, 1, 9);
    check_violated(
        judged(&get(story, C1, 2, 7)).verdict(),
        9,
        "no order of the operations on key 5 explains that c1 read 0x7 (request 2, 8.000ms to 9.000ms) \
         when c0 wrote 0x7 (request 0, 2.000ms to 3.000ms) and c0 wrote 0x9 (request 1, 5.000ms to 6.000ms)",
    );
    check_violated(
        judged(&get(put(Story::default(), C0, 0, 7), C1, 1, 0)).verdict(),
        6,
        "no order of the operations on key 5 explains that c1 read nothing (request 1, 5.000ms to 6.000ms) \
         when c0 wrote 0x7 (request 0, 2.000ms to 3.000ms)",
    );
}

#[test]
fn a_write_without_a_reply_may_take_effect_late_but_once() {
    for outcome in [Outcome::Timeout, Outcome::Rejected, Outcome::Failed, Outcome::Wrong, Outcome::ClientDown]
    {
        let story = ended(Story::default().invoke(C0, 0, PUT, 5, 7), C0, 0, outcome);
        let late = get(put(get(story, C1, 1, 0), C1, 2, 9), C1, 3, 7);
        assert_eq!(judged(&late).verdict(), OracleVerdict::Held, "{outcome:?}");
        check_violated(
            judged(&get(late, C1, 4, 9)).verdict(),
            15,
            "no order of the operations on key 5 explains that c1 read 0x9 (request 4, 14.000ms to 15.000ms) \
             when c1 wrote 0x9 (request 2, 8.000ms to 9.000ms) and c1 read 0x7 (request 3, 11.000ms to 12.000ms)",
        );
    }
}

#[test]
fn a_read_without_a_reply_says_nothing() {
    let story = put(Story::default(), C0, 0, 7).invoke(C1, 1, GET, 5, 0);
    assert_eq!(judged(&ended(story, C1, 1, Outcome::Timeout)).verdict(), OracleVerdict::Held);
}

#[test]
fn a_value_from_nowhere_or_from_the_future() {
    check_violated(
        judged(&get(Story::default(), C1, 0, 7)).verdict(),
        3,
        "c1 read 0x7 (request 0, 2.000ms to 3.000ms) at key 5, which nobody had written",
    );
    let operation = murphy_sim::Operation { kind: PUT, key: 5, value: 7 };
    let arrival = Fact::Arrive(Request { id: RequestId(0), workload: 0, probe: false, operation });
    let queued = get(Story::default().say(C0, arrival), C1, 1, 7);
    assert_eq!(judged(&queued).verdict(), OracleVerdict::Held);
    check_violated(
        judged(&queued.say(C0, Fact::Invoke { request: RequestId(0) })).verdict(),
        5,
        "c1 read 0x7 (request 1, 3.000ms to 4.000ms) before c0 invoked request 0, which writes 0x7",
    );
}

#[test]
fn a_client_that_is_not_correct_may_have_written_anything() {
    let operation = murphy_sim::Operation { kind: PUT, key: 5, value: 7 };
    let arrival = Fact::Arrive(Request { id: RequestId(0), workload: 0, probe: false, operation });
    let story = Story::default().lie(C0, arrival);
    assert_eq!(judged(&get(story.clone(), C1, 1, 7)).verdict(), OracleVerdict::Held);
    assert_eq!(
        judged(&get(story, C1, 1, 8)).verdict(),
        OracleVerdict::Unknown {
            message:
                "c1 read 0x8 (request 1, 3.000ms to 4.000ms) at key 5, which no correct client had written"
                    .into()
        }
    );
}

#[test]
fn a_value_written_twice_is_searched_for_an_order() {
    let story = put(put(put(Story::default(), C0, 0, 7), C0, 1, 9), C0, 2, 7);
    let held = get(story, C1, 3, 7);
    assert_eq!(judged(&held).verdict(), OracleVerdict::Held);
    check_violated(
        judged(&get(get(held, C1, 4, 9), C1, 5, 7)).verdict(),
        15,
        "no order of the operations on key 5 explains the first 5 that completed",
    );
}

#[test]
fn the_search_gives_up_within_its_budget() {
    // Many concurrent writes of one value, and a read of a value that only one of them could leave.
    let mut history: Vec<Operation> = (0..24)
        .map(|index| Operation {
            call: index + 1,
            complete: Some(100 + index),
            write: true,
            value: index % 12,
        })
        .collect();
    history.push(Operation { call: 200, complete: Some(201), write: false, value: 99 });
    assert_eq!(search(&history, 10_000), Answer::GaveUp);
    history.pop();
    assert_eq!(search(&history, 10_000), Answer::Linearizable);
}

/// One operation of a random history, and the facts that tell it.
#[derive(Clone, Debug, Default)]
struct Random {
    operations: Vec<Operation>,
    facts: Vec<(u32, Fact)>,
}

impl Random {
    fn call(&mut self, client: u32, write: bool, value: u64) -> usize {
        let id = self.operations.len();
        let kind = if write { PUT } else { GET };
        let request = RequestId(u32::try_from(id).unwrap());
        let operation = murphy_sim::Operation { kind, key: 5, value: if write { value } else { 0 } };
        self.facts
            .push((client, Fact::Arrive(Request { id: request, workload: 0, probe: false, operation })));
        self.facts.push((client, Fact::Invoke { request }));
        let call = self.facts.len() as u64;
        self.operations.push(Operation { call, complete: None, write, value });
        id
    }

    fn complete(&mut self, client: u32, id: usize, outcome: Outcome, value: u64) {
        let request = RequestId(u32::try_from(id).unwrap());
        self.facts.push((client, Fact::Complete { request, outcome, value }));
        if outcome == Outcome::Ok {
            self.operations[id].complete = Some(self.facts.len() as u64);
            if !self.operations[id].write {
                self.operations[id].value = value;
            }
        }
    }

    fn story(&self) -> Story {
        self.facts.iter().fold(Story::default(), |story, &(client, fact)| story.say(client, fact))
    }

    /// The operations as known after `until` facts, without pending reads.
    fn prefix(&self, until: u64) -> Vec<Operation> {
        let mut known: Vec<_> = self.operations.iter().filter(|o| o.call <= until).copied().collect();
        for operation in &mut known {
            operation.complete = operation.complete.filter(|&complete| complete <= until);
        }
        known.retain(|operation| operation.write || operation.complete.is_some());
        known
    }

    /// Number of facts after which no order exists any more, by asking `check` about every prefix.
    fn first_violation(&self, check: impl Fn(&[Operation]) -> bool) -> Option<u64> {
        (1..=self.facts.len() as u64).find(|&until| !check(&self.prefix(until)))
    }
}

fn searched(history: &[Operation]) -> bool {
    match search(history, 1 << 20) {
        Answer::Linearizable => true,
        Answer::Not => false,
        Answer::GaveUp => panic!("a small history is searched to the end"),
    }
}

/// Tries every sequence of operations, as the definition says.
fn permuted(history: &[Operation]) -> bool {
    fn try_all(history: &[Operation], sequence: &mut Vec<usize>) -> bool {
        if explains(history, sequence) {
            return true;
        }
        for next in 0..history.len() {
            if !sequence.contains(&next) {
                sequence.push(next);
                if try_all(history, sequence) {
                    return true;
                }
                sequence.pop();
            }
        }
        false
    }
    fn explains(history: &[Operation], sequence: &[usize]) -> bool {
        let all = (0..history.len()).all(|o| history[o].complete.is_none() || sequence.contains(&o));
        let real_time = sequence.iter().enumerate().all(|(place, &later)| {
            let mut after = sequence[place..].iter();
            after.all(|&o| history[o].complete.is_none_or(|complete| complete >= history[later].call))
        });
        let mut value = 0;
        let register = sequence.iter().all(|&o| {
            let fits = history[o].write || history[o].value == value;
            value = history[o].value;
            fits
        });
        all && real_time && register
    }
    try_all(history, &mut Vec::new())
}

/// Histories in which reads return any value that was written; `values` = 0 means that all writes differ.
fn wild(length: usize, values: u64) -> impl Strategy<Value = Random> {
    prop::collection::vec((0..3_usize, any::<bool>(), any::<u8>(), 0..8_u8), 1..=2 * length).prop_map(
        move |steps| {
            let mut random = Random::default();
            let mut busy = [None; 3];
            for (client, write, pick, fate) in steps {
                let node = u32::try_from(client).unwrap() % 2 + CLIENT;
                if let Some(id) = busy[client].take() {
                    let mut readable = vec![0];
                    readable.extend(random.operations.iter().filter(|o| o.write).map(|o| o.value));
                    let value = readable[usize::from(pick) % readable.len()];
                    let outcome = if fate == 0 { Outcome::Timeout } else { Outcome::Ok };
                    random.complete(node, id, outcome, value);
                } else if random.operations.len() < length {
                    let next = random.operations.len() as u64 + 1;
                    let value = if values == 0 { next } else { u64::from(pick) % values };
                    busy[client] = Some(random.call(node, write, value));
                }
            }
            random
        },
    )
}

/// Histories of a real register, in which `wrong` reads in a hundred return another value.
fn nearly_right(length: usize, wrong: u8) -> impl Strategy<Value = Random> {
    let step = (0..4_usize, any::<bool>(), 0..100_u8, any::<u8>());
    prop::collection::vec(step, 1..=3 * length).prop_map(move |steps| {
        let mut random = Random::default();
        let mut clients = [const { None::<(usize, Option<u64>)> }; 4];
        let mut value = 0;
        for (client, write, fate, pick) in steps {
            let node = u32::try_from(client).unwrap() % 2 + CLIENT;
            clients[client] = match clients[client] {
                None => {
                    let next = random.operations.len() as u64 + 1;
                    Some((random.call(node, write, next), None))
                }
                Some((id, None)) => {
                    if random.operations[id].write {
                        value = random.operations[id].value;
                    }
                    Some((id, Some(value)))
                }
                Some((id, Some(mut seen))) => {
                    if fate < wrong {
                        let writes: Vec<_> = random.operations.iter().filter(|o| o.write).collect();
                        seen = writes.get(usize::from(pick) % (writes.len() + 1)).map_or(0, |o| o.value);
                    }
                    let outcome = if fate >= 95 { Outcome::Timeout } else { Outcome::Ok };
                    random.complete(node, id, outcome, seen);
                    None
                }
            };
        }
        random
    })
}

/// Number of the fact at which the zones found a violation.
fn online(random: &Random) -> Option<u64> {
    match judged(&random.story()).verdict() {
        OracleVerdict::Held => None,
        OracleVerdict::Violated { event, .. } => Some(event),
        OracleVerdict::Unknown { message } => panic!("{message}"),
    }
}

/// The same, by search as for a value that was written twice.
fn by_search(random: &Random) -> Option<u64> {
    let mut oracle = oracle();
    let mut register = Register::new(5);
    register.ambiguous = true;
    oracle.registers.push(register);
    oracle.by_key.insert(5, 0);
    oracle.ambiguous = true;
    match random.story().judge(oracle).verdict() {
        OracleVerdict::Held => None,
        OracleVerdict::Violated { event, .. } => Some(event),
        OracleVerdict::Unknown { message } => panic!("{message}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn zones_search_and_permutations_agree(random in wild(6, 0)) {
        let expected = random.first_violation(permuted);
        prop_assert_eq!(random.first_violation(searched), expected);
        prop_assert_eq!(online(&random), expected);
    }

    #[test]
    fn search_and_permutations_agree_on_repeated_values(random in wild(6, 3)) {
        prop_assert_eq!(random.first_violation(searched), random.first_violation(permuted));
    }

    #[test]
    fn zones_and_search_agree_on_long_histories(random in nearly_right(40, 4)) {
        let expected = random.first_violation(searched);
        prop_assert_eq!(online(&random), expected);
        prop_assert_eq!(by_search(&random), expected);
    }

    #[test]
    fn a_real_register_is_linearizable(random in nearly_right(200, 0)) {
        prop_assert_eq!(online(&random), None);
    }
}
