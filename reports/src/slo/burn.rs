//! Burn rates over time, and the alerts that they raise.

use serde::{Deserialize, Serialize};

use super::{AlertScheme, SloSpec};
use crate::windows::WindowSet;

/// How urgently somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody looks at it some day.
    Ticket,
    /// Who is on call is told, without a page.
    Escalate,
    /// Somebody is woken.
    Page,
}

impl Severity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Ticket => "ticket",
            Severity::Escalate => "escalate",
            Severity::Page => "page",
        }
    }
}

/// One rule of a scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// Who is told.
    pub(super) severity: Severity,
    /// The burn rate that is too much.
    pub(super) burn: f64,
    /// Time over which it is taken.
    pub(super) long_ns: u64,
    /// Time over which it must be too much as well: an alert resolves soon after the cause is gone.
    pub(super) short_ns: u64,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Who is told.
    pub severity: Severity,
    /// The rule, such as `14.4x over 1 h`.
    pub rule: String,
    /// When.
    pub fired_ns: u64,
    /// When it was over; `None` at the end of the run.
    pub resolved_ns: Option<u64>,
    /// Share of the budget that was gone by then.
    pub burnt: f64,
}

/// The windows are for a budget of 30 days; others scale with it.
const DAYS: u64 = 30;
const HOURS: u64 = DAYS * 24;

/// The rules of an objective's scheme, the most urgent first.
pub(super) fn rules(spec: &SloSpec) -> Vec<Rule> {
    // Parts of the window: an hour of 30 days is a 720th.
    let part = |hours: u64, minutes: u64| {
        let span = u128::from(spec.window_ns) * u128::from(hours * 60 + minutes) / u128::from(HOURS * 60);
        u64::try_from(span).unwrap_or(u64::MAX).max(1)
    };
    let rule = |severity, burn, long_ns, short_ns| Rule { severity, burn, long_ns, short_ns };
    match spec.scheme {
        AlertScheme::MultiWindow => vec![
            rule(Severity::Page, 14.4, part(1, 0), part(0, 5)),
            rule(Severity::Page, 6.0, part(6, 0), part(0, 30)),
            rule(Severity::Ticket, 1.0, part(72, 0), part(6, 0)),
        ],
        // One look back of an hour; the limits are in `level`.
        AlertScheme::Exhaustion => vec![rule(Severity::Page, 2.0, part(1, 0), part(1, 0))],
    }
}

/// What was good and bad, step by step: requests, or nanoseconds.
#[derive(Clone, Debug)]
pub struct Course {
    step_ns: u64,
    counts: Vec<(f64, f64)>,
}

impl Course {
    /// Good and bad of each step of `step_ns`.
    pub fn new(step_ns: u64, counts: Vec<(f64, f64)>) -> Course {
        Course { step_ns, counts }
    }

    /// Nothing counted up to `ended_ns`.
    pub(super) fn empty(ended_ns: u64, step_ns: u64) -> Course {
        let steps = usize::try_from(ended_ns.div_ceil(step_ns)).unwrap_or(0).max(1);
        Course { step_ns, counts: vec![(0.0, 0.0); steps] }
    }

    pub(super) fn count(&mut self, at_ns: u64, good: bool) {
        let step = self.step_of(at_ns);
        if good {
            self.counts[step].0 += 1.0;
        } else {
            self.counts[step].1 += 1.0;
        }
    }

    /// All time is good but the outages.
    pub(super) fn time(&mut self, down: &WindowSet) {
        for count in &mut self.counts {
            count.0 = self.step_ns as f64;
        }
        for &(from, to) in down.as_slice().iter().filter(|(from, to)| from < to) {
            for step in self.step_of(from)..=self.step_of(to - 1) {
                let start = step as u64 * self.step_ns;
                let overlap = to.min(start + self.step_ns).saturating_sub(from.max(start)) as f64;
                self.counts[step].0 -= overlap;
                self.counts[step].1 += overlap;
            }
        }
    }

    /// The same, with everything in these windows taken for good.
    pub(super) fn without(&self, quiet: &WindowSet) -> Course {
        let mut course = self.clone();
        for &(from, to) in quiet.as_slice() {
            for step in self.step_of(from)..=self.step_of(to) {
                let (good, bad) = course.counts[step];
                course.counts[step] = (good + bad, 0.0);
            }
        }
        course
    }

    pub(super) fn steps(&self) -> usize {
        self.counts.len()
    }

    /// Share of one window's budget that was gone after so many steps.
    pub(super) fn burnt(&self, spec: &SloSpec, steps: usize) -> f64 {
        let bad: f64 = self.counts[..steps].iter().map(|count| count.1).sum();
        bad / self.allowed(spec)
    }

    pub(super) fn exhausted(&self, spec: &SloSpec) -> Option<u64> {
        let allowed = self.allowed(spec);
        let mut bad = 0.0;
        let step = self.counts.iter().position(|count| {
            bad += count.1;
            bad >= allowed
        });
        step.map(|step| (step as u64 + 1) * self.step_ns)
    }

    /// Spells of bad that each burnt 2 % of the budget; a gap longer than `gap` ends a spell.
    pub(super) fn spells(&self, spec: &SloSpec, gap: u64) -> Vec<(u64, u64)> {
        const NOTABLE: f64 = 0.02;
        let mut spells: Vec<(u64, u64, f64)> = Vec::new();
        for (step, &(_, bad)) in self.counts.iter().enumerate().filter(|(_, count)| count.1 > 0.0) {
            let (start, end) = (step as u64 * self.step_ns, (step as u64 + 1) * self.step_ns);
            match spells.last_mut() {
                Some(last) if start <= last.1.saturating_add(gap) => *last = (last.0, end, last.2 + bad),
                _ => spells.push((start, end, bad)),
            }
        }
        let notable = NOTABLE * self.allowed(spec);
        spells.into_iter().filter(|spell| spell.2 >= notable).map(|(start, end, _)| (start, end)).collect()
    }

