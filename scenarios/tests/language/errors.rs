//! Mistakes and what is said about them.

use murphy_scenarios::language::decode;
use murphy_sim::Span;

use crate::fixture::{SMALL, mistakes, scenario};

#[test]
fn ten_mistakes_are_ten_diagnostics() {
    let text = r#"
name     = "ten mistakes"
duration = 500
warmpu   = "10s"

[network]
latency = { dist = "lognorml", median = "2ms", sigma = 0.4 }
drop    = 1.5

[[node]]
name   = "r"
count  = 4
model  = "pbft.replca"

[[node]]
name   = "client"
count  = 2
model  = "pbft.client"
params = { retry_afer = "1s" }

[[workload]]
name     = "kv"
from     = "clinet*"
arrivals = { dist = "poisson", rate = "200" }

[[fault]]
name   = "slow-node"
kind   = "slow"
target = "r9"
at     = "80sec"
factor = 10.0

[[expect]]
that = "p99(latencyy) < 400ms in steady"
"#;
    let wrong = mistakes(text, &[]);
    insta::assert_snapshot!("ten", wrong.render(false));
    assert!(wrong.len() >= 10, "{} diagnostics", wrong.len());
}

#[test]
fn broken_syntax_does_not_hide_other_mistakes() {
    let wrong = mistakes("name = \nduration = 500\n[[node]\nname = \"r\"\n", &[]);
    insta::assert_snapshot!("syntax", wrong.render(false));
}

#[test]
fn a_wrong_count_is_one_mistake() {
    let fault = "[[fault]]\nname = \"x\"\nkind = \"crash\"\nat = \"1s\"\ntarget = \"r3\"";
    for count in ["0", "-4", "3"] {
        let text = format!("{}\n{fault}\n", SMALL.replacen("count = 4", &format!("count = {count}"), 1));
        let wrong = mistakes(&text, &[]);
        assert_eq!(wrong.len(), 1, "{}", wrong.render(false));
        let about = if count == "3" { "no node matches" } else { "is out of range" };
        assert!(wrong.render(false).contains(about), "{}", wrong.render(false));
    }
}

