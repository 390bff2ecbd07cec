//! Mistakes in repro files are shown like any other's.

use murphy_scenarios::hunt::Repro;

use crate::fixture::{models, text};

fn wrong(repro: &str) -> String {
    let models = models();
    let text = text("none") + repro;
    Repro::open(&text, "x.repro.toml", &models).map(|_| ()).expect_err("a mistake").to_string()
}

const HEAD: &str =
    "[repro]\nproperty = \"pbft.agreement\"\nsubject = \"s\"\ntrace_hash = \"00000000000000ff\"\n";

#[test]
fn every_decision_is_checked() {
    for (repro, said) in [
        ("", "the file has no [repro]: it is a scenario, not one concrete run"),
        ("[repro]\nsubject = \"s\"\ntrace_hash = \"00000000000000ff\"\n", "[repro] needs `property`"),
        (
            "[repro]\nproperty = \"pbft.agrement\"\nsubject = \"s\"\ntrace_hash = \"00000000000000ff\"\n",
            "did you mean `pbft.agreement`?",
        ),
        (
            "[repro]\nproperty = \"pbft.agreement\"\nsubject = \"s\"\ntrace_hash = \"12\"\n",
            "expected a hash of 16 hexadecimal digits",
        ),
        (&format!("{HEAD}messages = [\"drop r0->r9 prepare #1\"]\n"), "`r9` does not fit"),
        (&format!("{HEAD}messages = [\"lose r0->r1 prepare #1\"]\n"), "`lose` does not fit"),
        (&format!("{HEAD}messages = [\"drop r0->r1 prepare\"]\n"), "not enough words"),
        (&format!("{HEAD}requests = [\"1s put 3 r0 kv\"]\n"), "`r0` does not fit"),
        (&format!("{HEAD}requests = [\"1s push 3 client0 kv\"]\n"), "`push` does not fit"),
        (&format!("{HEAD}reseeds = [\"1s\"]\n"), "expected a time and a seed"),
        (&format!("{HEAD}reseeds = [\"2s 1\", \"1s 2\"]\n"), "reseeds go back in time"),
    ] {
        let text = wrong(repro);
        assert!(text.contains(said), "{repro}\n{text}");
        assert!(text.contains("x.repro.toml:"), "{text}");
    }
}
