//! What nodes send to each other.

use std::sync::Arc;

use murphy_sim::{Message, Time, fold};

use super::Cell;
use crate::replication::Call;
use crate::replication::ranges::Ranges;

/// Some keys with what they hold.
pub(super) type Cells = Arc<[(u64, Arc<Cell>)]>;

/// A message.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LeadersMessage {
    Call(Call),
    /// Cells that changed, the first of them then; for the measure of lag alone.
    Merge {
        cells: Cells,
        since: Time,
    },
    /// Digests of all ranges: compare.
    Compare {
        digests: Arc<Ranges>,
    },
    /// Cells of the ranges that differ; those of the recipient are wanted back.
    Differ {
        ranges: u64,
        cells: Cells,
        back: bool,
    },
}

impl From<Call> for LeadersMessage {
    fn from(call: Call) -> LeadersMessage {
        LeadersMessage::Call(call)
    }
}

impl Message for LeadersMessage {
    const KINDS: &'static [&'static str] = &["ask", "answer", "refuse", "merge", "compare", "differ"];

    fn kind(&self) -> usize {
        match self {
            LeadersMessage::Call(call) => call.kind(),
            LeadersMessage::Merge { .. } => 3,
            LeadersMessage::Compare { .. } => 4,
            LeadersMessage::Differ { .. } => 5,
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            LeadersMessage::Call(call) => call.bytes(),
            LeadersMessage::Compare { .. } => Ranges::BYTES,
            LeadersMessage::Merge { cells, .. } | LeadersMessage::Differ { cells, .. } => {
                100 + 1000 * u32::try_from(cells.len()).unwrap_or(1 << 20).min(1 << 20)
            }
        }
    }

    fn digest(&self) -> u64 {
        let content = match self {
            LeadersMessage::Call(call) => call.digest(),
            LeadersMessage::Compare { digests } => digests.digest(),
            LeadersMessage::Merge { cells, .. } | LeadersMessage::Differ { cells, .. } => {
                cells.iter().fold(0, |sum, (key, cell)| fold(fold(sum, *key), cell.digest()))
            }
        };
        fold(self.kind() as u64, content)
    }
}
