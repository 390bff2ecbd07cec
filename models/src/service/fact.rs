//! What the nodes of this model say about themselves, beside the standard facts.

use murphy_sim::Fact;

use super::Cx;

/// Kinds of [`Fact::Own`]; the first value is the service that is called, where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Said {
    /// An attempt is sent; the second value is its number, zero for the first.
    Attempt,
    /// No answer came in time; the second value tells whether it was a connection that did not come.
    Timeout,
    /// A request was refused at its service, or dropped from its queue.
    Shed,
    /// The caller's own policy refused a call; the second value is its layer.
    Refused,
    /// The budget allowed no retry.
    Denied,
    /// A reply came when nobody waited for it any more; the second value tells whether it was good.
    Late,
    /// A call that failed was answered by the fallback; the second value is the level.
    Fallback,
    /// A request's deadline had passed when its turn came.
    Expired,
    /// A breaker opened.
    Opened,
    /// A hedge was sent.
    Hedged,
    /// A call failed for good, and nothing stood in for it.
    GaveUp,
    /// A bulkhead was full; the second value counts the free slots of the caller's other ones.
    Idle,
    /// A user has an answer; the second value is its level.
    Answered,
    /// The work of a request took effect; the second value names the call that it was done for.
    Effect,
    /// A request reached a node on which no instance serves.
    Unserved,
    /// An instance stopped, and gave a request up.
    Dropped,
    /// An instance serves from now on, or no longer; the second value is one or zero.
    Serving,
    /// A caller ejected an instance; the second value is its number.
    Ejected,
    /// The control plane killed an instance that failed its checks.
    Killed,
    /// A new version is on its way; the second value is its number.
    RolledOut,
    /// A new version did badly, and is taken back.
    RolledBack,
    /// A cache had the answer.
    Hit,
    /// A cache did not have it.
    Missed,
    /// A request waited for what another one fetches.
    Coalesced,
    /// An answer from a cache is no longer true.
    Outdated,
    /// An optional call failed, and its request went on without.
    Skipped,
}

impl Said {
    /// All of them, in the order of their numbers.
    #[cfg(test)]
    pub(crate) const ALL: [Said; 26] = [
        Said::Attempt,
        Said::Timeout,
        Said::Shed,
        Said::Refused,
        Said::Denied,
        Said::Late,
        Said::Fallback,
        Said::Expired,
        Said::Opened,
        Said::Hedged,
        Said::GaveUp,
        Said::Idle,
        Said::Answered,
        Said::Effect,
        Said::Unserved,
        Said::Dropped,
        Said::Serving,
        Said::Ejected,
        Said::Killed,
        Said::RolledOut,
        Said::RolledBack,
        Said::Hit,
        Said::Missed,
        Said::Coalesced,
        Said::Outdated,
        Said::Skipped,
    ];

    #[inline]
    pub(crate) fn say(self, cx: &mut Cx<'_>, service: usize, more: u64) {
        cx.fact(Fact::Own { kind: self as u16, a: service as u64, b: more });
    }
}

/// Metric of [`Fact::Sample`]: requests that wait at a replica.
pub(crate) const QUEUE_DEPTH: u16 = 0;
/// Metric of [`Fact::Sample`]: state of a breaker.
pub(crate) const BREAKER_STATE: u16 = 1;
/// Metric of [`Fact::Sample`]: limit of an adaptive bulkhead.
pub(crate) const LIMIT: u16 = 2;
/// Metric of [`Fact::Sample`]: thousandths of an answer that a user got.
pub(crate) const COMPLETENESS: u16 = 3;
/// Metric of [`Fact::Sample`]: age of an answer that is not fresh.
pub(crate) const STALENESS: u16 = 4;
