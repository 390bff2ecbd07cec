//! What became of the requests: good, bad by class, or not known because the run ended.

use serde::{Deserialize, Serialize};

use crate::latency::Latency;
use crate::record::{Outcome, Request, RunRecord};
use crate::windows::{WindowSet, ended_ns};

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestClass {
    /// The correct reply came within the deadline, counted from arrival (a reply at the deadline is in time).
    Good,
    /// The correct reply came after the deadline.
    Late,
    /// The client gave up waiting.
    Timeout,
    /// The system refused.
    Rejected,
    /// The system answered with an error.
    Failed,
    /// The answer was wrong.
    Wrong,
    /// The client itself was down.
    ClientDown,
    /// Unresolved at the end of the run, with its deadline passed: bad.
    Unresolved,
    /// Unresolved at the end of the run, with time left: neither good nor bad, so it is left out.
    Censored,
}

impl RequestClass {
    /// The classes that count as bad, in the order of [`RequestCounts`].
    pub const BAD: [Self; 7] = [
        Self::Late,
        Self::Timeout,
        Self::Rejected,
        Self::Failed,
        Self::Wrong,
        Self::ClientDown,
        Self::Unresolved,
    ];

    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Late => "late",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Wrong => "wrong",
            Self::ClientDown => "client-down",
            Self::Unresolved => "unresolved",
            Self::Censored => "censored",
        }
    }
}

/// Which requests a measure looks at; `None` takes all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestFilter<'a> {
    /// Name of the workload.
    pub workload: Option<&'a str>,
    /// Name of the operation.
    pub op: Option<&'a str>,
}

impl RequestFilter<'_> {
    /// Whether a request of this run passes.
    pub fn takes(&self, run: &RunRecord, request: &Request) -> bool {
        let workload = &run.workloads[usize::from(request.workload)];
        self.workload.is_none_or(|name| workload.name == name)
            && self
                .op
                .is_none_or(|name| workload.ops.get(usize::from(request.op)).is_some_and(|op| op == name))
    }
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// See [`RequestClass::Good`].
    pub good: u64,
    /// See [`RequestClass::Late`].
    pub late: u64,
    /// See [`RequestClass::Timeout`].
    pub timeout: u64,
    /// See [`RequestClass::Rejected`].
    pub rejected: u64,
    /// See [`RequestClass::Failed`].
    pub failed: u64,
    /// See [`RequestClass::Wrong`].
    pub wrong: u64,
    /// See [`RequestClass::ClientDown`].
    pub client_down: u64,
    /// See [`RequestClass::Unresolved`].
    pub unresolved: u64,
    /// See [`RequestClass::Censored`].
    pub censored: u64,
}

impl RequestCounts {
    /// Counts the requests that arrived within the windows.
    pub fn of(run: &RunRecord, windows: &WindowSet, filter: RequestFilter<'_>) -> Self {
        let mut counts = Self::default();
        for request in arrived_in(run, windows).filter(|request| filter.takes(run, request)) {
            counts.add(classify(run, request));
        }
        counts
    }

    /// Adds one request.
    pub fn add(&mut self, class: RequestClass) {
        *self.slot(class) += 1;
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.good += other.good;
        self.censored += other.censored;
        for class in RequestClass::BAD {
            *self.slot(class) += other.get(class);
        }
    }

    /// How many fell into a class.
    pub fn get(&self, class: RequestClass) -> u64 {
        let mut copy = *self;
        *copy.slot(class)
    }

    /// Requests that ended badly.
    pub fn bad(&self) -> u64 {
        RequestClass::BAD.iter().map(|&class| self.get(class)).sum()
    }

    /// Requests with a known end: good and bad.
    pub fn resolved(&self) -> u64 {
        self.good + self.bad()
    }

    /// All requests that arrived, the censored ones included.
    pub fn offered(&self) -> u64 {
        self.resolved() + self.censored
    }

    /// Share of resolved requests that were good, in `0.0..=1.0`; `None` without a resolved request.
    pub fn availability(&self) -> Option<f64> {
        let resolved = self.resolved();
        (resolved > 0).then(|| self.good as f64 / resolved as f64)
    }

    fn slot(&mut self, class: RequestClass) -> &mut u64 {
        match class {
            RequestClass::Good => &mut self.good,
            RequestClass::Late => &mut self.late,
            RequestClass::Timeout => &mut self.timeout,
            RequestClass::Rejected => &mut self.rejected,
            RequestClass::Failed => &mut self.failed,
            RequestClass::Wrong => &mut self.wrong,
            RequestClass::ClientDown => &mut self.client_down,
            RequestClass::Unresolved => &mut self.unresolved,
            RequestClass::Censored => &mut self.censored,
        }
    }
}

/// What became of one request of a run (or one probe: the same rule).
///
/// # Panics
/// If the request points at a workload that the run does not have.
pub fn classify(run: &RunRecord, request: &Request) -> RequestClass {
    let deadline =
        request.arrived_ns.saturating_add(run.workloads[usize::from(request.workload)].deadline_ns);
    match (request.outcome, request.done_ns) {
        (Outcome::Ok, Some(done)) if done <= deadline => RequestClass::Good,
        (Outcome::Ok, Some(_)) => RequestClass::Late,
        (Outcome::Timeout, _) => RequestClass::Timeout,
        (Outcome::Rejected, _) => RequestClass::Rejected,
        (Outcome::Failed, _) => RequestClass::Failed,
        (Outcome::Wrong, _) => RequestClass::Wrong,
        (Outcome::ClientDown, _) => RequestClass::ClientDown,
        // A reply may still come in time when the deadline is the very end of the run.
        (Outcome::Pending, _) | (Outcome::Ok, None) if deadline < ended_ns(run) => RequestClass::Unresolved,
        (Outcome::Pending, _) | (Outcome::Ok, None) => RequestClass::Censored,
    }
}

/// Requests that arrived within the windows, in order of arrival.
pub fn arrived_in<'a>(run: &'a RunRecord, windows: &'a WindowSet) -> impl Iterator<Item = &'a Request> {
    windows.as_slice().iter().flat_map(|&(start, end)| {
        let first = run.requests.partition_point(|request| request.arrived_ns < start);
        run.requests[first..].iter().take_while(move |request| request.arrived_ns < end)
    })
}

/// Latencies of the requests that arrived within the windows and got a correct reply, late ones included.
///
/// Latency counts from arrival. A request without a correct reply has none.
pub fn latency(run: &RunRecord, windows: &WindowSet, filter: RequestFilter<'_>) -> Latency {
    let replied = arrived_in(run, windows).filter(|request| filter.takes(run, request));
    Latency::of(replied.filter_map(latency_ns))
}

/// Time from arrival to the correct reply, if one came.
pub fn latency_ns(request: &Request) -> Option<u64> {
    let done = request.done_ns.filter(|_| request.outcome == Outcome::Ok)?;
    Some(done.saturating_sub(request.arrived_ns))
}
