//! Components that fail and are repaired.

use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::math::Share;
use super::super::repair::{
    Repairable, Repaired, common_cause, common_cause_share, leader_cluster, mttf_without_repair,
};
use super::super::slo::YEAR;
use super::require;

const MTTF: Arg = arg("mttf", Kind::Span, "mean time to failure of a component");
const MTTR: Arg = arg("mttr", Kind::Span, "mean time to repair");
const K: Arg = count("k", 1, 200, "components needed");
const N: Arg = count("n", 1, 200, "components");
const CREWS: Arg = count("crews", 1, 200, "repairs at once; one each if left out").optional();
const EXPONENTIAL: &str = "times to failure and of repair are exponential and independent";
const AGEING: &str = "while the system is down, components that are up can still fail";

fn repaired(answer: Repaired) -> Answer {
    Answer::new()
        .unavailability(answer.unavailability)
        .seconds("mean time to first failure", answer.first_failure)
        .seconds("mean time between failures", 1.0 / answer.frequency)
        .seconds("mean down time", answer.mean_down)
        .rate("failure frequency", answer.frequency)
}

fn k_at_most_n(given: &Given) -> Result<(u64, u64), String> {
    let (k, n) = (given.count("k"), given.count("n"));
    require(k <= n, || format!("k={k} of n={n} can never be up: k must be at most n"))?;
    Ok((k, n))
}

fn mtbf_answer(given: &Given) -> Result<Answer, String> {
    let (k, n) = k_at_most_n(given)?;
    let mttf = given.number("mttf");
    let without = mttf_without_repair(k, n, mttf);
    let mut answer = Answer::new().seconds("MTTF without repair", without);
    if let Some(mttr) = given.number_if("mttr") {
        let crews = given.count_if("crews").unwrap_or(n);
        let solved = Repairable { needed: k, spares: n - k, dormancy: 1.0, mttf, mttr, crews }.solve();
        answer = answer
            .seconds("MTTF with repair", solved.first_failure)
            .seconds("MTBF with repair", 1.0 / solved.frequency);
    }
    Ok(answer.note_if(n > 1, || {
        format!(
            "S0 multiplies MTTF by the number of components: {} h for {n} of them. Without repair it is the harmonic \
             sum MTTF (1/k + … + 1/n) = {:.6} h, because the last ones fail soon after the first; with repair it is far longer",
            mttf * n as f64 / 3600.0,
            without / 3600.0
        )
    }))
}

fn leader_answer(given: &Given) -> Answer {
    let solved = leader_cluster(
        given.count("n"),
        given.number("mttf"),
        given.number("mttr"),
        given.number("failover"),
    );
    let failing = solved.unavailability - solved.no_quorum;
    Answer::new()
        .unavailability(solved.unavailability)
        .plain("outages a year", solved.frequency * YEAR)
        .seconds("mean down time", solved.unavailability / solved.frequency)
        .plain("part without a quorum", solved.no_quorum)
        .plain("part in failovers", failing)
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "repairman",
        about: "k of n components with a shared repair crew (M/M/c//N)",
        args: &[K, N, MTTF, MTTR, CREWS],
        assumes: &[EXPONENTIAL, AGEING],
        source: "birth and death chain; Trivedi & Bobbio 2017",
        example: "k=2 n=3 mttf=1000h mttr=1h crews=1",
        compute: |given| {
            let (k, n) = k_at_most_n(given)?;
            let crews = given.count_if("crews").unwrap_or(n);
            let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
            Ok(repaired(Repairable { needed: k, spares: n - k, dormancy: 1.0, mttf, mttr, crews }.solve()))
        },
    },
    Form {
        name: "spares",
        about: "N components needed and M spares, cold, warm or hot",
        args: &[
            count("n", 1, 100, "components needed"),
            count("m", 0, 100, "spares"),
            MTTF,
            MTTR,
            number("dormancy", 0.0, 1.0, "failure rate of a spare over that of one in use: 0 cold, 1 hot")
                .or("1"),
            CREWS,
        ],
        assumes: &[EXPONENTIAL, AGEING, "a spare takes over at once and never fails to"],
        source: "birth and death chain; Trivedi & Bobbio 2017",
        example: "n=4 m=2 mttf=1000h mttr=10h crews=1",
        compute: |given| {
            let (needed, spares) = (given.count("n"), given.count("m"));
            let crews = given.count_if("crews").unwrap_or(needed + spares);
            let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
            let dormancy = given.number("dormancy");
            Ok(repaired(Repairable { needed, spares, dormancy, mttf, mttr, crews }.solve()))
        },
    },
    Form {
        name: "mtbf",
        about: "mean time to failure of k of n components, without and with repair",
        args: &[
            K,
            N,
            MTTF,
            arg("mttr", Kind::Span, "mean time to repair; without repair if left out").optional(),
            CREWS,
        ],
        assumes: &[EXPONENTIAL, "all components are in use from the start (hot)"],
        source: "harmonic sum, and absorption of the birth and death chain; Trivedi & Bobbio 2017",
        example: "k=1 n=3 mttf=8760h mttr=8h",
        compute: mtbf_answer,
    },
    Form {
        name: "common-cause",
        about: "k of n components of which a share of failures takes all down",
        args: &[
            K,
            N,
            MTTF,
            MTTR,
            arg("beta", Kind::Share, "share of a component's failures that are common"),
            arg("target", Kind::Share, "unavailability whose beta is wanted").optional(),
        ],
        assumes: &[
            EXPONENTIAL,
            "own repair crew each, also after a common failure",
            "a common failure takes all down",
        ],
        source: "beta factor model, Fleming 1975: (1 - beta) lambda alone, beta lambda together",
        example: "k=1 n=3 mttf=990h mttr=10h beta=1% target=1e-5",
        compute: |given| {
            let (k, n) = k_at_most_n(given)?;
            let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
            let down = common_cause(k, n, mttf, mttr, given.share("beta").yes);
            let mut answer = Answer::new()
                .unavailability(down)
                .plain("unavailability without common causes", common_cause(k, n, mttf, mttr, 0.0));
            if let Some(target) = given.share_if("target") {
                let beta = common_cause_share(k, n, mttf, mttr, target.yes);
                let beta = beta.ok_or("no beta from 0 to 1 gives that unavailability")?;
                answer = answer.plain("beta for the target", beta);
            }
            Ok(answer)
        },
    },
    Form {
        name: "leader-cluster",
        about: "a majority cluster that is down while it elects, and without a quorum",
        args: &[
            count("n", 1, 101, "nodes"),
            MTTF,
            MTTR,
            arg("failover", Kind::Span, "mean time from a leader's crash to its successor's service"),
        ],
        assumes: &[
            EXPONENTIAL,
            "own repair crew each",
            "failovers are exponential; a quorum regained needs one too",
        ],
        source: "chain of failed nodes and election; computed exactly (Grassmann, Taksar & Heyman 1985)",
        example: "n=5 mttf=720h mttr=2h failover=13s",
        compute: |given| Ok(leader_answer(given)),
    },
    Form {
        name: "availability",
        about: "one component from its mean times, whatever their laws",
        args: &[MTTF, MTTR],
        assumes: &["failures and repairs alternate; only the means matter in the long run"],
        source: "renewal reward: MTTR / (MTTF + MTTR), with MTBF = MTTF + MTTR",
        example: "mttf=1000h mttr=1h",
        compute: |given| {
            let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
            Ok(Answer::new()
                .unavailability(Share::of(mttf, mttr).no)
                .seconds("MTBF", mttf + mttr)
                .plain("failures a year", YEAR / (mttf + mttr)))
        },
    },
];
