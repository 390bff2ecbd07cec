//! One component in detail; durability; checkpoints.

use super::super::component::{Shape, down_at, downtime_exceeds, horizon, lognormal_outage, variance_rate};
use super::super::durability::{Checkpoints, Redundancy};
use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::math::normal;
use super::super::math::{Share, root};
use super::require;

const MTTF: Arg = arg("mttf", Kind::Span, "mean time to failure");
const MTTR: Arg = arg("mttr", Kind::Span, "mean time to repair");

/// Phases of a law that is exponential or Erlang.
fn phases(law: Shape) -> Result<u64, String> {
    match law {
        Shape::Exponential => Ok(1),
        Shape::Erlang(phases) => Ok(phases),
        _ => Err("needs up and down to be exp or erlang:K".to_owned()),
    }
}

fn checkpoint_answer(given: &Given) -> Answer {
    let plan = Checkpoints {
        cost: given.number("cost"),
        mtbf: given.number("mtbf"),
        restart: given.number("restart"),
    };
    let best = plan.optimal();
    let mut answer = Answer::new()
        .seconds("optimal interval", best)
        .seconds("interval by Young", plan.young())
        .seconds("interval by Daly", plan.daly());
    let chosen = given.number_if("interval").unwrap_or(best);
    if let Some(work) = given.number_if("work") {
        answer = answer
            .seconds("mean completion", plan.completion(work / chosen, chosen))
            .seconds(
                "mean completion at Young's interval",
                plan.completion(work / plan.young(), plan.young()),
            )
            .seconds("mean completion without checkpoints", plan.without(work));
    }
    if let Some(segments) = given.count_if("segments") {
        answer = answer.seconds("mean completion of the segments", plan.completion(segments as f64, chosen));
    }
    answer
}

