//! What `murphy check` prints, and what `murphy schema` prints.

use std::fmt::Write as _;

use murphy_sim::Time;
use serde_json::{Value as Json, json};

use super::document::Document;
use super::fields::Field;
use super::scenario::{ArrivalSpec, Scenario, WorkloadSpec};
use super::tables::File;
use crate::describe::ModelInfo;

/// JSON Schema of the scenario file, from the declarations that read it.
pub fn schema(models: &[ModelInfo]) -> Json {
    let mut schema = File::schema(models);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Murphy scenario");
    schema
}

impl Document {
    /// The plan: points, seeds and runs, then nodes, workloads, faults and expectations of the first
    /// point. `seeds` is what the command line chose; empty for the file's own.
    pub fn plan(&self, seeds: &[u64]) -> String {
        let points = self.points();
        let seeds = match (seeds.len(), self.seeds().len()) {
            (0, 0) => 1,
            (0, own) => own,
            (given, _) => given,
        };
        let mut out = String::new();
        let Some(Ok(scenario)) = points.first().map(super::document::Point::resolve) else { return out };
        let about = if scenario.about.is_empty() { String::new() } else { format!(": {}", scenario.about) };
        _ = writeln!(out, "{}{about}", scenario.name);
        let runs = points.len() * seeds;
        let (points_word, seeds_word) = (many(points.len(), "point"), many(seeds, "seed"));
        let length = super::quantity::duration_text(scenario.duration.0);
        _ = writeln!(out, "{points_word} x {seeds_word} = {} of {length}", many(runs, "run"));
        for axis in self.axis_texts() {
            _ = writeln!(out, "  axis      {axis}");
        }
        scenario.plan(&mut out);
        out
    }

    fn axis_texts(&self) -> Vec<String> {
        let points = self.points();
        let text = |(index, name): (usize, &str)| {
            let mut values: Vec<String> = Vec::new();
            for point in &points {
                let value = point.values()[index].1.clone();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            format!("{name}: {}", super::diagnostic::listed(&values))
        };
        self.axes().into_iter().enumerate().map(text).collect()
    }
}

impl Scenario {
    fn plan(&self, out: &mut String) {
        for group in &self.groups {
            let name = |index: usize| self.nodes[index].name.as_str();
            let names = match group.nodes.len() {
                1 => name(group.nodes.start).to_owned(),
                _ => format!("{}…{}", name(group.nodes.start), name(group.nodes.end - 1)),
            };
            _ = writeln!(out, "  nodes     {names}: {} {}", group.nodes.len(), group.kind);
        }
        for workload in &self.workloads {
            _ = writeln!(out, "  workload  {}", workload_text(workload));
        }
        for hazard in &self.hazards {
            _ = writeln!(out, "  hazard    {}: {}", hazard.name, hazard.kind);
        }
        if self.generates() {
            let plan = crate::hazard::expand(self, self.seed);
            let faults = many(plan.faults.len(), "fault");
            _ = writeln!(out, "  plan      {faults} with seed {}", self.seed);
            for note in &plan.notes {
                _ = writeln!(out, "            {note}");
            }
        }
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|fault| fault.start);
        for fault in faults {
            let end = fault.duration.map(|length| fault.start.saturating_add(length));
            let late =
                if fault.start.0 >= self.duration.0 { "  (starts after the end of the run)" } else { "" };
            let (start, end) = (time(fault.start), end.map_or("the end".to_owned(), time));
            _ = writeln!(
                out,
                "  fault     {start} to {end}  {}: {} {}{late}",
                fault.name, fault.kind, fault.target
            );
        }
        for expectation in &self.expectations {
            _ = writeln!(out, "  expect    {}", expectation.that);
        }
    }
}

fn workload_text(workload: &WorkloadSpec) -> String {
    let deadline = super::quantity::duration_text(workload.deadline.0);
    let clients = many(workload.from.len(), "client");
    format!("{}: {} from {clients}, deadline {deadline}", workload.name, arrivals_text(&workload.arrivals))
}

fn arrivals_text(arrivals: &ArrivalSpec) -> String {
    match arrivals {
        ArrivalSpec::Poisson { rate }
        | ArrivalSpec::Constant { rate }
        | ArrivalSpec::Burst { rate, .. }
        | ArrivalSpec::Diurnal { mean: rate, .. } => format!("{rate}/s"),
        ArrivalSpec::Steps { steps } => many(steps.len(), "step"),
        ArrivalSpec::Trace { times } => many(times.len(), "request"),
        ArrivalSpec::Closed { users, .. } => many(*users as usize, "user"),
        ArrivalSpec::Sessions { rate, .. } => format!("{rate}/s sessions"),
    }
}

fn time(time: Time) -> String {
    super::quantity::duration_text(time.0)
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
