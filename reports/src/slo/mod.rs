//! Service level objectives: what was attained, how much of the error budget went, and when somebody
//! would have been told.
//!
//! An objective has a target over a window, such as 99.9 % over 30 days. Its budget is what may be bad
//! in a window; the burn rate is how many times faster than evenly the budget goes: bad share /
//! (1 − target). A run is usually shorter than the window: it burns a part of the budget of one. Alerts
//! look at the recent past; before the run there was good traffic at the run's own mean rate.

mod burn;

use serde::{Deserialize, Serialize};

use crate::incidents::incidents;
use crate::record::RunRecord;
use crate::requests::{RequestClass, RequestFilter, classify};
use crate::service::Service;
use crate::windows::{WindowSet, ended_ns, measured};

use burn::rules;
pub use burn::{Alert, Course, Severity, alerts};

/// One objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloSpec {
    /// Name in the scenario.
    pub name: String,
    /// Only this workload; `None` for all.
    pub workload: Option<String>,
    /// What is counted.
    pub by: SloBy,
    /// Share that must be good.
    pub target: f64,
    /// Length of the window that the budget is for.
    pub window_ns: u64,
    /// A reply after this long is not good, even within the deadline.
    pub latency_ns: Option<u64>,
    /// Who is told when.
    pub scheme: AlertScheme,
    /// Whether a burn rate must exceed its limit; otherwise reaching it is enough.
    pub strict: bool,
    /// Faults during which nobody is told: maintenance, deploys. By name, or the generator's.
    pub suppress: Vec<String>,
    /// Longest time to detect an incident.
    pub detection_ns: Option<u64>,
    /// Longest time to mitigate an incident.
    pub recovery_ns: Option<u64>,
}

/// What an objective counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SloBy {
    /// Good requests.
    Requests,
    /// Time that probes saw the service up.
    Time,
}

/// When somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertScheme {
    /// Burn rates of 14.4, 6 and 1 over an hour, six hours and three days of a window of 30 days, each
    /// confirmed by a twelfth of that (Beyer et al. 2018, The Site Reliability Workbook, ch. 5).
    MultiWindow,
    /// A burn rate above 2 pages when what is left of the budget ends within 24 hours of 30 days; a
    /// burn rate above 1 escalates, any other ends in a ticket.
    Exhaustion,
}

/// What one run made of an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloSummary {
    /// The objective.
    pub spec: SloSpec,
    /// Good share of the run after the warm-up; `None` when nothing was counted.
    pub attained: Option<f64>,
    /// Share of one window's budget that the run burnt.
    pub burnt: f64,
    /// When the budget was gone, if it was.
    pub exhausted_ns: Option<u64>,
    /// Who was told when, in order of time.
    pub alerts: Vec<Alert>,
    /// Pages, one for alerts that overlap or follow within a twelfth of the longest.
    pub pages: u64,
    /// Page alerts that were folded into another.
    pub folded: u64,
    /// Page alerts that maintenance or deploys kept back.
    pub suppressed: u64,
    /// Pages while no spell burnt 2 % of the budget.
    pub false_pages: u64,
    /// Spells that burnt 2 % of the budget and paged nobody.
    pub missed: u64,
    /// From the start of a spell to its page, the longest.
    pub slowest_page_ns: Option<u64>,
    /// Longest time to detect an incident, and whether the objective allows it; `None` without either.
    pub detection: Option<(Option<u64>, bool)>,
    /// The same for mitigation.
    pub recovery: Option<(Option<u64>, bool)>,
}

impl SloSummary {
    /// Whether the run was good enough; `None` when nothing was counted.
    pub fn is_met(&self) -> Option<bool> {
        let times = [self.detection, self.recovery].into_iter().flatten().all(|(_, met)| met);
        Some(self.attained? >= self.spec.target && times)
    }
}

/// Most steps that a run is cut into.
const MOST_STEPS: u64 = 500_000;

/// What a run made of its objectives.
pub fn objectives(run: &RunRecord, service: &Service) -> Vec<SloSummary> {
    run.slos.iter().map(|spec| objective(run, service, spec)).collect()
}

