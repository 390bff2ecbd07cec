//! How a service fails by itself, and what its work leaves behind.

use super::super::diagnostic::Diagnostic;
use super::super::fields::{Count, Fields, Located, Probability, Table};
use super::spec::ConductSpec;

/// One of a service's `errors`.
struct ErrorTable {
    status: u64,
    share: Located<Probability>,
}

impl Table for ErrorTable {
    const WHAT: &'static str = "errors";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> ErrorTable {
        let status: Count<400, 599> = fields.default("status", "HTTP status", "500");
        ErrorTable { status: status.0, share: fields.required("share", "share of the requests") }
    }
}

/// Reads the keys of a service that say how it fails and what it leaves behind.
pub(super) fn conduct(fields: &mut Fields<'_, '_, '_>) -> ConductSpec {
    let about = "work that ends with an error: 5xx anew at each attempt, 4xx alike at all attempts of a call";
    let errors: Vec<ErrorTable> = fields.list("errors", about);
    if let Some(last) = errors.last().filter(|_| errors.iter().map(|e| e.share.value.0).sum::<f64>() > 1.0) {
        let title = "the shares of errors add up to more than everything";
        fields.error(Diagnostic::new(last.share.at, title, "must leave room for the others"));
    }
    let status = |error: &ErrorTable| u16::try_from(error.status).expect("a checked status");
    ConductSpec {
        errors: errors.iter().map(|error| (status(error), error.share.value.0)).collect(),
        retry_after: fields.default("retry_after", "what a refusal asks its caller to wait", "\"0s\""),
        effect: fields.default("effect", "its work takes effect outside, as a charge does", "false"),
        remember: fields.optional(
            "remember",
            "how long a replica remembers its answers to calls whose policy has `idempotency`",
        ),
    }
}
