//! What expectations may name: the standard metrics, and those of the models in use.

use murphy_reports::MetricKind;

use super::ast::Statistic;
use crate::describe::{Dimension, ModelInfo};
use crate::language::WorkloadSpec;

/// A metric that every scenario has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardMetric {
    /// Name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// Labels that select a part of it.
    pub labels: &'static [&'static str],
}

const REQUEST: &[&str] = &["op", "workload"];
const NODE: &[&str] = &["node"];
const STRUCTURE: &[&str] = &["structure"];
const SLO: &[&str] = &["slo"];

/// The metrics that every scenario has, for `murphy list metrics`.
pub const STANDARD: &[StandardMetric] = &[
    StandardMetric {
        name: "offered",
        about: "requests that arrive, per second",
        dimension: Dimension::Rate,
        labels: REQUEST,
    },
    StandardMetric {
        name: "goodput",
        about: "requests that arrive and get their correct reply within the deadline, per second",
        dimension: Dimension::Rate,
        labels: REQUEST,
    },
    StandardMetric {
        name: "availability",
        about: "share of requests that are good; requests still open at the end with time left do not count",
        dimension: Dimension::One,
        labels: REQUEST,
    },
    StandardMetric {
        name: "error_rate",
        about: "share of requests that are not good: 1 - availability",
        dimension: Dimension::One,
        labels: REQUEST,
    },
    StandardMetric {
        name: "latency",
        about: "time from arrival to the correct reply",
        dimension: Dimension::Time,
        labels: REQUEST,
    },
    StandardMetric {
        name: "uptime",
        about: "share of time that the service is up, by synthetic probes",
        dimension: Dimension::One,
        labels: &[],
    },
    StandardMetric {
        name: "downtime",
        about: "time that the service is down, by synthetic probes",
        dimension: Dimension::Time,
        labels: &[],
    },
];

/// The metrics of every `[[structure]]`: name, what they say, dimension and kind.
pub const STRUCTURES: &[(&str, &str, Dimension, MetricKind)] = &[
    (
        "structure_up",
        "1 while enough of a structure is up, 0 otherwise: its mean over time is availability",
        Dimension::One,
        MetricKind::Gauge,
    ),
    ("structure_failures", "times that a structure went down", Dimension::One, MetricKind::Counter),
    ("structure_outage", "time from going down to being up again", Dimension::Time, MetricKind::Distribution),
];

/// The metrics of every `[slo]`, one figure each for the whole run: name, and what they say.
pub const SLOS: &[(&str, &str)] = &[
    ("slo_burnt", "share of one window's error budget that the run burnt"),
    ("slo_met", "1 when the run met the objective, 0 otherwise"),
    ("slo_pages", "pages, alerts that overlap being one"),
    ("slo_false_pages", "pages while no spell burnt 2 % of the budget"),
    ("slo_missed", "spells that burnt 2 % of the budget and paged nobody"),
    ("slo_suppressed", "page alerts that maintenance or deploys kept back"),
    ("slo_escalations", "alerts that escalate without a page"),
    ("slo_tickets", "alerts that end in a ticket"),
];

/// How a metric can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Standard(&'static StandardMetric),
    Structure(Dimension, MetricKind),
    Slo(Dimension, MetricKind),
    Model(Dimension, MetricKind),
}

