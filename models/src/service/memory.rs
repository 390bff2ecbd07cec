//! What a replica remembers of the calls that name themselves, so that a retry is not done twice.
//!
//! The memory is the replica's own: an attempt at another replica is new there, and a crash forgets.

use std::collections::{BTreeMap, VecDeque};

use murphy_sim::{Span, Time};

use super::message::Answer;
use super::queue::Waiting;

/// What is known of a call.
#[derive(Clone, Debug)]
enum Known {
    /// It is worked on; these attempts wait for the end as well.
    Working(Vec<Waiting>),
    /// It was answered.
    Answered(Answer),
}

/// What a replica knows of an attempt that arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    /// Nothing: it is the first.
    Never,
    /// Another attempt of the same call is in work; this one is answered together with it.
    InWork,
    /// The answer to the call.
    Before(Answer),
}

/// The calls that a replica remembers.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    keep: Span,
    calls: BTreeMap<u64, Known>,
    /// When which call was answered, in order.
    order: VecDeque<(Time, u64)>,
}

impl Memory {
    /// An empty memory that keeps answers so long.
    pub(crate) fn new(keep: Span) -> Memory {
        Memory { keep, calls: BTreeMap::new(), order: VecDeque::new() }
    }

    /// An attempt arrives.
    pub(crate) fn arrives(&mut self, now: Time, request: Waiting) -> Seen {
        while let Some(&(then, call)) = self.order.front()
            && now.since(then) > self.keep
        {
            self.order.pop_front();
            self.calls.remove(&call);
        }
        match self.calls.get_mut(&request.ask.id) {
            None => {
                self.calls.insert(request.ask.id, Known::Working(Vec::new()));
                Seen::Never
            }
            Some(Known::Working(others)) => {
                others.push(request);
                Seen::InWork
            }
            Some(Known::Answered(answer)) => Seen::Before(*answer),
        }
    }

    /// The attempt in work ended, with an answer to remember or without: who else waits for it.
    pub(crate) fn ends(&mut self, now: Time, call: u64, answer: Option<Answer>) -> Vec<Waiting> {
        let known = match answer {
            Some(answer) => {
                self.order.push_back((now, call));
                self.calls.insert(call, Known::Answered(answer))
            }
            None => self.calls.remove(&call),
        };
        match known {
            Some(Known::Working(others)) => others,
            _ => Vec::new(),
        }
    }
}
