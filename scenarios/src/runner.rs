//! Runs: every point with every seed, in parallel, folded in index order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use murphy_reports::{Batch, BatchBuilder, BatchInfo, ExpectationSummary, RunSummary};
use murphy_sim::Keep;
use rayon::prelude::*;

use crate::compare::{self, Figures};
use crate::describe::ModelInfo;
use crate::expect::{evaluate, wants_violated};
use crate::hazard::{self, Plan};
use crate::language::{Diagnostics, Document, Scenario, Set, folder, parse};
use crate::model::Model;
use crate::rows::{Row, Store};

/// A scenario file that was read, checked and matched with its model.
pub struct Study<'m> {
    /// The file.
    pub document: Document,
    points: Vec<Arc<Scenario>>,
    /// The model of each point: a sweep may set it.
    models: Vec<&'m dyn Model>,
}

impl<'m> Study<'m> {
    /// Reads a scenario file: the language's checks first, then the model's own.
    ///
    /// # Errors
    /// All mistakes of the file and of the overrides, and a plan beyond [`hazard::MAX_FAULTS`].
    pub fn open(
        text: &str,
        file: &str,
        read: &dyn Fn(&std::path::Path) -> std::io::Result<String>,
        models: &'m [Box<dyn Model>],
        overrides: &[Set],
    ) -> Result<Study<'m>, Diagnostics> {
        let infos: Vec<ModelInfo> = models.iter().map(|model| model.info().clone()).collect();
        let document = parse(text, file, read, &infos, overrides)?;
        let mut points = Vec::new();
        for point in document.points() {
            points.push(Arc::new(point.resolve()?));
        }
        let mut chosen = Vec::new();
        for point in &points {
            let model = model_of(&document, models, point)?;
            chosen.push(model);
            if let Some(problem) = model.check(point).first() {
                return Err(document.diagnose(&problem.place, &problem.message, None));
            }
            if let Some(place) = hazard::overfull(point) {
                let message = format!("the plan has more than {} faults", hazard::MAX_FAULTS);
                return Err(document.diagnose(
                    place,
                    &message,
                    Some("make faults rarer, or the run shorter"),
                ));
            }
        }
        Ok(Study { document, points, models: chosen })
    }

    /// The model of a point.
    pub(crate) fn model(&self, point: usize) -> &dyn Model {
        self.models[point]
    }

    /// The points, resolved.
    pub fn points(&self) -> &[Arc<Scenario>] {
        &self.points
    }

    /// The model that simulates each point.
    pub fn models(&self) -> &[&'m dyn Model] {
        &self.models
    }

    /// Seeds of each point: those given, else the design's, else each point's own.
    pub fn jobs(&self, seeds: &[u64]) -> Vec<Job> {
        let design = if seeds.is_empty() { self.document.seeds() } else { seeds };
        let mut jobs = Vec::new();
        for (index, point) in self.points.iter().enumerate() {
            if design.is_empty() {
                jobs.push(Job { point: index, seed: point.seed });
            }
            jobs.extend(design.iter().map(|&seed| Job { point: index, seed }));
        }
        jobs
    }

    /// The plan that generators make for a run; `None` when the scenario has none.
    pub fn plan(&self, job: Job) -> Option<RunPlan> {
        let scenario = &self.points[job.point];
        if !scenario.generates() {
            return None;
        }
        let point = folder(&scenario.point);
        let parts = ["points".to_owned(), point.clone(), format!("seed={:04}", job.seed)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let plan = hazard::expand(scenario, job.seed);
        Some(RunPlan { folder: parts.join("/"), point, seed: job.seed, plan })
    }

    /// Runs `jobs` on rayon's current pool, but for those that `store` has. `seen` is called for every
    /// run, in the order of the jobs, and before its course is dropped.
    ///
    /// When `stop` becomes true, the runs in flight are dropped and the batch has what was done before.
    pub fn run(
        &self,
        jobs: &[Job],
        info: BatchInfo,
        stop: &AtomicBool,
        store: &dyn Store,
        seen: &mut dyn FnMut(&RunSummary),
    ) -> Batch {
        let mut fold = self.fold(info);
        // Memory is bounded by a window of runs; within it rayon balances the load.
        let window = rayon::current_num_threads() * 16;
        for (ordinal, chunk) in jobs.chunks(window.max(1)).enumerate() {
            let first = ordinal * window;
            let one = |(offset, job): (usize, &Job)| {
                let index = first + offset;
                store.load(index).or_else(|| {
                    let row = self.row(*job, stop)?;
                    store.save(index, &row);
                    Some(row)
                })
            };
            let rows: Vec<Option<Row>> = chunk.par_iter().enumerate().map(one).collect();
            for (job, row) in chunk.iter().zip(rows) {
                let Some(row) = row else { return fold.finish() };
                seen(&row.summary);
                fold.add(*job, row);
            }
        }
        fold.finish()
    }

    /// Folds rows that come in the order of the jobs.
    pub fn fold(&self, info: BatchInfo) -> Fold<'_, 'm> {
        Fold {
            study: self,
            builder: BatchBuilder::new(info),
            expectations: Expectations::default(),
            figures: Figures::default(),
        }
    }

    /// One run, judged; `None` when `stop` became true before its end.
    pub fn row(&self, job: Job, stop: &AtomicBool) -> Option<Row> {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let scenario = &self.points[job.point];
        let record = self.models[job.point].prepare(scenario, job.seed, Keep::Nothing).finish(stop)?;
        let expectations = scenario.expectations.iter().map(|expect| evaluate(expect, &record)).collect();
        let figures = compare::figures(scenario, &record);
        let wanted = scenario.expectations.iter().filter_map(wants_violated).collect();
        Some(Row { summary: RunSummary { wanted, ..RunSummary::of(&record) }, expectations, figures })
    }
}

