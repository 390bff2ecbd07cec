//! The smallest plans that break each planted bug, as far as they are known by hand.

use std::sync::atomic::AtomicBool;

use murphy_scenarios::hunt::{Hunt, Strategy};

use crate::fixture::{models, study, text};

/// Two and two: either half is as large as a quorum of 2f, and one replica more than f.
const HALVES: &str = "[[fault]]\nname = \"halves\"\nkind = \"partition\"\nat = \"1s\"\nfor = \"4s\"\n\
    groups = [[\"r0\", \"r3\", \"client0\"], [\"r1\", \"r2\", \"client1\", \"client2\"]]\n";
/// The primary is gone for a while.
const ALONE: &str =
    "[[fault]]\nname = \"alone\"\nkind = \"partition\"\nat = \"1s\"\nfor = \"4s\"\nisolate = \"r0\"\n";
/// The primary tells two stories.
const STORIES: &str = "[[fault]]\nname = \"stories\"\nkind = \"byzantine\"\nat = \"1s\"\nfor = \"4s\"\n\
    target = \"r0\"\nattack = \"equivocate\"\n";
/// A quarter of all messages is lost: clients ask again.
const LOSS: &str =
    "[[fault]]\nname = \"loss\"\nkind = \"loss\"\nat = \"1s\"\nfor = \"4s\"\nprobability = 0.3\n";
/// One replica misses everything for a while.
const BEHIND: &str =
    "[[fault]]\nname = \"behind\"\nkind = \"partition\"\nat = \"1s\"\nfor = \"3s\"\nisolate = \"r3\"\n";

/// Bug and plan; an empty plan where none is known.
pub(crate) const HAND: [(&str, &str); 12] = [
    ("quorum-2f", HALVES),
    ("view-change-drops-p", ""),
    ("two-pre-prepares", ""),
    ("no-prepare-phase", STORIES),
    ("prepare-quorum-f+1", STORIES),
    ("prepare-ignores-digest", STORIES),
    ("invents-command", ALONE),
    ("local-read", BEHIND),
    ("no-client-dedup", LOSS),
    ("checkpoint-before-execution", BEHIND),
    ("amnesia", ""),
    ("duplicate-votes", ""),
];

/// Whether a plan breaks a bug, with one of sixteen seeds.
pub(crate) fn breaks(bug: &str, plan: &str) -> bool {
    let models = models();
    let text = text(bug) + plan;
    let study = study(&text, &models);
    let mut hunt = Hunt::new(&study, Strategy::Own, "table");
    hunt.step(16, &AtomicBool::new(false));
    hunt.findings().count() > 0
}