fn objective(run: &RunRecord, service: &Service, spec: &SloSpec) -> SloSummary {
    let rules = rules(spec);
    // A tenth of the shortest look back, as long as that is not too many steps.
    let ended = ended_ns(run);
    let shortest = rules.iter().map(|rule| rule.short_ns).min().unwrap_or(spec.window_ns);
    let step_ns = (shortest / 10).max(ended / MOST_STEPS).max(1);
    let whole = course(run, service, spec, step_ns);
    let quiet = suppressed(run, spec);
    let told = whole.without(&quiet);
    let alerts_all = alerts(&whole, spec);
    let alerts = alerts(&told, spec);
    let is_page = |alert: &&Alert| alert.severity == Severity::Page;
    let suppressed =
        alerts_all.iter().filter(is_page).count().saturating_sub(alerts.iter().filter(is_page).count());
    let spells = told.spells(spec, shortest);
    let pages = notifications(&alerts, shortest);
    let overlaps = |page: &(u64, u64), spell: &(u64, u64)| page.0 <= spell.1 && spell.0 <= page.1;
    let noticed = |spell: &&(u64, u64)| pages.iter().any(|page| overlaps(page, spell));
    let slowest = spells
        .iter()
        .filter_map(|spell| {
            pages.iter().find(|page| overlaps(page, spell)).map(|page| page.0.saturating_sub(spell.0))
        })
        .max();
    let all = incidents(run, service);
    let longest = |limit: Option<u64>, of: &dyn Fn(&crate::incidents::Incident) -> Option<u64>| {
        let limit = limit?;
        let times: Vec<Option<u64>> = all.iter().map(of).collect();
        // An incident that nobody noticed, or that never ended, took too long.
        let met = times.iter().all(|time| time.is_some_and(|time| time <= limit));
        Some((times.into_iter().flatten().max(), met))
    };
    let page_alerts = alerts.iter().filter(is_page).count() as u64;
    SloSummary {
        spec: spec.clone(),
        attained: attained(run, service, spec),
        burnt: whole.burnt(spec, whole.steps()),
        exhausted_ns: whole.exhausted(spec),
        pages: pages.len() as u64,
        folded: page_alerts - pages.len() as u64,
        suppressed: suppressed as u64,
        false_pages: pages.iter().filter(|page| !spells.iter().any(|spell| overlaps(page, spell))).count()
            as u64,
        missed: spells.iter().filter(|spell| !noticed(spell)).count() as u64,
        slowest_page_ns: slowest,
        detection: longest(spec.detection_ns, &|incident| incident.detect_ns()),
        recovery: longest(spec.recovery_ns, &|incident| incident.mitigate_ns()),
        alerts,
    }
}

/// Intervals of pages; those that overlap or follow within `gap` are one notification.
fn notifications(alerts: &[Alert], gap: u64) -> Vec<(u64, u64)> {
    let mut pages: Vec<(u64, u64)> = Vec::new();
    for alert in alerts.iter().filter(|alert| alert.severity == Severity::Page) {
        let end = alert.resolved_ns.unwrap_or(u64::MAX);
        match pages.last_mut() {
            Some(last) if alert.fired_ns <= last.1.saturating_add(gap) => last.1 = last.1.max(end),
            _ => pages.push((alert.fired_ns, end)),
        }
    }
    pages
}

/// Time during which nobody is told.
fn suppressed(run: &RunRecord, spec: &SloSpec) -> WindowSet {
    let ended = ended_ns(run);
    let quiet = run.faults.iter().filter(|fault| spec.suppress.iter().any(|name| fault.is_of(name)));
    let spans = quiet.map(|fault| (fault.start_ns, fault.end_ns.unwrap_or(ended).min(ended)));
    WindowSet::from(spans.collect::<Vec<_>>())
}

fn attained(run: &RunRecord, service: &Service, spec: &SloSpec) -> Option<f64> {
    match spec.by {
        SloBy::Time => service.availability(&measured(run)),
        SloBy::Requests => {
            let (mut good, mut bad) = (0_u64, 0_u64);
            for (at_ns, is_good) in judged(run, spec) {
                let count = if is_good { &mut good } else { &mut bad };
                *count += u64::from(at_ns >= run.warmup_ns);
            }
            (good + bad > 0).then(|| good as f64 / (good + bad) as f64)
        }
    }
}

/// Requests by the instant at which it was known what became of them, and whether they were good.
fn judged<'r>(run: &'r RunRecord, spec: &'r SloSpec) -> impl Iterator<Item = (u64, bool)> + 'r {
    let filter = RequestFilter { workload: spec.workload.as_deref(), op: None };
    run.requests.iter().filter(move |request| filter.takes(run, request)).filter_map(move |request| {
        let deadline = run.workloads[usize::from(request.workload)].deadline_ns;
        let limit = spec.latency_ns.unwrap_or(deadline).min(deadline);
        let known = request.done_ns.unwrap_or(u64::MAX).min(request.arrived_ns.saturating_add(limit));
        match classify(run, request) {
            RequestClass::Good => {
                let took = request.done_ns.unwrap_or(u64::MAX) - request.arrived_ns;
                Some((known, took <= limit))
            }
            RequestClass::Censored => None,
            _ => Some((known, false)),
        }
    })
}

fn course(run: &RunRecord, service: &Service, spec: &SloSpec, step_ns: u64) -> Course {
    let ended = ended_ns(run);
    let mut course = Course::empty(ended, step_ns);
    match spec.by {
        SloBy::Requests => {
            for (at_ns, good) in judged(run, spec) {
                course.count(at_ns, good);
            }
        }
        SloBy::Time => {
            if let Some(outages) = service.outages() {
                course.time(outages);
            }
        }
    }
    course
}
