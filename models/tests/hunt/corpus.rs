//! The regression corpus: every repro file still shows the planted bug that it was made for.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use murphy_scenarios::hunt::{Replay, Repro, verify_repro};

use crate::fixture::models;
use crate::known::{HAND, breaks};

#[test]
fn every_repro_file_of_the_corpus_does_what_it_says() {
    let models = models();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let mut bugs: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let name = path.display().to_string();
        let repro = Repro::open(&text, &name, &models).unwrap_or_else(|wrong| panic!("{wrong}"));
        let bug = repro.scenario().nodes[0].params.choice("bug").to_owned();
        let replay = verify_repro(&repro, "another build", true, &AtomicBool::new(false));
        assert!(
            matches!(replay, Some(Replay::Reproduced { .. })),
            "{name}: {replay:?}\nwhere the protocol changed, make the file anew:\n  murphy hunt \
             scenarios/pbft-buggy-quorum.toml --set node.r.params.bug={bug} --set duration=10s --seeds 64"
        );
        bugs.push(bug);
    }
    bugs.sort();
    bugs.dedup();
    assert!(bugs.len() >= 8, "the corpus has {bugs:?}");
}

#[test]
fn plans_by_hand_break_their_bugs_and_not_the_correct_protocol() {
    for (bug, plan) in HAND.into_iter().filter(|(_, plan)| !plan.is_empty()) {
        assert!(breaks(bug, plan), "{bug}");
        assert!(!breaks("none", plan), "{bug}: its plan breaks the correct protocol");
    }
}
