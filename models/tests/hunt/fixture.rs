//! A small PBFT scenario with a planted bug, and the search in it.

use std::sync::atomic::AtomicBool;

use murphy_models::pbft::Pbft;
use murphy_scenarios::hunt::{Finding, Hunt, Strategy};
use murphy_scenarios::{Model, Study, model};

pub(crate) fn models() -> Vec<Box<dyn Model>> {
    vec![model::<Pbft>()]
}

/// Four replicas and three clients for ten seconds.
pub(crate) fn text(bug: &str) -> String {
    format!(
        "schema = 1\nname = \"hunted\"\nseed = 1\nduration = \"10s\"\n\
         [network]\nlatency = {{ dist = \"lognormal\", median = \"2ms\", sigma = 0.4 }}\ndrop = 0.001\n\
         [[node]]\nname = \"r\"\ncount = 4\nmodel = \"pbft.replica\"\n\
         params = {{ f = 1, view_timeout = \"500ms\", checkpoint_every = 16, bug = \"{bug}\" }}\n\
         [[node]]\nname = \"client\"\ncount = 3\nmodel = \"pbft.client\"\nparams = {{ retry_after = \"250ms\" }}\n\
         [[workload]]\nname = \"kv\"\nfrom = \"client*\"\nops = {{ put = 0.5, get = 0.5 }}\nkeys = 5\n\
         arrivals = {{ dist = \"poisson\", rate = \"50/s\" }}\ndeadline = \"2s\"\n"
    )
}

pub(crate) fn study<'m>(text: &str, models: &'m [Box<dyn Model>]) -> Study<'m> {
    let read = |_: &std::path::Path| Err(std::io::Error::other("no files"));
    Study::open(text, "hunted.toml", &read, models, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// What a search of so many seeds finds.
pub(crate) fn hunted<'m>(study: &'m Study<'m>, strategy: Strategy, seeds: u64) -> Hunt<'m> {
    let mut hunt = Hunt::new(study, strategy, "test");
    hunt.step(seeds, &AtomicBool::new(false));
    hunt
}

pub(crate) fn findings(hunt: &Hunt<'_>) -> Vec<Finding> {
    hunt.findings().cloned().collect()
}
