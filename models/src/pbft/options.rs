//! How replicas run, and how many make a quorum.

use murphy_sim::Span;

use super::bug::Bug;
use crate::consensus::Group;

/// How replicas run, the same for all of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// First time-out of a backup that waits for a request; it doubles from view to view.
    pub view_timeout: Span,
    /// K: slots between two checkpoints.
    pub checkpoint_every: u64,
    /// L: slots between low and high watermark; 2K by default.
    pub window: u64,
    /// Most commands in a batch.
    pub batch_max: usize,
    /// Batches that the primary has on their way; while so many are, requests wait and go together.
    pub pipeline: u64,
    /// Time between two looks at whether something is missing.
    pub status_interval: Span,
    /// Whether blocks on the disk have sums.
    pub checksums: bool,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            view_timeout: Span::millis(500),
            checkpoint_every: 128,
            window: 256,
            batch_max: 64,
            pipeline: 16,
            status_interval: Span::millis(100),
            checksums: true,
            bug: None,
        }
    }
}

/// How many of each make enough. All follow from the quorum, unless a bug is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quorums {
    /// Prepares of backups that, with the pre-prepare, make a batch prepared.
    pub(super) prepares: usize,
    /// Commits, own included.
    pub(super) commits: usize,
    /// Checkpoints and view-changes, own included.
    pub(super) checkpoints: usize,
    pub(super) view_changes: usize,
}

impl Quorums {
    pub(super) fn new(group: &Group, bug: Option<Bug>) -> Quorums {
        let quorum = match bug {
            Some(Bug::Quorum2f) => (2 * group.f()).max(1),
            Some(Bug::Quorum2fPlus1) => 2 * group.f() + 1,
            _ => group.quorum(),
        };
        let few = group.f() + 1;
        let mut quorums = Quorums {
            // Castro & Liskov 1999, section 4.2: 2f prepares of different backups.
            prepares: quorum - 1,
            commits: quorum,
            checkpoints: quorum,
            view_changes: quorum,
        };
        match bug {
            Some(Bug::PrepareQuorumFPlus1) => quorums.prepares = few - 1,
            Some(Bug::CommitQuorumFPlus1) => quorums.commits = few,
            Some(Bug::FewViewChanges) => quorums.view_changes = few,
            _ => {}
        }
        quorums
    }
}