/// What is added to a small file, and a part of the message it must give.
#[test]
fn each_mistake_has_its_message() {
    for (added, expected) in [
        ("[limits]\nevents = -1", "-1 is out of range"),
        ("[limits]\nbytes = 4096", "write \"4096B\""),
        ("[network]\nlatency = \"9999999999d\"", "longer than 584 years"),
        ("[network]\ndrop = nan", "out of range"),
        ("[network]\ndrop = inf", "out of range"),
        ("[network]\nbandwidth = \"10MB\"", "unknown unit `MB`"),
        ("[network]\nrtt_csv = \"none.csv\"", "cannot read none.csv"),
        ("[network]\nrtt_csv = \"bad.csv\"", "bad.csv:2:1"),
        ("[network]\nrtt_csv = \"columns.csv\"", "needs the columns from,to,rtt_ms"),
        (
            "[[node]]\nname = \"x\"\ncount = 1000000000000\nmodel = \"pbft.client\"",
            "must be from 1 to 100000",
        ),
        ("[[node]]\nname = \"r0\"\nmodel = \"pbft.client\"", "two nodes are called `r0`"),
        ("[[node]]\nname = \"a b\"\nmodel = \"pbft.client\"", "is not a name"),
        ("[[node]]\nname = \"x\"\nmodel = \"pbft.replica\"", "needs the parameter `f`"),
        (
            "[[node]]\nname = \"x\"\nmodel = \"pbft.replica\"\nparams = { f = 1, order = \"fif\" }",
            "did you mean `fifo`",
        ),
        ("[[node]]\nname = \"x\"\nmodel = \"pbft.client\"\nsite = \"mars\"", "unknown site \"mars\""),
        ("[[fault]]\nname = \"x\"\nkind = \"crahs\"\nat = \"1s\"\ntarget = \"r0\"", "did you mean `crash`"),
        (
            "[[fault]]\nname = \"x\"\nkind = \"crash\"\nat = \"1s\"\ntarget = \"r0\"\nfor = \"0s\"",
            "of no length",
        ),
        (
            "[[fault]]\nname = \"x\"\nkind = \"crash\"\nat = \"1s\"\ntarget = \"q*\"",
            "nodes: r0, r1, r2, r3, client0, client1",
        ),
        ("[[fault]]\nname = \"x\"\nkind = \"crash\"\nat = \"1s\"\ntarget = []", "the list is empty"),
        (
            "[[fault]]\nname = \"x\"\nkind = \"partition\"\nat = \"1s\"\ngroups = [[\"r0\"], [\"r*\"]]",
            "`r0` is in two groups",
        ),
        (
            "[[fault]]\nname = \"x\"\nkind = \"partition\"\nat = \"1s\"",
            "none of `groups`, `isolate`, `ring` and `by`",
        ),
        ("[[fault]]\nname = \"x\"\nkind = \"cut\"\nat = \"1s\"\nlink = [\"a\", \"b\"]", "unknown site \"a\""),
        ("[[fault]]\nname = \"x\"\nkind = \"clock\"\nat = \"1s\"\ntarget = \"r0\"", "changes nothing"),
        (
            "[[fault]]\nname = \"x\"\nkind = \"omission\"\nat = \"1s\"\ntarget = \"r0\"\nmessage = \"prepar\"",
            "did you mean `prepare`",
        ),
        (
            "[[fault]]\nname = \"x\"\nkind = \"slow\"\nat = \"1s\"\ntarget = \"r0\"\nfactor = 0.5",
            "must be from 1",
        ),
        (
            "[[workload]]\nname = \"w\"\nfrom = \"r0\"\narrivals = { dist = \"constant\", rate = \"1/s\" }\ndeadline = \"1s\"",
            "`r0` is a pbft.replica",
        ),
        (
            "[[workload]]\nname = \"w\"\nfrom = \"client0\"\narrivals = { dist = \"constant\", rate = \"1/s\" }\ndeadline = \"1s\"\nops = { cas = 1 }",
            "no operation `cas`",
        ),
        (
            "[[workload]]\nname = \"kv\"\nfrom = \"client0\"\narrivals = { dist = \"constant\", rate = \"1/s\" }\ndeadline = \"1s\"",
            "two workloads are called `kv`",
        ),
        (
            "[[workload]]\nname = \"w\"\nfrom = \"client0\"\narrivals = { dist = \"constant\", rate = \"1/s\" }",
            "needs `deadline`",
        ),
        ("[[cost]]\nname = \"x\"", "`cost` is not supported by this version"),
        ("[[nod]]\nname = \"x\"", "did you mean `node`"),
        ("[design]\nseeds = \"20..1\"", "the range has no seeds"),
        ("[design]\nwhere = \"load > 1\"", "the scenario has no [[sweep]]"),
        ("[[expect]]\nthat = \"latency < 1s\"", "`latency` has many samples"),
        ("[[expect]]\nthat = \"p99(latency) < 400\"", "a time cannot be compared with a plain number"),
        ("[[expect]]\nthat = \"goodput >= 95%\"", "a rate cannot be compared with a plain number"),
        ("[[expect]]\nthat = \"goodput + latency > 1/s\"", "`latency` has many samples"),
        ("[[expect]]\nthat = \"p99(latency{opp='put'}) < 1s\"", "did you mean `op`"),
        ("[[expect]]\nthat = \"p99(latency{op='putt'}) < 1s\"", "did you mean `put`"),
        ("[[expect]]\nthat = \"always(pbft.agrement)\"", "did you mean `pbft.agreement`"),
        ("[[expect]]\nthat = \"never(pbft.agreement)\"", "`never` does not apply"),
        ("[[expect]]\nthat = \"linearizable(kw)\"", "did you mean `kv`"),
        ("[[expect]]\nthat = \"mitigation(cut) < 2s\"", "there are no faults"),
        ("[[expect]]\nthat = \"availability > 99% in stedy\"", "did you mean `steady`"),
        ("[[expect]]\nthat = \"availability > 99% in 20s..10s\"", "ends before it starts"),
        ("[[expect]]\nthat = \"availability\"", "expected a comparison"),
        ("[[expect]]\nthat = \"\"", "expected a number or a metric"),
        ("[[expect]]\nthat = \"p98(latency) < 1s\"", "unknown function `p98`"),
        ("[[expect]]\nthat = \"availability > 99%\"\nover = \"most seeds\"", "\"95% of seeds\""),
        ("[[expect]]\nthat = \"availability > 99%\"\nabort = true", "only `always` and `never`"),
        ("[[expect]]\nthat = \"availability > 99%\"\nwhen = \"x == 1\"", "no axis is called `x`"),
        ("[[site]]\nname = \"a\"\n[[site]]\nname = \"b\"", "`r` has no site"),
    ] {
        let text = mistakes(&format!("{SMALL}\n{added}\n"), &[]).render(false);
        assert!(text.contains(expected), "{added}\nmust say {expected:?}:\n{text}");
    }
}