    /// What may be bad in one window: at the mean traffic of the run.
    fn allowed(&self, spec: &SloSpec) -> f64 {
        self.each() * (spec.window_ns as f64 / self.step_ns as f64) * (1.0 - spec.target)
    }

    /// Mean traffic of a step.
    fn each(&self) -> f64 {
        self.counts.iter().map(|count| count.0 + count.1).sum::<f64>() / self.counts.len() as f64
    }

    fn step_of(&self, at_ns: u64) -> usize {
        usize::try_from(at_ns / self.step_ns).unwrap_or(usize::MAX).min(self.counts.len() - 1)
    }
}

/// Burn rates from sums.
struct Burn<'c> {
    course: &'c Course,
    spec: &'c SloSpec,
    /// Traffic and bad up to the end of each step, with a zero first.
    sums: Vec<(f64, f64)>,
    each: f64,
    allowed: f64,
}

impl<'c> Burn<'c> {
    fn new(course: &'c Course, spec: &'c SloSpec) -> Burn<'c> {
        let mut sums = vec![(0.0, 0.0)];
        let (mut all, mut bad) = (0.0, 0.0);
        for count in &course.counts {
            all += count.0 + count.1;
            bad += count.1;
            sums.push((all, bad));
        }
        Burn { course, spec, sums, each: course.each(), allowed: course.allowed(spec) }
    }

    /// Burn rate over the time that ends with a step.
    fn rate(&self, step: usize, over_ns: u64) -> f64 {
        let steps = usize::try_from(over_ns / self.course.step_ns).unwrap_or(usize::MAX).max(1);
        let from = (step + 1).saturating_sub(steps);
        let missing = (steps - (step + 1 - from)) as f64;
        let all = self.sums[step + 1].0 - self.sums[from].0 + missing * self.each;
        let bad = self.sums[step + 1].1 - self.sums[from].1;
        if all > 0.0 { bad / all / (1.0 - self.spec.target) } else { 0.0 }
    }

    /// Whether a rate is too much. Counts are whole, but 1 − 0.999 is not a thousandth: equality is to
    /// nine digits.
    fn exceeds(&self, rate: f64, limit: f64) -> bool {
        if self.spec.strict { rate > limit * (1.0 + 1e-9) } else { rate >= limit * (1.0 - 1e-9) }
    }

    fn burnt(&self, step: usize) -> f64 {
        self.sums[step + 1].1 / self.allowed
    }

    /// The severity that the exhaustion scheme gives a step.
    fn level(&self, step: usize, rule: &Rule) -> Option<Severity> {
        let rate = self.rate(step, rule.long_ns);
        if rate <= 0.0 {
            return None;
        }
        let left = (1.0 - self.burnt(step)).max(0.0) * self.spec.window_ns as f64;
        let within_a_day = left / rate <= self.spec.window_ns as f64 / DAYS as f64;
        if rate > 2.0 * (1.0 + 1e-9) && within_a_day {
            Some(Severity::Page)
        } else if rate > 1.0 + 1e-9 {
            Some(Severity::Escalate)
        } else {
            Some(Severity::Ticket)
        }
    }
}

/// The alerts that a course raises, in order of time.
pub fn alerts(course: &Course, spec: &SloSpec) -> Vec<Alert> {
    let burn = Burn::new(course, spec);
    let rules = rules(spec);
    let mut alerts = Vec::new();
    match spec.scheme {
        AlertScheme::MultiWindow => {
            for rule in &rules {
                let name = format!("{}x over {}", rule.burn, crate::number::span_text(rule.long_ns));
                let active = |step: usize| {
                    let both = burn.exceeds(burn.rate(step, rule.long_ns), rule.burn)
                        && burn.exceeds(burn.rate(step, rule.short_ns), rule.burn);
                    both.then_some(rule.severity)
                };
                intervals(&burn, &name, &active, &mut alerts);
            }
        }
        AlertScheme::Exhaustion => {
            let rule = &rules[0];
            intervals(&burn, "burn and what is left", &|step| burn.level(step, rule), &mut alerts);
        }
    }
    alerts.sort_by_key(|alert| (alert.fired_ns, std::cmp::Reverse(alert.severity)));
    alerts
}

/// Maximal intervals of one severity, as alerts.
fn intervals(
    burn: &Burn<'_>,
    rule: &str,
    active: &dyn Fn(usize) -> Option<Severity>,
    alerts: &mut Vec<Alert>,
) {
    let step_ns = burn.course.step_ns;
    let mut open: Option<Alert> = None;
    for step in 0..burn.course.steps() {
        // Known at the end of the step.
        let at = (step as u64 + 1) * step_ns;
        let severity = active(step);
        if open.as_ref().map(|alert| alert.severity) == severity {
            continue;
        }
        if let Some(alert) = open.take() {
            alerts.push(Alert { resolved_ns: Some(at), ..alert });
        }
        open = severity.map(|severity| Alert {
            severity,
            rule: rule.to_owned(),
            fired_ns: at,
            resolved_ns: None,
            burnt: burn.burnt(step),
        });
    }
    alerts.extend(open);
}
