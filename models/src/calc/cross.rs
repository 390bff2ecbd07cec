//! The same question answered by simulation, beside the formula.
//!
//! A calculator's arguments become components that fail and are repaired, event by event, with no
//! formula of this crate in between. Rare states are reached by boosted episodes
//! (`murphy_scenarios::estimate`), single components by long runs.

use murphy_scenarios::estimate::{Estimate, Method, Options, Precision, Structural, estimate};
use murphy_scenarios::fleet::{Alike, Aside, Fleet, Input, Line, Structure};
use murphy_sim::{Law, Span};

use super::error::CalcError;
use super::form::{Form, Given, Unit};
use super::math::{Share, size};
use super::simulate::{Renewals, down_at_age, exceeding, long_run};

/// One figure, simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// Name of the figure, as the formula's.
    pub name: String,
    /// Estimate, in `unit`.
    pub value: f64,
    /// Ends of its 95 % interval.
    pub interval: (f64, f64),
    /// Standard error as a share of the estimate.
    pub relative_error: f64,
    /// Its unit.
    pub unit: Unit,
}

/// What a simulation found.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossCheck {
    /// The figures that can be simulated.
    pub figures: Vec<Simulated>,
    /// How, and how much.
    pub method: String,
    /// Selects everything random.
    pub seed: u64,
}

/// Half-width that episodes go on for.
const HALF_WIDTH: f64 = 0.03;
/// Further faults until the next repair ends: the boost of every cross-check.
const BOOST: f64 = 1.5;
/// Repair of components that are given by their availability alone, in seconds: with independent
/// components only the ratio counts.
const REPAIR: f64 = 1.0;

impl Form {
    /// Simulates what the calculator computes; `None` when it cannot be told as components.
    ///
    /// # Errors
    /// All arguments that are wrong, at once.
    pub fn cross_check<S: AsRef<str>>(
        &'static self,
        arguments: &[S],
        seed: u64,
        half_width: Option<f64>,
    ) -> Result<Option<CrossCheck>, CalcError> {
        let (given, _) = self.read(arguments)?;
        if let Some(found) = watched(self.name, &given, seed) {
            return Ok(Some(found));
        }
        let cases = cases(self.name, &given);
        let (mut figures, mut episodes, mut refused) = (Vec::new(), 0, None);
        for case in &cases {
            let precision =
                Precision { half_width: half_width.unwrap_or(HALF_WIDTH), ..Precision::default() };
            let options = Options { method: Method::Boost(BOOST), precision, seed };
            let Ok(Some(found)) = estimate(&case.fleet, case.target, &options, &Structural) else { continue };
            episodes += found.episodes;
            refused = refused.or(found.refused.clone());
            figures.extend(case.figures.iter().map(|(name, kind)| figure(name, *kind, &found)));
        }
        if figures.is_empty() {
            return Ok(None);
        }
        let refused = refused.map_or_else(String::new, |why| format!("; NOT CONCLUSIVE: {why}"));
        let method = format!(
            "{episodes} episodes by first fault, injector boosted to {BOOST} faults a repair{refused}"
        );
        Ok(Some(CrossCheck { figures, method, seed }))
    }
}