#[test]
fn a_mistake_in_an_expectation_has_its_own_column() {
    let wrong = mistakes(&format!("{SMALL}\n[[expect]]\nthat = \"p99(latency) < 2s in during(cut)\"\n"), &[]);
    let (place, message) = wrong.iter().next().expect("one mistake");
    assert_eq!(message, "no fault is called `cut`");
    assert_eq!((place.line, place.column), (23, 37));
}

#[test]
fn an_empty_file_and_bytes_that_are_no_text() {
    let text = mistakes("", &[]).render(false);
    assert!(text.contains("needs `name`") && text.contains("needs `duration`"), "{text}");
    let wrong = decode(b"name = \"a\xff\"".to_vec(), "test.toml").expect_err("not UTF-8").render(false);
    assert!(wrong.contains("test.toml:1:10") && wrong.contains("not UTF-8"), "{wrong}");
}

#[test]
fn deep_nesting_ends() {
    for deep in ["[".repeat(100_000), "{a=".repeat(100_000), "a.".repeat(100_000)] {
        mistakes(&format!("{SMALL}\n[cost]\nx = {deep}"), &[]);
    }
    let brackets = format!("!{}", "(".repeat(100_000));
    let text = format!(
        "{SMALL}\n[[sweep]]\naxis = \"a\"\nset = [\"seed\"]\nvalues = [1]\n[design]\nwhere = \"{brackets}\"\n"
    );
    assert!(mistakes(&text, &[]).render(false).contains("nested too deeply"));
}

#[test]
fn a_file_of_garbage_ends() {
    let keys: Vec<String> = (0..50_000).map(|number| format!("k{number} = 1\n")).collect();
    let keys = keys.concat();
    for text in ["x\n".repeat(200_000), "[[fault]]\n".repeat(50_000), keys, "\"".repeat(1_000_000)] {
        let wrong = mistakes(&text, &[]);
        assert!(wrong.len() <= 2000 && wrong.render(false).len() < 1_000_000, "{} mistakes", wrong.len());
    }
}

#[test]
fn a_wrong_override_points_at_the_argument() {
    for (set, expected) in [
        ("network.drop=2", "--set:1:14"),
        ("workload.kw.arrivals.rate=1/s", "did you mean `kv`"),
        ("duration=10sec", "did you mean \"10s\"?"),
        ("workload.kv.arrivals.rate=100", "write \"100/s\""),
        ("node.r.params.view_timout=1s", "did you mean `view_timeout`"),
        ("durtion=10s", "did you mean `duration`"),
        ("fault.cut.at=10s", "matches nothing"),
        ("network..drop=1", "is not a path"),
    ] {
        let text = mistakes(SMALL, &[set]).render(false);
        assert!(text.contains(expected), "{set}\nmust say {expected:?}:\n{text}");
    }
    assert_eq!(scenario(SMALL, &["duration=10s"]).duration, Span::secs(10));
}