impl Measure {
    pub(crate) fn labels(self) -> &'static [&'static str] {
        match self {
            Measure::Standard(metric) => metric.labels,
            Measure::Structure(..) => STRUCTURE,
            Measure::Slo(..) => SLO,
            Measure::Model(..) => NODE,
        }
    }

    /// Dimension of the metric without a statistic.
    pub(crate) fn plain(self, name: &str) -> Result<Dimension, String> {
        match self {
            Measure::Standard(metric) if metric.name != "latency" => Ok(metric.dimension),
            Measure::Model(dimension, MetricKind::Counter)
            | Measure::Structure(dimension, MetricKind::Counter)
            | Measure::Slo(dimension, MetricKind::Counter) => Ok(dimension),
            _ => Err(format!("`{name}` has many samples: say which figure of them")),
        }
    }

    /// Dimension of a statistic of the metric.
    pub(crate) fn statistic(self, statistic: Statistic) -> Result<Dimension, String> {
        let (dimension, kind) = match self {
            Measure::Standard(metric) => match (metric.name, statistic) {
                ("latency", _) => (metric.dimension, MetricKind::Distribution),
                ("offered" | "goodput", Statistic::Count) => return Ok(Dimension::One),
                (name, _) => return Err(format!("`{name}` is one figure: write it without a function")),
            },
            Measure::Model(dimension, kind)
            | Measure::Structure(dimension, kind)
            | Measure::Slo(dimension, kind) => (dimension, kind),
        };
        match (statistic, kind) {
            (Statistic::Count, _) => Ok(Dimension::One),
            (Statistic::Rate, MetricKind::Counter) => match dimension {
                Dimension::One => Ok(Dimension::Rate),
                Dimension::Bytes => Ok(Dimension::Bandwidth),
                _ => Err("the rate of this counter has no unit".to_owned()),
            },
            (Statistic::Rate, _) => Ok(Dimension::Rate),
            (_, MetricKind::Counter) => Err("a counter has a total, `count` and `rate` only".to_owned()),
            (Statistic::P50 | Statistic::P95 | Statistic::P99 | Statistic::P999, MetricKind::Gauge) => {
                Err("a gauge has `mean`, `min`, `max`, `count` and `rate` only".to_owned())
            }
            _ => Ok(dimension),
        }
    }
}

/// What an expectation of a scenario may name.
pub(crate) struct Known<'a> {
    /// Models of the nodes.
    pub(crate) models: Vec<&'a ModelInfo>,
    /// Faults, and whether they end.
    pub(crate) faults: Vec<(String, bool)>,
    pub(crate) workloads: &'a [WorkloadSpec],
    pub(crate) nodes: Vec<&'a str>,
    pub(crate) structures: Vec<&'a str>,
    pub(crate) slos: Vec<&'a str>,
}

impl Known<'_> {
    pub(crate) fn measure(&self, name: &str) -> Option<Measure> {
        if let Some(metric) = STANDARD.iter().find(|metric| metric.name == name) {
            return Some(Measure::Standard(metric));
        }
        if SLOS.iter().any(|metric| metric.0 == name) {
            return Some(Measure::Slo(Dimension::One, MetricKind::Counter));
        }
        if let Some((_, _, dimension, kind)) = STRUCTURES.iter().find(|metric| metric.0 == name) {
            return Some(Measure::Structure(*dimension, *kind));
        }
        let mut metrics = self.models.iter().flat_map(|model| &model.metrics);
        metrics.find(|metric| metric.name == name).map(|metric| Measure::Model(metric.dimension, metric.kind))
    }

    pub(crate) fn metric_names(&self) -> Vec<&str> {
        let own = self.models.iter().flat_map(|model| &model.metrics).map(|metric| metric.name);
        let of_structures = STRUCTURES.iter().map(|metric| metric.0);
        let of_slos = SLOS.iter().map(|metric| metric.0);
        STANDARD.iter().map(|metric| metric.name).chain(of_structures).chain(of_slos).chain(own).collect()
    }

    pub(crate) fn label_values(&self, label: &str) -> Vec<&str> {
        match label {
            "structure" => self.structures.clone(),
            "slo" => self.slos.clone(),
            "workload" => self.workloads.iter().map(|workload| workload.name.as_str()).collect(),
            "op" => {
                let mut ops: Vec<&str> =
                    self.workloads.iter().flat_map(|workload| &workload.ops).map(|op| op.name).collect();
                ops.sort_unstable();
                ops.dedup();
                ops
            }
            _ => self.nodes.clone(),
        }
    }
}
