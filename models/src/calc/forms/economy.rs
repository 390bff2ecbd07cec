//! Money, and the figures that S0 prints.

use super::super::economy::Investment;
use super::super::form::{Answer, Arg, Form, Given, Kind, arg, count, number};
use super::super::math::Share;
use super::super::repair::common_cause_share;
use super::super::slo::YEAR;
use super::super::standby::{Standby, seed_active_standby};
use super::super::structure::{k_of_n, parallel};
use super::require;

const MOST: f64 = 1e15;

fn roi_answer(given: &Given) -> Result<Answer, String> {
    let hours = |name: &str| given.number(name) / 3600.0;
    let plan = Investment {
        mtbf_now: hours("mtbf-now"),
        mtbf_then: hours("mtbf-then"),
        hours_now: hours("down-now"),
        hours_then: hours("down-then"),
        hour: given.number("hour"),
        engineer: given.number("engineer"),
        engineers: given.number("engineers"),
        incident: given.number("incident"),
        infrastructure: given.number("infrastructure"),
        monitoring: given.number("monitoring"),
        once: given.number("once"),
        yearly: given.number("yearly"),
        years: given.number("years"),
    };
    require(plan.once > 0.0, || {
        "without money spent once there is no return on it: once must be above 0".to_owned()
    })?;
    let (only, all, seed) = (plan.downtime_only(), plan.all_costs(), plan.as_seed());
    Ok(Answer::new()
        .plain("ROI", only.roi)
        .plain("payback in years", only.payback)
        .plain("saved a year", only.savings)
        .plain("gain over the years", only.gain)
        .plain("cost a year now", only.before)
        .plain("cost a year then", only.after)
        .plain("break-even cost of an hour down", plan.break_even_hour())
        .plain("ROI with all costs", all.roi)
        .plain("payback in years with all costs", all.payback)
        .plain("saved a year with all costs", all.savings)
        .plain("gain over the years with all costs", all.gain)
        .note(format!(
            "S0 prints an ROI of {:.0} %: it puts a year's operating cost into the investment and takes it off each year's \
             savings again. Counted once, as here, it is {:.0} %",
            seed.roi * 100.0,
            only.roi * 100.0
        ))
        .note(format!(
            "S0 uses one of its five cost entries. With engineers, incident response, infrastructure and monitoring the ROI is {:.0} %",
            all.roi * 100.0
        )))
}

/// A row of S0's table: the unavailability printed, and what is there.
struct Row {
    name: &'static str,
    printed: f64,
    system: System,
}

enum System {
    /// So many nodes, one of which is enough.
    Nodes(usize),
    /// A standby that fails with this share of the active's rate.
    Standby(f64),
}

const TABLE: [Row; 6] = [
    Row { name: "single instance", printed: 1e-2, system: System::Nodes(1) },
    Row { name: "primary + cold standby", printed: 5e-3, system: System::Standby(0.0) },
    Row { name: "primary + warm standby", printed: 1e-3, system: System::Standby(0.1) },
    Row { name: "active-active, 2 nodes", printed: 1e-4, system: System::Nodes(2) },
    Row { name: "active-active, 3 nodes", printed: 1e-5, system: System::Nodes(3) },
    Row { name: "geo-distributed, 5 regions", printed: 1e-6, system: System::Nodes(5) },
];

fn table_answer(given: &Given) -> Result<Answer, String> {
    let (p, mttr) = (given.share("p"), given.number("mttr"));
    require(p.yes > 0.0 && p.no > 0.0, || "p must be between 0 and 1".to_owned())?;
    let mttf = mttr * p.yes / p.no;
    let mut answer = Answer::new();
    for Row { name, printed, system } in &TABLE {
        answer = answer
            .plain(format!("{name}: unavailability printed"), *printed)
            .seconds(format!("{name}: downtime a year"), printed * YEAR);
        answer = match *system {
            System::Nodes(nodes) => nodes_row(answer, name, *printed, &vec![p; nodes], (mttf, mttr)),
            System::Standby(dormancy) => standby_row(answer, name, *printed, dormancy, (mttf, mttr))?,
        };
    }
    Ok(answer)
}

fn nodes_row(answer: Answer, name: &str, printed: f64, nodes: &[Share], (mttf, mttr): (f64, f64)) -> Answer {
    let formula = parallel(nodes);
    let answer = answer.plain(format!("{name}: by formula"), formula);
    if (formula - printed).abs() <= 1e-9 * printed {
        return answer.note(format!(
            "S0, {name}: right, for nodes that fail independently and switch over in no time"
        ));
    }
    let wrong = format!("S0, {name}: wrong. The formula gives {formula:.3e}, not {printed:e}");
    match common_cause_share(1, nodes.len() as u64, mttf, mttr, printed) {
        Some(beta) => answer
            .plain(format!("{name}: common cause that gives it"), beta)
            .note(format!("{wrong}; that takes a common-cause share of {:.2} %", beta * 100.0)),
        None => answer.note(wrong),
    }
}