fn component_answer(given: &Given) -> Result<Answer, String> {
    let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
    let (up, down) = (given.law("up"), given.law("down"));
    let rate = variance_rate(mttf, up, mttr, down);
    let confidence = given.share("confidence");
    require(confidence.yes > 0.0 && confidence.no > 0.0, || "confidence must be between 0 and 1".to_owned())?;
    let z = root(0.0, 40.0, |z| confidence.no / 2.0 - normal(-z));
    let relative = given.share("relative").yes;
    require(relative > 0.0, || "relative must be above 0".to_owned())?;
    let watch = horizon(mttf, mttr, rate, relative, z);
    let mut answer = Answer::new()
        .unavailability(Share::of(mttf, mttr).no)
        .variance_rate("variance rate of down time", rate)
        .seconds("time to watch", watch)
        .plain("cycles to watch", watch / (mttf + mttr));
    if let Some(at) = given.number_if("at") {
        let (up, down) = (phases(up)?, phases(down)?);
        let steps = at * (up as f64 / mttf).max(down as f64 / mttr);
        let phases = (up + down) as f64;
        require(steps * phases * phases < 1e9, || {
            "`at` is too many phases away to count them: the long run holds by then".to_owned()
        })?;
        answer = answer.plain("unavailability then", down_at(at, mttf, up, mttr, down));
    }
    Ok(answer)
}

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "component",
        about: "how long one component must be watched, and how it starts",
        args: &[
            MTTF,
            MTTR,
            arg("up", Kind::Law, "law of the times to failure").or("exp"),
            arg("down", Kind::Law, "law of the repairs").or("exp"),
            arg("relative", Kind::Share, "half width of the interval over the unavailability").or("10%"),
            arg("confidence", Kind::Share, "of the interval").or("95%"),
            arg("at", Kind::Duration, "age at which the unavailability is wanted; new at 0").optional(),
        ],
        assumes: &[
            "times up and down are independent; unavailability depends on their means only",
            "the watched time covers many cycles, so that down time is nearly normal",
        ],
        source: "variance rate (u^2 Var D + d^2 Var U)/(u + d)^3, Cox 1962; phases by uniformisation, all terms positive",
        example: "mttf=1000h mttr=10h up=erlang:2 down=erlang:2 at=20h",
        compute: component_answer,
    },
    Form {
        name: "downtime-risk",
        about: "probability that a window has more down time than allowed",
        args: &[
            MTTF,
            MTTR,
            arg("window", Kind::Span, "window").or("8760h"),
            arg("allowed", Kind::Duration, "down time allowed in it"),
        ],
        assumes: &["times up and down are exponential and independent", "up at the start of the window"],
        source: "Takács 1957, Poisson sum of gamma tails",
        example: "mttf=999h mttr=1h allowed=8.76h",
        compute: |given| {
            let [mttf, mttr, window, allowed] =
                ["mttf", "mttr", "window", "allowed"].map(|name| given.number(name));
            require(allowed < window, || "allowed must be shorter than the window".to_owned())?;
            require(window / mttf < 1e4 && allowed / mttr < 1e4, || {
                "over 10 000 failures in the window: there the normal law holds, see calc component"
                    .to_owned()
            })?;
            Ok(Answer::new().plain("probability", downtime_exceeds(mttf, mttr, window, allowed)))
        },
    },
    Form {
        name: "outage-seen",
        about: "mean outage as operators count it, and as users who meet it wait",
        args: &[
            number("mu", -50.0, 50.0, "mean of the logarithm of an outage, in seconds"),
            number("sigma", 0.0, 10.0, "standard deviation of the logarithm"),
        ],
        assumes: &["outages are lognormal", "users arrive at any time of an outage alike"],
        source: "inspection paradox: E[X^2] / 2 E[X]",
        example: "mu=1 sigma=1",
        compute: |given| {
            let (mean, rest) = lognormal_outage(given.number("mu"), given.number("sigma"));
            Ok(Answer::new().seconds("MTTR", mean).seconds("mean wait of a user who meets it", rest))
        },
    },
    Form {
        name: "mttdl",
        about: "mean time to data loss of copies, RAID or erasure codes",
        args: &[
            count("n", 1, 100, "disks or copies"),
            count("tolerated", 0, 99, "that may be lost at once"),
            MTTF,
            MTTR,
            arg("rebuild", Kind::Word(&["parallel", "serial"]), "whether all lost disks are rebuilt at once")
                .or("parallel"),
            arg("within", Kind::Span, "time for the probability of a loss").optional(),
        ],
        assumes: &[
            "disks fail independently; times are exponential",
            "no latent sector errors, no common cause",
        ],
        source: "absorption of the birth and death chain; Patterson, Gibson & Katz 1988 for the approximation",
        example: "n=8 tolerated=1 mttf=100000h mttr=24h within=8760h",
        compute: |given| {
            let (disks, tolerated) = (given.count("n"), given.count("tolerated"));
            require(tolerated < disks, || format!("tolerated={tolerated} must be below n={disks}"))?;
            let parallel = given.word("rebuild") == "parallel";
            let (mttf, mttr) = (given.number("mttf"), given.number("mttr"));
            let array = Redundancy { disks, tolerated, mttf, mttr, parallel };
            let mut answer = Answer::new()
                .seconds("MTTDL", array.mttdl())
                .seconds("MTTDL, usual approximation", array.mttdl_approximate());
            if let Some(time) = given.number_if("within") {
                let steps = time * (disks as f64 / mttf + tolerated as f64 / mttr);
                let states = tolerated as f64 + 2.0;
                require(steps * states * states < 1e9, || {
                    "`within` is too many rebuilds long to count them: shorten it, or use within / MTTDL"
                        .to_owned()
                })?;
                answer = answer.plain("probability of a loss", array.loss_within(time));
            }
            Ok(answer)
        },
    },
    Form {
        name: "checkpoint",
        about: "best interval between checkpoints, and how long work takes (Young, Daly)",
        args: &[
            arg("cost", Kind::Span, "time to write a checkpoint"),
            arg("mtbf", Kind::Span, "mean time between failures"),
            arg("restart", Kind::Duration, "time to restart").or("0s"),
            arg("work", Kind::Span, "work to be done").optional(),
            arg("interval", Kind::Span, "interval to use; the best one if left out").optional(),
            count("segments", 1, 1_000_000_000, "whole intervals of work to be done").optional(),
        ],
        assumes: &[
            "failures are exponential, also during checkpoints and restarts",
            "a failure loses the work since the last checkpoint",
        ],
        source: "Daly 2006, with the exact minimum M (1 + W(-e^(-d/M - 1))); Young 1974",
        example: "cost=60s mtbf=4h restart=2min work=100h",
        compute: |given| Ok(checkpoint_answer(given)),
    },
];
