//! Points of a sweep compared seed by seed: what both share cancels.

use serde::{Deserialize, Serialize};

use crate::bootstrap::paired_difference;
use crate::estimate::{Estimate, Interval};
use crate::expectation::Judgement;
use crate::number::significant;
use crate::tables::point_text;

/// A figure at points that differ in one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonSummary {
    /// Axis.
    pub axis: String,
    /// The figure, as it is written.
    pub metric: String,
    /// Its unit, such as `/s`; empty for a plain number.
    pub unit: String,
    /// Scenario file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Name and value of the other axes.
    pub point: Vec<(String, String)>,
    /// Value of the axis that the others are compared with.
    pub base: String,
    /// The others, in order.
    pub arms: Vec<ArmSummary>,
    /// What had to come out.
    pub claim: Option<ClaimSummary>,
}

/// One value of the axis against the base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// Value of the axis.
    pub value: String,
    /// Seeds of which both have the figure.
    pub pairs: u64,
    /// Mean of the base over those seeds.
    pub base_mean: Option<f64>,
    /// Mean of this value over those seeds.
    pub mean: Option<f64>,
    /// This value minus the base, with its interval.
    pub difference: Option<Estimate>,
    /// `higher`, `lower` or `no difference shown`; where it is known which is good, `better` or `worse`.
    pub verdict: String,
}

/// A claim about two values of the axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimSummary {
    /// As it is written.
    pub text: String,
    /// Left side minus right side with its margin.
    pub difference: Option<Estimate>,
    /// Whether it was shown.
    pub verdict: Judgement,
}

impl ArmSummary {
    /// Compares the figures of one value with those of the base; each pair is one seed. `higher_is_good`
    /// is `None` when nobody can say.
    pub fn new(value: &str, pairs: &[(f64, f64)], higher_is_good: Option<bool>) -> ArmSummary {
        let (base, other): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let mean = |values: &[f64]| (!values.is_empty()).then(|| crate::stats::mean(values));
        let difference = paired_difference(&base, &other).ok();
        let verdict = match (sign(difference.as_ref()), higher_is_good) {
            (None, _) => "no difference shown",
            (Some(up), None) => {
                if up {
                    "higher"
                } else {
                    "lower"
                }
            }
            (Some(up), Some(good)) => {
                if up == good {
                    "better"
                } else {
                    "worse"
                }
            }
        };
        ArmSummary {
            value: value.to_owned(),
            pairs: pairs.len() as u64,
            base_mean: mean(&base),
            mean: mean(&other),
            difference,
            verdict: verdict.to_owned(),
        }
    }
}

/// Whether a difference is above zero; `None` when its interval does not tell.
fn sign(difference: Option<&Estimate>) -> Option<bool> {
    let Interval { low, high, .. } = difference?.interval.as_ref()?;
    if *low > 0.0 {
        Some(true)
    } else if *high < 0.0 {
        Some(false)
    } else {
        None
    }
}

impl ComparisonSummary {
    /// One line for each value against the base, and one for the claim.
    pub fn lines(&self) -> Vec<String> {
        let number = |value: f64| format!("{}{}", significant(value, 4), self.unit);
        let signed = |value: f64| {
            if value >= 0.0 { format!("+{}", significant(value, 4)) } else { significant(value, 4) }
        };
        let point = point_text(&self.point);
        let mut lines = Vec::new();
        for arm in &self.arms {
            let values = match (arm.base_mean, arm.mean) {
                (Some(base), Some(mean)) => {
                    format!("{} {}, {} {}", self.base, number(base), arm.value, number(mean))
                }
                _ => format!("{} and {} have no seed in common", self.base, arm.value),
            };
            let difference = arm.difference.as_ref().map_or(String::new(), |difference| {
                let interval = difference.interval.as_ref();
                let interval = interval.map_or(" (no interval from one pair)".to_owned(), |interval| {
                    format!(" [{}, {}]", signed(interval.low), signed(interval.high))
                });
                format!("  {}{interval}", signed(difference.point))
            });
            let point = if point.is_empty() { String::new() } else { format!("{point}  ") };
            lines.push(format!("{point}{values}{difference}  {}", arm.verdict));
        }
        lines
    }

    /// Pairs of seeds that the first of its values has.
    pub fn pairs(&self) -> u64 {
        self.arms.iter().map(|arm| arm.pairs).max().unwrap_or(0)
    }
}

/// `compare.csv`: one row for each value against its base.
pub fn compare_csv(comparisons: &[ComparisonSummary]) -> String {
    let mut text =
        "axis,metric,unit,point,base,value,pairs,base_mean,mean,difference,low,high,level,verdict\n"
            .to_owned();
    let cell = |value: Option<f64>| value.map_or(String::new(), crate::number::nine_digits);
    for comparison in comparisons {
        for arm in &comparison.arms {
            let interval = arm.difference.as_ref().and_then(|difference| difference.interval.as_ref());
            let row = [
                quoted(&comparison.axis),
                quoted(&comparison.metric),
                quoted(&comparison.unit),
                quoted(&point_text(&comparison.point)),
                quoted(&comparison.base),
                quoted(&arm.value),
                arm.pairs.to_string(),
                cell(arm.base_mean),
                cell(arm.mean),
                cell(arm.difference.as_ref().map(|difference| difference.point)),
                cell(interval.map(|interval| interval.low)),
                cell(interval.map(|interval| interval.high)),
                cell(interval.map(|interval| interval.level)),
                quoted(&arm.verdict),
            ];
            text.push_str(&row.join(","));
            text.push('\n');
        }
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_only_when_its_interval_leaves_out_zero() {
        let noise = [0.3, -0.2, 0.1, -0.4, 0.2, 0.0, -0.1, 0.3, -0.3, 0.1];
        for (shift, good, expected) in [
            (5.0, Some(true), "better"),
            (5.0, Some(false), "worse"),
            (-5.0, None, "lower"),
            (5.0, None, "higher"),
            (0.0, Some(true), "no difference shown"),
        ] {
            let pairs: Vec<(f64, f64)> =
                noise.iter().enumerate().map(|(i, noise)| (i as f64, i as f64 + shift + noise)).collect();
            assert_eq!(ArmSummary::new("b", &pairs, good).verdict, expected, "shift {shift}");
        }
        assert_eq!(ArmSummary::new("b", &[(1.0, 9.0)], None).verdict, "no difference shown");
        assert_eq!(ArmSummary::new("b", &[], None).mean, None);
    }
}