fn standby_row(
    answer: Answer,
    name: &str,
    printed: f64,
    dormancy: f64,
    (mttf, mttr): (f64, f64),
) -> Result<Answer, String> {
    let (coverage, fixed, failover, manual) = (1.0, false, 0.0, 0.0);
    let pair = Standby { mttf, mttr, dormancy, coverage, failover, fixed, manual, crews: 2 };
    let failover = pair.failover_for(printed);
    let failover =
        failover.ok_or_else(|| format!("{name}: no failover time gives {printed:e} at this p and mttr"))?;
    Ok(answer.seconds(format!("{name}: failover that gives it"), failover).note(format!(
        "S0, {name}: simplified. The figure holds for a failover of {:.1} min only",
        failover / 60.0
    )))
}

fn examples_answer(given: &Given) -> Result<Answer, String> {
    let p = given.share("p");
    require(p.yes > 0.0 && p.no > 0.0, || "p must be between 0 and 1".to_owned())?;
    let mttr = given.number("mttr");
    let pair = Standby {
        mttf: mttr * p.yes / p.no,
        mttr,
        dormancy: 1.0,
        coverage: given.share("coverage").yes,
        failover: given.number("failover"),
        fixed: false,
        manual: given.number("manual"),
        crews: given.count("crews"),
    };
    let standby = pair.solve().unavailability;
    let printed = seed_active_standby(p.yes);
    Ok(Answer::new()
        .plain("single", p.yes)
        .plain("parallel", 1.0 - parallel(&[p; 2]))
        .plain("2-of-3", 1.0 - k_of_n(2, &[p; 3]))
        .plain("active-standby as printed", 1.0 - printed)
        .plain("active-standby", 1.0 - standby)
        .plain("active-standby: unavailability as printed", printed)
        .plain("active-standby: unavailability", standby)
        .note("S0's figures for single, parallel and 2-of-3 are right, for independent components")
        .note(format!(
            "S0's active-standby p + (1 - p) p 0.99 is wrong: {printed:.6e} down whatever the failover takes. Coverage is per \
             failure; the chain with these times gives {standby:.6e}"
        )))
}

const P: Arg = arg("p", Kind::Share, "availability of a component").or("0.99");
const MTTR: Arg = arg("mttr", Kind::Span, "mean time to repair it").or("10h");

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "roi",
        about: "return, payback and break-even of money spent on fault tolerance",
        args: &[
            arg("mtbf-now", Kind::Span, "mean time between failures now").or("2190h"),
            arg("mtbf-then", Kind::Span, "and with the investment").or("8760h"),
            arg("down-now", Kind::Duration, "down time of an incident now").or("4h"),
            arg("down-then", Kind::Duration, "and with the investment").or("2h"),
            number("hour", 0.0, MOST, "cost of an hour down").or("50000"),
            number("engineer", 0.0, MOST, "cost of an engineer's hour").or("150"),
            number("engineers", 0.0, 1e6, "engineers on an incident").or("1"),
            number("incident", 0.0, MOST, "cost of the response to an incident").or("5000"),
            number("infrastructure", 0.0, MOST, "cost of the added infrastructure per hour").or("10"),
            number("monitoring", 0.0, MOST, "cost of monitoring per month").or("1000"),
            number("once", 0.0, MOST, "money spent once").or("225000"),
            number("yearly", 0.0, MOST, "money spent each year").or("25000"),
            number("years", 0.01, 100.0, "years looked at").or("3"),
        ],
        assumes: &[
            "incidents cost the same each year; money is not discounted",
            "all costs: infrastructure and monitoring come on top of the yearly money",
        ],
        source: "cost model and defaults of S0; returns are (savings x years - once) / once",
        example: "once=225000 yearly=25000",
        compute: roi_answer,
    },
    Form {
        name: "cost-table",
        about: "S0's table of configurations, each row right, simplified or wrong",
        args: &[P, MTTR],
        assumes: &[
            "times are exponential; coverage 1, two crews",
            "cold standbys do not fail, warm ones a tenth as often",
        ],
        source: "active-standby and common-cause chains, solved for what the printed figure takes",
        example: "p=0.99 mttr=10h",
        compute: table_answer,
    },
    Form {
        name: "seed-examples",
        about: "S0's printed examples, as printed and as they should be",
        args: &[
            P,
            MTTR,
            arg("coverage", Kind::Share, "probability that a failure is switched over by itself").or("0.99"),
            arg("failover", Kind::Duration, "mean time of a switch-over").or("30s"),
            arg("manual", Kind::Duration, "mean time until people switch over the rest").or("1h"),
            count("crews", 1, 2, "repairs at once").or("2"),
        ],
        assumes: &["components are independent", "active-standby: a hot standby, exponential times"],
        source: "see calc parallel, 2-of-3 and active-standby",
        example: "p=0.99",
        compute: examples_answer,
    },
];