/// A fleet, the gate that must be up, and the figures that it answers.
struct Case {
    fleet: Fleet,
    target: u32,
    figures: Vec<(&'static str, Asked)>,
}

#[derive(Clone, Copy)]
enum Asked {
    Unavailability,
    Frequency,
    MeanDown,
    FirstFailure,
    Between,
}

fn figure(name: &str, asked: Asked, found: &Estimate) -> Simulated {
    let (down, often, first) = (found.unavailability, found.frequency, found.first_failure);
    let (value, relative_error, unit) = match asked {
        Asked::Unavailability => (down.value, down.relative_error, Unit::One),
        Asked::Frequency => (often.value, often.relative_error, Unit::PerSecond),
        Asked::Between => (1.0 / often.value, often.relative_error, Unit::Seconds),
        Asked::FirstFailure => (first.value, first.relative_error, Unit::Seconds),
        // Both errors, as if they were independent: they go together, so that this is too wide.
        Asked::MeanDown => {
            (down.value / often.value, libm::hypot(down.relative_error, often.relative_error), Unit::Seconds)
        }
    };
    let factor = libm::exp(1.96 * relative_error);
    Simulated {
        name: name.to_owned(),
        value,
        interval: (value / factor, value * factor),
        relative_error,
        unit,
    }
}

const DOWN: &[(&str, Asked)] = &[("unavailability", Asked::Unavailability)];
const REPAIRED: &[(&str, Asked)] = &[
    ("unavailability", Asked::Unavailability),
    ("mean time to first failure", Asked::FirstFailure),
    ("mean time between failures", Asked::Between),
    ("mean down time", Asked::MeanDown),
    ("failure frequency", Asked::Frequency),
];

fn cases(form: &str, given: &Given) -> Vec<Case> {
    let listed = || {
        let shares = given.shares("p");
        given.count_if("n").map_or_else(|| shares.clone(), |n| vec![shares[0]; size(n)])
    };
    let case = |(fleet, target): (Fleet, u32), figures: &[(&'static str, Asked)]| {
        vec![Case { fleet, target, figures: figures.to_vec() }]
    };
    match form {
        "series" => case(independent(&listed(), listed().len()), DOWN),
        "parallel" => case(independent(&listed(), 1), DOWN),
        "k-of-n" => case(independent(&listed(), given.size("k")), DOWN),
        "2-of-3" => case(independent(&[given.share("p"); 3], 2), DOWN),
        "sparing" => {
            let n = given.size("n");
            case(independent(&vec![given.share("p"); n], n - given.size("spares")), DOWN)
        }
        "2n" => {
            let (n, p) = (given.size("n"), given.share("p"));
            let mut both = case(twice(n, p), DOWN);
            let pooled = &[("unavailability pooled", Asked::Unavailability)];
            both.extend(case(independent(&vec![p; 2 * n], n), pooled));
            both
        }
        "nested-domains" => case(nested(given), DOWN),
        "quorum" => {
            let n = given.count("n");
            let f = given.count_if("f").unwrap_or((n - 1) / 3);
            let need = if given.word("kind") == "majority" { n / 2 + 1 } else { u64::midpoint(n, f) + 1 };
            case(independent(&vec![given.share("p"); size(n)], size(need)), DOWN)
        }
        "flexible-quorum" => {
            let nodes = vec![given.share("p"); given.size("n")];
            let mut both = case(independent(&nodes, given.size("replicate")), DOWN);
            let elections = &[("unavailability of elections", Asked::Unavailability)];
            both.extend(case(independent(&nodes, given.size("elect")), elections));
            both
        }
        "byzantine-risk" => {
            let (n, f) = (given.size("n"), given.size("f"));
            let (crash, lies) = (given.share("crash"), given.share("byzantine"));
            let good = |bad: f64| vec![Share { yes: 1.0 - bad, no: bad }; n];
            let mut both =
                case(independent(&good(crash.yes + lies.yes), n - f), &[("not live", Asked::Unavailability)]);
            both.extend(case(independent(&good(lies.yes), n - f), &[("unsafe", Asked::Unavailability)]));
            both
        }
        _ => repaired(form, given),
    }
}

/// Forms whose components have times to failure and of repair.
fn repaired(form: &str, given: &Given) -> Vec<Case> {
    let alike = |k: usize, n: usize| Alike {
        crews: given.count_if("crews").map(size),
        ..Alike::exponential(k, n, given.number("mttf"), given.number("mttr"))
    };
    let case = |alike: &Alike, figures: &[(&'static str, Asked)]| {
        let (fleet, target) = alike.fleet();
        vec![Case { fleet, target, figures: figures.to_vec() }]
    };
    match form {
        "repairman" => case(&alike(given.size("k"), given.size("n")), REPAIRED),
        "mtbf" if given.number_if("mttr").is_some() => {
            let figures = &[("MTTF with repair", Asked::FirstFailure), ("MTBF with repair", Asked::Between)];
            case(&alike(given.size("k"), given.size("n")), figures)
        }
        "spares" => {
            let (n, m) = (given.size("n"), given.size("m"));
            let standby = aside(given.number("dormancy"), 1.0, None, None);
            let standby = Some(standby).filter(|_| m > 0);
            case(&Alike { standby, ..alike(n, n + m) }, REPAIRED)
        }
        "common-cause" => {
            let beta = given.share("beta").yes;
            if beta >= 1.0 {
                Vec::new()
            } else {
                case(&Alike { beta, ..alike(given.size("k"), given.size("n")) }, DOWN)
            }
        }
        "active-standby" => {
            let law = |mean: f64, fixed: bool| {
                let span = Span::from_secs_f64(mean);
                let law = if fixed { Law::Constant(span) } else { Law::Exponential { mean: span } };
                Some(law).filter(|_| mean > 0.0)
            };
            let failover = law(given.number("failover"), given.word("law") == "fixed");
            let manual = law(given.number("manual"), false);
            let standby = aside(given.number("dormancy"), given.share("coverage").yes, failover, manual);
            let figures = &[
                ("unavailability", Asked::Unavailability),
                ("mean time to first outage", Asked::FirstFailure),
            ];
            case(&Alike { standby: Some(standby), ..alike(1, 2) }, figures)
        }
        "mttdl" => {
            let (disks, tolerated) = (given.size("n"), given.size("tolerated"));
            let crews = (given.word("rebuild") == "serial").then_some(1);
            case(&Alike { crews, ..alike(disks - tolerated, disks) }, &[("MTTDL", Asked::FirstFailure)])
        }
        _ => Vec::new(),
    }
}

fn aside(dormancy: f64, coverage: f64, failover: Option<Law>, manual: Option<Law>) -> Aside {
    Aside { dormancy, coverage, failover, manual }
}

/// Independent components with these availabilities, of which `need` must be up.
fn independent(shares: &[Share], need: usize) -> (Fleet, u32) {
    let mut structure = Structure::new(shares.len());
    let inputs: Vec<Input> = leaves(shares.len()).map(Input::Leaf).collect();
    let top = structure.gate("system", need, &inputs);
    let mut fleet = Fleet::new(structure);
    for (leaf, share) in leaves(shares.len()).zip(shares) {
        // Components that are alike are one kind.
        let alike = shares.iter().position(|other| other == share).unwrap_or(0);
        component(&mut fleet, &format!("kind{alike}"), &format!("component{leaf}"), *share, vec![leaf]);
    }
    (fleet, top)
}

fn leaves(count: usize) -> std::ops::Range<u32> {
    0..u32::try_from(count).expect("few components")
}

/// A component with an availability; one that is always up is none.
fn component(fleet: &mut Fleet, kind: &str, name: &str, share: Share, leaves: Vec<u32>) {
    if share.no <= 0.0 {
        return;
    }
    let known = fleet.kinds().iter().position(|known| known == kind);
    let kind = known.unwrap_or_else(|| fleet.kind(kind));
    let law = |seconds: f64| Law::Exponential { mean: Span::from_secs_f64(seconds) };
    fleet.line(Line {
        name: name.to_owned(),
        kind,
        up: law(REPAIR * share.yes / share.no),
        stretch: 1.0,
        down: Some(law(REPAIR)),
        crew: None,
        leaves,
    });
}

/// Two groups of `n`, of which one must be whole.
fn twice(n: usize, share: Share) -> (Fleet, u32) {
    let mut structure = Structure::new(2 * n);
    let leaves: Vec<u32> = leaves(2 * n).collect();
    let inputs = |part: &[u32]| part.iter().map(|&leaf| Input::Leaf(leaf)).collect::<Vec<_>>();
    let left = structure.gate("left", n, &inputs(&leaves[..n]));
    let right = structure.gate("right", n, &inputs(&leaves[n..]));
    let top = structure.gate("system", 1, &[Input::Gate(left), Input::Gate(right)]);
    let mut fleet = Fleet::new(structure);
    for leaf in leaves {
        component(&mut fleet, "component", &format!("component{leaf}"), share, vec![leaf]);
    }
    (fleet, top)
}

/// Nodes in zones in regions.
fn nested(given: &Given) -> (Fleet, u32) {
    let layout = given.layout("layout");
    let [node, zone, region] = ["node", "zone", "region"].map(|name| given.share(name));
    let count = layout.iter().flatten().map(|nodes| size(*nodes)).sum();
    let mut structure = Structure::new(count);
    let inputs: Vec<Input> = leaves(count).map(Input::Leaf).collect();
    let top = structure.gate("system", given.size("need"), &inputs);
    let mut fleet = Fleet::new(structure);
    let mut next = leaves(count);
    for (r, zones) in layout.iter().enumerate() {
        let mut all = Vec::new();
        for (z, nodes) in zones.iter().enumerate() {
            let inside: Vec<u32> = next.by_ref().take(size(*nodes)).collect();
            for leaf in &inside {
                component(&mut fleet, "node", &format!("node{leaf}"), node, vec![*leaf]);
            }
            component(&mut fleet, "zone", &format!("zone{r}.{z}"), zone, inside.clone());
            all.extend(inside);
        }
        component(&mut fleet, "region", &format!("region{r}"), region, all);
    }
    (fleet, top)
}

/// Forms about one component, which is watched for long.
fn watched(form: &str, given: &Given, seed: u64) -> Option<CrossCheck> {
    let exponential = super::component::Shape::Exponential;
    let (up, down) = match form {
        "component" => (given.law("up"), given.law("down")),
        "downtime-risk" | "availability" => (exponential, exponential),
        _ => return None,
    };
    let renewals = Renewals { mttf: given.number("mttf"), up, mttr: given.number("mttr"), down, seed };
    let mut figures = Vec::new();
    let method = if form == "downtime-risk" {
        let (hits, trials) = exceeding(&renewals, given.number("window"), given.number("allowed"));
        figures.push(proportion("probability", hits, trials));
        format!("{trials} windows")
    } else {
        let run = long_run(&renewals);
        let one = |name: &str, value: f64, relative_error: f64, unit| {
            let factor = libm::exp(1.96 * relative_error);
            let interval = (value / factor, value * factor);
            Simulated { name: name.to_owned(), value, interval, relative_error, unit }
        };
        figures.push(one("unavailability", run.unavailability, run.error, Unit::One));
        if form == "component" {
            let unit = Unit::Seconds2PerSecond;
            figures.push(one("variance rate of down time", run.variance_rate, run.variance_error, unit));
            if let Some(at) = given.number_if("at") {
                let (hits, trials) = down_at_age(&renewals, at);
                figures.push(proportion("unavailability then", hits, trials));
            }
        }
        format!("{} runs of {} cycles", run.runs, run.cycles)
    };
    Some(CrossCheck { figures, method, seed })
}

fn proportion(name: &str, hits: u64, trials: u64) -> Simulated {
    let value = hits as f64 / trials as f64;
    let relative_error = libm::sqrt((1.0 - value) / (hits.max(1) as f64));
    let factor = libm::exp(1.96 * relative_error);
    // Never 0 +- 0: nothing in n trials bounds the probability by 3.69 / n.
    let interval = if hits == 0 { (0.0, 3.69 / trials as f64) } else { (value / factor, value * factor) };
    Simulated { name: name.to_owned(), value, interval, relative_error, unit: Unit::One }
}
