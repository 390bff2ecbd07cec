//! Progress: once nothing changes any more, what is asked is answered in time.

use std::collections::VecDeque;
use std::sync::Arc;

use murphy_sim::{Fact, Judge, NodeId, RequestId, Span, Stamped, Time};

use super::{Finding, Names, OracleVerdict};

/// Judges that every request that arrives after an instant is complete within a bound.
///
/// The instant is that of the last change of the plan: from then on a core of nodes that can work
/// is up and connected, and faults that last to the end of the run leave it alone. Requests from
/// before do not count: a protocol that answers old ones only makes no progress.
#[derive(Clone, Debug)]
pub struct Progress {
    names: Names,
    since: Time,
    bound: Span,
    /// New requests in order of arrival; those that are complete stay until they are first.
    open: VecDeque<(RequestId, NodeId, Time, bool)>,
    /// Longest wait of a request that is complete, and when that was.
    longest: Option<(Time, NodeId, Span)>,
    finding: Finding,
    checked: u64,
}

impl Progress {
    /// An oracle of requests that arrive after `since`; the nodes have these names, in roster order.
    pub fn new(names: Arc<[String]>, since: Time, bound: Span) -> Progress {
        Progress {
            names: Names(names),
            since,
            bound,
            open: VecDeque::new(),
            longest: None,
            finding: Finding::default(),
            checked: 0,
        }
    }

    /// What the facts so far say.
    pub fn verdict(&self) -> OracleVerdict {
        self.finding.verdict()
    }

    /// Whether it is violated.
    pub fn violated(&self) -> bool {
        self.finding.is_some()
    }

    /// How many new requests were complete.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// The longest wait of a new request that is complete: when it ended, whose it was, how long.
    pub fn longest(&self) -> Option<(Time, NodeId, Span)> {
        self.longest
    }

    fn end(&mut self, said: &Stamped, request: RequestId) {
        let Some(open) = self.open.iter_mut().find(|open| open.0 == request) else { return };
        open.3 = true;
        self.checked += 1;
        let wait = said.at - open.2;
        if self.longest.is_none_or(|(_, _, longest)| wait > longest) {
            self.longest = Some((said.at, said.node, wait));
        }
    }

    fn overdue(&mut self, said: &Stamped) {
        while self.open.front().is_some_and(|open| open.3) {
            self.open.pop_front();
        }
        let Some(&(request, client, at, _)) = self.open.front() else { return };
        if said.at > at.saturating_add(self.bound) {
            let (who, bound) = (self.names.of(client), self.bound);
            self.finding.report(said, || {
                format!(
                    "request {} of {who}, which arrived at {at}, was not answered within {bound}",
                    request.0
                )
            });
        }
    }
}

impl Judge for Progress {
    fn observe(&mut self, said: &Stamped) {
        if said.at < self.since || self.violated() {
            return;
        }
        match said.fact {
            Fact::Arrive(request) => self.open.push_back((request.id, said.node, said.at, false)),
            // Whatever the outcome: a client that is down waits for nothing.
            Fact::Complete { request, .. } => self.end(said, request),
            // What waited at a client that crashes is forgotten.
            Fact::Crash => {
                for open in self.open.iter_mut().filter(|open| open.1 == said.node) {
                    open.3 = true;
                }
            }
            _ => {}
        }
        self.overdue(said);
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{CLIENT, Story, check_violated, names};
    use super::*;

    fn judged(story: &Story) -> Progress {
        story.judge(Progress::new(names(), Time(2_500_000), Span::millis(4)))
    }

    #[test]
    fn only_new_requests_count() {
        // Request 1 arrives before the instant and is never answered.
        let story = Story::default().put(1).put(2).complete(CLIENT, 2, 0).put(3).complete(CLIENT, 3, 0);
        let oracle = judged(&story);
        assert_eq!((oracle.verdict(), oracle.checked()), (OracleVerdict::Held, 2));
        assert_eq!(oracle.longest(), Some((Time(5_000_000), NodeId(CLIENT), Span::millis(2))));
    }

    #[test]
    fn a_new_request_that_waits_too_long() {
        let story = Story::default().put(1).put(2).put(3).complete(CLIENT, 3, 0).each(&[0], Fact::Restart);
        check_violated(
            judged(&story).verdict(),
            8,
            "request 2 of c0, which arrived at 3.000ms, was not answered within 4.000ms",
        );
        // Its client may have crashed.
        let crashed = Story::default().put(1).put(2).each(&[CLIENT], Fact::Crash);
        let crashed = crashed.each(&[0, 1, 2, 3], Fact::Restart);
        assert_eq!(judged(&crashed).verdict(), OracleVerdict::Held);
    }
}
