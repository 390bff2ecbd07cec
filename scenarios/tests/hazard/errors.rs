//! What is said about files that are wrong.

use crate::fixture::{head, mistakes};

fn renewal(keys: &str) -> String {
    mistakes(&(head(4, 2, "60s") + "[[hazard]]\nname = \"h\"\nkind = \"renewal\"\n" + keys))
}

#[test]
fn mistakes_name_what_is_wrong_and_what_would_do() {
    let cases: &[(&str, &[&str])] = &[
        (
            "target = \"u*\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }",
            &["neither `mttf` nor `up` is given"],
        ),
        (
            "target = \"u*\"\nmttf = \"-5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }",
            &["expected a duration", "test.toml:23"],
        ),
        ("target = \"u*\"\nmttf = \"0s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }", &["`mttf` is zero"]),
        (
            "target = \"u*\"\nmttf = \"5s\"\nup = \"4s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }",
            &["both `mttf` and `up` are given"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nfault = { kind = \"crash\" }",
            &["neither `mttr` nor `down` is given"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crush\" }",
            &["unknown kind \"crush\"", "did you mean `crash`"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"slow\" }",
            &["the fault of a hazard of kind `slow` needs `factor`"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\", target = \"u0\" }",
            &["both the hazard and its fault are aimed", "leave out `target`"],
        ),
        ("target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"", &["the hazard needs `fault`"]),
        (
            "target = \"v*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }",
            &["\"v*\"", "nodes: u0, u1, u2, u3"],
        ),
        (
            "mttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }",
            &["none of `target`, `site`, `zone`, `region` and `link` is given"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }\npersistence = \"permanent\"",
            &["a permanent fault is not repaired"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }\npersistence = \"intermittent\"",
            &["an intermittent fault needs `pattern`"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"loss\", probability = 0.1, message = \"asks\" }",
            &["unknown message kind \"asks\"", "ask"],
        ),
        (
            "target = \"u*\"\nmttf = \"5s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }\nbeta = 1.5",
            &["1.5 is out of range"],
        ),
    ];
    for (keys, expected) in cases {
        let text = renewal(keys);
        for part in *expected {
            assert!(text.contains(part), "{keys}\nlacks {part:?}:\n{text}");
        }
    }
}

#[test]
fn traces_that_cannot_be_read_are_shown_by_their_line() {
    let trace = |keys: &str| {
        mistakes(
            &(head(4, 2, "60s")
                + "[[hazard]]\nname = \"t\"\nkind = \"trace\"\ntarget = \"u*\"\nfault = { kind = \"crash\" }\n"
                + keys),
        )
    };
    let columns = trace("file = \"columns.csv\"");
    assert!(columns.contains("node, downtime_min is missing") || columns.contains("is missing"), "{columns}");
    assert!(columns.contains("columns.csv:1:1"), "{columns}");
    let rows = trace("file = \"rows.csv\"");
    assert!(rows.contains("rows.csv:3:1") && rows.contains("\"yesterday\" is not a date"), "{rows}");
    assert!(
        rows.contains("rows.csv:4:1") && rows.contains("\"-4\" is not a whole number of minutes"),
        "{rows}"
    );
    let system = trace("file = \"good.csv\"\nsystem = 3");
    assert!(system.contains("the trace has no system 3") && system.contains("systems: 1, 2"), "{system}");
    let causes = trace("file = \"good.csv\"\ncauses = [\"hardwear\"]");
    assert!(causes.contains("did you mean `hardware`"), "{causes}");
    assert!(trace("").contains("the trace needs `file`"));
    assert!(trace("file = \"nowhere.csv\"").contains("cannot read nowhere.csv"));
}

#[test]
fn other_generators_say_what_they_need() {
    let hazard = |keys: &str| mistakes(&(head(4, 2, "60s") + "[[hazard]]\nname = \"h\"\n" + keys));
    for (keys, expected) in [
        ("kind = \"nemisis\"", "did you mean `nemesis`"),
        ("kind = \"nemesis\"\nrate = \"1/h\"\nfaults = []", "needs at least one"),
        (
            "kind = \"nemesis\"\nfaults = [{ lasts = \"1s\", fault = { kind = \"crash\", target = \"u0\" } }]",
            "neither `rate` nor `gap`",
        ),
        (
            "kind = \"nemesis\"\nrate = \"1/h\"\nfaults = [{ lasts = \"1s\", fault = { kind = \"crash\" } }]",
            "needs `target`",
        ),
        (
            "kind = \"swarm\"\nfamilies = [{ gap = \"1s\", lasts = \"1s\", target = \"u*\", fault = { kind = \"loss\", probability = { low = 0.1, high = 7.0 } } }]",
            "7.0 is out of range",
        ),
        (
            "kind = \"injector\"\nclient = \"u0\"\nserver = \"u1\"\ndelay = 0.9\nerror = 0.9",
            "each message has one of them at most",
        ),
        (
            "kind = \"injector\"\nclient = \"u0\"\nserver = \"u1\"\npartial = 0.03",
            "`partial` is not supported by this version",
        ),
        ("kind = \"injector\"\nclient = \"u0\"\nserver = \"v1\"", "\"v1\""),
    ] {
        let text = hazard(keys);
        assert!(text.contains(expected), "{keys}\nlacks {expected:?}:\n{text}");
    }
    let twice = head(2, 1, "60s")
        + "[[fault]]\nname = \"h.u0.0\"\nkind = \"crash\"\ntarget = \"u0\"\nat = \"1s\"\n\
           [[hazard]]\nname = \"h\"\nkind = \"renewal\"\ntarget = \"u*\"\nmttf = \"1s\"\nmttr = \"1s\"\nfault = { kind = \"crash\" }\n";
    assert!(mistakes(&twice).contains("a pasted plan replaces its generators"));
}
