//! Bugs that can be planted in the real implementation, each a deviation that implementations have had.

/// A planted bug: the oracles must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// Candidates and leaders count themselves twice.
    SelfCountedTwice,
    /// Votes are granted to candidates whose log is behind.
    VoteWithoutLogCheck,
    /// A restarted replica has forgotten its term.
    TermNotPersisted,
    /// Replicas acknowledge entries, and leaders count them, before they are on the disk.
    AckBeforeSync,
    /// A follower keeps an entry that conflicts with its leader's.
    KeepLogOnConflict,
    /// ⌈n/2⌉ replicas make a quorum, which is no majority when n is even.
    HalfQuorum,
    /// A follower drops all that follows what its leader sends, even if nothing conflicts.
    TruncateOnAppend,
    /// A candidate's log is as good as any with the same last term.
    VoteLastTermOnly,
    /// A restarted replica has forgotten for whom it voted.
    VoteNotPersisted,
    /// A leader commits entries of earlier terms by counting replicas.
    CommitPreviousTerm,
    /// A leader answers reads without asking whether it still leads.
    LocalRead,
    /// A leader changes the members before it has committed an entry of its own term.
    MembersBeforeCommit,
    /// A follower commits what its leader has, even beyond what it knows to be the same.
    CommitBeyondNew,
    /// A lease lasts as long as the followers' promise, whatever the clocks do.
    LeaseIgnoresDrift,
    /// A leader that a majority no longer answers goes on.
    NoCheckQuorum,
}

/// Names and bugs, in the order in which they are listed.
const BUGS: [(&str, Bug); 15] = [
    ("self-counted-twice", Bug::SelfCountedTwice),
    ("vote-without-log-check", Bug::VoteWithoutLogCheck),
    ("term-not-persisted", Bug::TermNotPersisted),
    ("ack-before-sync", Bug::AckBeforeSync),
    ("keep-log-on-conflict", Bug::KeepLogOnConflict),
    ("half-quorum", Bug::HalfQuorum),
    ("truncate-on-append", Bug::TruncateOnAppend),
    ("vote-last-term-only", Bug::VoteLastTermOnly),
    ("vote-not-persisted", Bug::VoteNotPersisted),
    ("commit-previous-term", Bug::CommitPreviousTerm),
    ("local-read", Bug::LocalRead),
    ("members-before-commit", Bug::MembersBeforeCommit),
    ("commit-beyond-new", Bug::CommitBeyondNew),
    ("lease-ignores-drift", Bug::LeaseIgnoresDrift),
    ("no-check-quorum", Bug::NoCheckQuorum),
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
}
