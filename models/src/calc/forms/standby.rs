//! Active and standby.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::math::Share;
use super::super::standby::{Standby, failover_loss, pair_with_coverage, seed_active_standby};

const MTTF: Arg = arg("mttf", Kind::Span, "mean time to failure of the active component");
const MTTR: Arg = arg("mttr", Kind::Span, "mean time to repair");

fn standby_answer(given: &Given) -> Result<Answer, String> {
    let pair = Standby {
        mttf: given.number("mttf"),
        mttr: given.number("mttr"),
        dormancy: given.number("dormancy"),
        coverage: given.share("coverage").yes,
        failover: given.number("failover"),
        fixed: given.word("law") == "fixed",
        manual: given.number("manual"),
        crews: given.count("crews"),
    };
    let down = pair.solve();
    let p = Share::of(pair.mttf, pair.mttr).yes;
    let seed = seed_active_standby(p);
    let mut answer = Answer::new()
        .unavailability(down.unavailability)
        .seconds("mean time to first outage", down.first_failure)
        .plain("part in failovers", down.failover)
        .plain("part not covered", down.uncovered)
        .plain("part with both down", down.both);
    if let Some(target) = given.share_if("target") {
        let failover = pair.failover_for(target.yes);
        let failover = failover.ok_or("no failover time gives that unavailability with these components")?;
        answer = answer.seconds("failover for the target", failover);
    }
    Ok(answer.note(format!(
        "S0 writes p + (1 - p) p 0.99, with p={p:.6} an unavailability of {seed:.9e}, whatever the failover takes. \
         It treats coverage as a share of time; it is a probability per failure, and each failure costs the failover or \
         the manual recovery. The chain used here counts both"
    )))
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "active-standby",
        about: "a pair with switch-over: coverage, failover time, manual recovery, cold to hot",
        args: &[
            MTTF,
            MTTR,
            number("dormancy", 0.0, 1.0, "failure rate of the standby over the active's: 0 cold, 1 hot")
                .or("1"),
            arg("coverage", Kind::Share, "probability that a failure is switched over by itself").or("1"),
            arg("failover", Kind::Duration, "mean time of such a switch-over").or("0s"),
            arg("law", Kind::Word(&["exp", "fixed"]), "law of the switch-over").or("exp"),
            arg("manual", Kind::Duration, "mean time until people switch over the rest").or("1h"),
            count("crews", 1, 2, "repairs at once").or("1"),
            arg("target", Kind::Share, "unavailability whose failover time is wanted").optional(),
        ],
        assumes: &[
            "times to failure, of repair and of manual recovery are exponential and independent",
            "coverage is per failure of the active; a failure of the standby is noticed",
            "repair goes on in all states, and ends the outage if it is first",
        ],
        source: "Markov chain of five states, semi-Markov for a fixed failover; Trivedi & Bobbio 2017",
        example: "mttf=990h mttr=10h coverage=0.99 failover=30s manual=1h crews=2",
        compute: standby_answer,
    },
    Form {
        name: "hot-pair",
        about: "two active components; a failure not covered takes both down until repaired",
        args: &[MTTF, MTTR, arg("coverage", Kind::Share, "probability that a failure is survived")],
        assumes: &["times are exponential and independent", "one repair crew"],
        source: "Markov chain of four states; Trivedi & Bobbio 2017",
        example: "mttf=1000h mttr=10h coverage=0.99",
        compute: |given| {
            let coverage = given.share("coverage").yes;
            let down = pair_with_coverage(given.number("mttf"), given.number("mttr"), coverage);
            Ok(Answer::new().unavailability(down))
        },
    },
    Form {
        name: "failover-loss",
        about: "what failovers alone cost: a perfect standby and a failover each time",
        args: &[MTTF, arg("failover", Kind::Span, "mean time of a failover")],
        assumes: &["the standby is always there and never fails"],
        source: "renewal reward: d / (MTTF + d)",
        example: "mttf=720h failover=15s",
        compute: |given| {
            Ok(Answer::new().unavailability(failover_loss(given.number("mttf"), given.number("failover"))))
        },
    },
];
