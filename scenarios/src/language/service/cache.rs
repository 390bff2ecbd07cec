//! A cache in front of a call.

use murphy_sim::Span;

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Fields, Probability, Table};

/// Most entries of a cache.
const MAX_ENTRIES: u64 = 10_000_000;

/// A cache that each replica keeps in front of one of its calls, by key: least recently used leave first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheSpec {
    /// Most entries.
    pub entries: u64,
    /// How long an answer is used.
    pub ttl: Span,
    /// Share of it by which an entry may expire earlier.
    pub jitter: f64,
    /// Whether requests for a key that is being fetched wait for it, rather than fetch it as well.
    pub coalesce: bool,
    /// How old an answer may be that is used because the call failed; `None` for no such use.
    pub stale: Option<Span>,
    /// Keys, from the most asked about on, that are there at the start of the run.
    pub warm: u64,
    /// Time between two changes of what a key stands for; `None` for never.
    pub changes: Option<Span>,
    /// Whether a change takes the entry out.
    pub invalidate: bool,
}

impl Table for CacheSpec {
    const WHAT: &'static str = "cache";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CacheSpec {
        let entries: Count<1, MAX_ENTRIES> =
            fields.default("entries", "most entries; the least recently used leave first", "10000");
        let jitter: Probability =
            fields.default("jitter", "share of the time to live by which entries may expire earlier", "0.0");
        let warm: Count<0, MAX_ENTRIES> =
            fields.default("warm", "keys, from the most asked about on, that are there at the start", "0");
        let spec = CacheSpec {
            entries: entries.0,
            ttl: fields.default("ttl", "how long an answer is used", "\"60s\""),
            jitter: jitter.0,
            coalesce: fields.default("coalesce", "requests wait for a fetch of their key under way", "false"),
            stale: fields.optional("stale", "age of an answer that is used when the call fails"),
            warm: warm.0,
            changes: fields.optional("changes", "time between two changes of what a key stands for"),
            invalidate: fields.default("invalidate", "a change takes the entry out", "false"),
        };
        if spec.changes == Some(Span::ZERO) && fields.good("changes") {
            let title = "nothing changes all the time";
            fields.error(Diagnostic::new(fields.spot("changes"), title, "must be greater than zero"));
        }
        spec
    }
}
