//! Bugs that can be planted in the real implementation, each a deviation that reviewers have missed.

/// A planted bug: the oracles must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// View-changes carry an empty P set.
    ViewChangeDropsP,
    /// P holds what was prepared in the view just left, and nothing older.
    PHoldsPreviousView,
    /// Every quorum is 2f.
    Quorum2f,
    /// Every quorum is 2f + 1, which is too small unless n = 3f + 1.
    Quorum2fPlus1,
    /// Backups take the O set of a new-view without recomputing it.
    NewViewNotVerified,
    /// Entries of P are taken without the votes that prove them.
    PWithoutCertificate,
    /// f + 1 view-changes make a new view.
    FewViewChanges,
    /// A restarted replica remembers nothing.
    Amnesia,
    /// What a damaged block held is taken as never promised.
    IgnoresDamage,
    /// A second pre-prepare for the same view and slot replaces the first.
    TwoPrePrepares,
    /// A replica commits as soon as it has the pre-prepare.
    NoPreparePhase,
    /// f + 1 replicas make a prepared certificate.
    PrepareQuorumFPlus1,
    /// f + 1 commits decide.
    CommitQuorumFPlus1,
    /// Prepares count whatever their digest.
    PrepareIgnoresDigest,
    /// A vote that arrives twice counts twice.
    DuplicateVotes,
    /// Retransmitted requests are executed again.
    NoClientDedup,
    /// Replicas reply when they accept the pre-prepare.
    ReplyBeforeCommit,
    /// Reads are answered by one replica from its own state.
    LocalRead,
    /// A new primary proposes a command that no client issued.
    InventsCommand,
    /// A stable checkpoint is taken as executed by who has not executed it.
    CheckpointBeforeExecution,
    /// A view-change is sent once only.
    ViewChangeSentOnce,
    /// The time-out stays the same from view to view.
    TimeoutNotDoubled,
}

/// Names and bugs, in the order in which they are listed.
const BUGS: [(&str, Bug); 22] = [
    ("view-change-drops-p", Bug::ViewChangeDropsP),
    ("p-holds-previous-view", Bug::PHoldsPreviousView),
    ("quorum-2f", Bug::Quorum2f),
    ("quorum-2f+1", Bug::Quorum2fPlus1),
    ("new-view-not-verified", Bug::NewViewNotVerified),
    ("p-without-certificate", Bug::PWithoutCertificate),
    ("few-view-changes", Bug::FewViewChanges),
    ("amnesia", Bug::Amnesia),
    ("ignores-damage", Bug::IgnoresDamage),
    ("two-pre-prepares", Bug::TwoPrePrepares),
    ("no-prepare-phase", Bug::NoPreparePhase),
    ("prepare-quorum-f+1", Bug::PrepareQuorumFPlus1),
    ("commit-quorum-f+1", Bug::CommitQuorumFPlus1),
    ("prepare-ignores-digest", Bug::PrepareIgnoresDigest),
    ("duplicate-votes", Bug::DuplicateVotes),
    ("no-client-dedup", Bug::NoClientDedup),
    ("reply-before-commit", Bug::ReplyBeforeCommit),
    ("local-read", Bug::LocalRead),
    ("invents-command", Bug::InventsCommand),
    ("checkpoint-before-execution", Bug::CheckpointBeforeExecution),
    ("view-change-sent-once", Bug::ViewChangeSentOnce),
    ("timeout-not-doubled", Bug::TimeoutNotDoubled),
];

impl Bug {
    /// What a scenario may write: `none`, or a name.
    pub const CHOICES: &'static [&'static str] = &{
        let mut names = ["none"; BUGS.len() + 1];
        let mut i = 0;
        while i < BUGS.len() {
            names[i + 1] = BUGS[i].0;
            i += 1;
        }
        names
    };

    /// The bug with this name.
    pub fn from_name(name: &str) -> Option<Bug> {
        BUGS.iter().find(|(known, _)| *known == name).map(|(_, bug)| *bug)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUGS.iter().map(|(name, _)| *name)
    }

    /// The name that a scenario gives.
    pub fn name(self) -> &'static str {
        BUGS.iter().find(|(_, bug)| *bug == self).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bugs_are_one_to_one() {
        let mut names: Vec<_> = Bug::names().collect();
        for name in &names {
            assert_eq!(Bug::from_name(name).map(Bug::name), Some(*name));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BUGS.len());
        assert_eq!(Bug::from_name("quorum"), None);
    }
}
