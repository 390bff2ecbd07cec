//! Comparisons of points: figures of the same seed side by side, and the claims about them.

use std::collections::BTreeMap;

use murphy_reports::{
    ArmSummary, ClaimSummary, ComparisonSummary, Estimate, Judgement, RunRecord, bootstrap_mean_at, mean,
};

use crate::describe::Dimension;
use crate::expect::{Atom, Comparison, measure};
use crate::language::{Claim, CompareGroup, CompareSpec, Figure, Margin, Scenario};

/// The figures of all runs so far: by comparison, point and seed.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<(usize, usize, u64), f64>);

/// The figures of one run, in the order of the comparisons.
pub(crate) fn figures(scenario: &Scenario, run: &RunRecord) -> Vec<Option<f64>> {
    let figure =
        |Figure { sum, window }: &Figure| measure(sum, window, run).ok().filter(|value| value.is_finite());
    scenario.figures.iter().map(figure).collect()
}

impl Figures {
    /// Takes down the figures of one run.
    pub(crate) fn add(&mut self, point: usize, seed: u64, figures: &[Option<f64>]) {
        for (index, figure) in figures.iter().enumerate() {
            if let Some(value) = figure {
                self.0.insert((index, point, seed), *value);
            }
        }
    }

    /// Every comparison of every group of points.
    pub(crate) fn compare(&self, specs: &[Option<CompareSpec>], point: &Scenario) -> Vec<ComparisonSummary> {
        let mut summaries = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let (Some(spec), Some(figure)) = (spec, point.figures.get(index)) else { continue };
            summaries.extend(spec.groups.iter().map(|group| self.group(index, spec, group, figure)));
        }
        summaries
    }

    fn group(
        &self,
        index: usize,
        spec: &CompareSpec,
        group: &CompareGroup,
        figure: &Figure,
    ) -> ComparisonSummary {
        let (base, base_point) = &group.arms[group.base];
        let others = group.arms.iter().filter(|(value, _)| value != base);
        let arms = others.map(|(value, point)| {
            ArmSummary::new(value, &self.pairs(index, *base_point, *point), higher_is_good(figure))
        });
        ComparisonSummary {
            axis: spec.axis.clone(),
            metric: spec.metric.clone(),
            unit: unit(figure.sum.dimension).to_owned(),
            file: spec.place.file.to_string(),
            line: u32::try_from(spec.place.line).unwrap_or(u32::MAX),
            point: group.point.clone(),
            base: base.clone(),
            arms: arms.collect(),
            claim: spec.claim.as_ref().map(|claim| self.claim(index, claim, group)),
        }
    }

    /// The figures of the seeds that both points have.
    fn pairs(&self, index: usize, base: usize, other: usize) -> Vec<(f64, f64)> {
        let of_base = self.0.range((index, base, 0)..=(index, base, u64::MAX));
        of_base.filter_map(|(&(_, _, seed), a)| Some((*a, *self.0.get(&(index, other, seed))?))).collect()
    }

    /// Holds when the whole interval of the difference lies on the claimed side.
    fn claim(&self, index: usize, claim: &Claim, group: &CompareGroup) -> ClaimSummary {
        let point = |value: &str| group.arms.iter().find(|(arm, _)| arm == value).map(|(_, point)| *point);
        let differences: Vec<f64> = match (point(&claim.right), point(&claim.left)) {
            (Some(right), Some(left)) => {
                let pairs = self.pairs(index, right, left);
                pairs.into_iter().map(|(right, left)| left - with_margin(right, claim.margin)).collect()
            }
            _ => Vec::new(),
        };
        let interval = bootstrap_mean_at(&differences, 1, claim.confidence).ok();
        let verdict = interval.as_ref().map_or(Judgement::Inconclusive, |interval| {
            let shown = match claim.op {
                Comparison::Less => interval.high < 0.0,
                Comparison::LessEqual => interval.high <= 0.0,
                Comparison::Greater => interval.low > 0.0,
                _ => interval.low >= 0.0,
            };
            if shown { Judgement::Pass } else { Judgement::Fail }
        });
        let runs = differences.len() as u64;
        let difference = interval.map(|interval| Estimate {
            point: mean(&differences),
            interval: Some(interval),
            note: String::new(),
            runs,
        });
        ClaimSummary { text: claim.text.clone(), difference, verdict }
    }
}

fn with_margin(right: f64, margin: Margin) -> f64 {
    match margin {
        Margin::Share(share) => right * (1.0 + share),
        Margin::Amount(amount, _) => right + amount,
    }
}

/// Whether more of a single standard metric is good; `None` when nobody can say.
fn higher_is_good(figure: &Figure) -> Option<bool> {
    let [(false, atoms)] = figure.sum.terms.as_slice() else { return None };
    match atoms.as_slice() {
        [Atom::Metric(metric) | Atom::Statistic(_, metric)] => match metric.name.as_str() {
            "goodput" | "availability" | "uptime" => Some(true),
            "latency" | "error_rate" | "downtime" => Some(false),
            _ => None,
        },
        [Atom::Mitigation(_) | Atom::Recovery(_)] => Some(false),
        _ => None,
    }
}

fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::One => "",
        Dimension::Time => " s",
        Dimension::Rate => "/s",
        Dimension::Bytes => " B",
        Dimension::Bandwidth => " B/s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> CompareGroup {
        CompareGroup { point: Vec::new(), arms: vec![("a".to_owned(), 0), ("b".to_owned(), 1)], base: 0 }
    }

    /// Ten seeds: `a` is 100 and a little, `b` is that and ten more.
    fn figures() -> Figures {
        let mut figures = Figures::default();
        for seed in 0..10 {
            let noise = (seed % 3) as f64 - 1.0;
            figures.add(0, seed, &[Some(100.0 + 20.0 * noise)]);
            figures.add(1, seed, &[Some(110.0 + 20.0 * noise + noise / 10.0)]);
        }
        figures
    }

    #[test]
    fn a_claim_needs_its_whole_interval_on_one_side() {
        for (left, op, right, margin, expected) in [
            ("b", Comparison::GreaterEqual, "a", Margin::Share(0.0), Judgement::Pass),
            ("b", Comparison::GreaterEqual, "a", Margin::Amount(9.0, Dimension::One), Judgement::Pass),
            ("b", Comparison::GreaterEqual, "a", Margin::Amount(11.0, Dimension::One), Judgement::Fail),
            ("b", Comparison::GreaterEqual, "a", Margin::Share(0.2), Judgement::Fail),
            ("a", Comparison::Less, "b", Margin::Share(0.0), Judgement::Pass),
            ("a", Comparison::Greater, "b", Margin::Share(0.0), Judgement::Fail),
            ("c", Comparison::Greater, "b", Margin::Share(0.0), Judgement::Inconclusive),
        ] {
            let (left, right) = (left.to_owned(), right.to_owned());
            let claim = Claim { text: String::new(), left, op, right, margin, confidence: 0.95 };
            assert_eq!(figures().claim(0, &claim, &group()).verdict, expected, "{claim:?}");
        }
    }

    #[test]
    fn pairs_are_seeds_that_both_have() {
        let mut figures = figures();
        figures.add(0, 77, &[Some(1.0)]);
        figures.add(1, 78, &[None]);
        assert_eq!(figures.pairs(0, 0, 1).len(), 10);
    }
}