/// Rows on their way to a batch.
pub struct Fold<'s, 'm> {
    study: &'s Study<'m>,
    builder: BatchBuilder,
    expectations: Expectations,
    figures: Figures,
}

impl Fold<'_, '_> {
    /// Adds the row of the next job.
    pub fn add(&mut self, job: Job, row: Row) {
        self.expectations.add(job, &self.study.points[job.point], &row);
        self.figures.add(job.point, job.seed, &row.figures);
        self.builder.add(row.summary);
    }

    /// The batch of all rows so far.
    pub fn finish(self) -> Batch {
        let comparisons = self.figures.compare(self.study.document.compares(), &self.study.points[0]);
        self.builder.finish(self.expectations.list).with_comparisons(comparisons)
    }
}

/// One run to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Index of the point.
    pub point: usize,
    /// Seed.
    pub seed: u64,
}

/// The plan of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// Folder of the run's files within the results: `points/POINT/seed=0007`.
    pub folder: String,
    /// Its sweep point as in folder names; empty without a sweep.
    pub point: String,
    /// Seed.
    pub seed: u64,
    /// The plan.
    pub plan: Plan,
}

/// Expectations over the seeds of each point, in the order of points and of the file.
#[derive(Default)]
struct Expectations {
    list: Vec<ExpectationSummary>,
    point: Option<usize>,
    first: usize,
}

impl Expectations {
    fn add(&mut self, job: Job, scenario: &Scenario, run: &Row) {
        if self.point != Some(job.point) {
            self.point = Some(job.point);
            self.first = self.list.len();
            for (expectation, result) in scenario.expectations.iter().zip(&run.expectations) {
                self.list.push(ExpectationSummary::new(result, &scenario.point, expectation.over));
            }
        }
        for (summary, result) in self.list[self.first..].iter_mut().zip(&run.expectations) {
            summary.add(job.seed, result);
        }
    }
}

/// The one model whose nodes the scenario has at a point.
fn model_of<'m>(
    document: &Document,
    models: &'m [Box<dyn Model>],
    point: &Scenario,
) -> Result<&'m dyn Model, Diagnostics> {
    let owner = |kind: &str| {
        let owns = |model: &&'m dyn Model| model.info().kinds.iter().any(|known| known.name == kind);
        models.iter().map(|model| &**model).find(owns).expect("a checked scenario names kinds that exist")
    };
    let mut found: Option<&'m dyn Model> = None;
    for group in &point.groups {
        let model = owner(group.kind);
        match found {
            Some(first) if first.info().name != model.info().name => {
                let (a, b) = (first.info().name, model.info().name);
                let message =
                    format!("nodes of `{b}` cannot talk to nodes of `{a}`: one scenario has one model");
                return Err(document.diagnose(&group.place, &message, None));
            }
            _ => found = Some(model),
        }
    }
    Ok(found.expect("a checked scenario has nodes"))
}
