//! The course of one run as figures: availability, load, latency, faults and leaders over time.

use std::collections::BTreeMap;

use super::figure::{Caption, Figure};
use super::table::{Cell, Table};
use super::words;
use crate::plot::{Axis, Band, Chart, Lane, LaneChart, Point, Series, Stretch, Unit};
use crate::record::{Mark, MarkKind};
use crate::requests::RequestClass;
use crate::run::{FaultSummary, RunDetail, RunSummary};
use crate::series::{WINDOW_NS, WindowRow};

/// Most points a line has; a longer run joins windows.
const POINTS: u64 = 240;
/// Most fault lanes; with more faults, those of one kind and target share a lane.
const LANES: usize = 48;

/// Most rows of a table of faults.
const FAULTS: usize = 1000;

/// How windows that share a point are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Mean,
    Worst,
}

/// One line to be.
struct Line {
    /// Metric, followed by `/CLASS` for requests that ended badly.
    key: String,
    name: &'static str,
    ink: usize,
    broad: bool,
    /// Value of a window without a sample; `None` leaves a gap.
    absent: Option<f64>,
}

impl Line {
    fn new(key: &str, name: &'static str, ink: usize) -> Self {
        Line { key: key.to_owned(), name, ink, broad: false, absent: None }
    }
}

/// The one-second windows of one run, grouped so that a plot has at most [`POINTS`] points.
struct Course<'a> {
    run: &'a RunSummary,
    /// Values by metric, by point.
    values: BTreeMap<String, BTreeMap<u64, Vec<f64>>>,
    /// Windows a point.
    step: u64,
    points: u64,
    end: f64,
    bands: Vec<Band>,
    prefix: &'a str,
    which: &'a str,
}

/// Figures of a run over time. `prefix` makes their ids unique on the page.
pub(super) fn figures(run: &RunSummary, detail: &RunDetail, prefix: &str, which: &str) -> Vec<Figure> {
    let course = Course::new(run, detail, prefix, which);
    let linear = |unit| Axis::linear(unit);
    let availability = [
        Line::new("availability_by_requests", "requests", 0),
        Line::new("availability_by_time", "probes", 2),
    ];
    let load = [
        Line { broad: true, ..Line::new("offered_per_s", "offered", 0) },
        Line::new("goodput_per_s", "goodput", 2),
    ];
    let latency = [
        Line::new("latency_ms_p50", "p50", 0),
        Line::new("latency_ms_p95", "p95", 3),
        Line::new("latency_ms_p99", "p99", 1),
    ];
    let bad: Vec<Line> = RequestClass::BAD
        .into_iter()
        .map(|class| (format!("bad_per_s/{}", class.name()), class))
        .filter(|(key, _)| course.values.contains_key(key))
        .enumerate()
        .map(|(ink, (key, class))| Line { absent: Some(0.0), ..Line::new(&key, class.name(), ink) })
        .collect();
    let mut figures = vec![
        course.figure(
            ("availability", "Availability"),
            linear(Unit::Ratio),
            (&availability, Join::Mean),
            120,
        ),
        course.figure(("load", "Load and goodput"), linear(Unit::PerSecond), (&load, Join::Mean), 140),
        course.figure(
            ("latency", "Latency of correct replies"),
            Axis::log(Unit::Seconds),
            (&latency, Join::Worst),
            190,
        ),
    ];
    if !bad.is_empty() {
        let title = "Bad requests by outcome";
        figures.push(course.figure(("bad", title), linear(Unit::PerSecond), (&bad, Join::Mean), 120));
    }
    figures.push(faults(run, prefix, which));
    figures.extend(leaders(run, detail, prefix, which));
    figures.extend(breakers(run, detail, prefix, which));
    figures
}

impl<'a> Course<'a> {
    fn new(run: &'a RunSummary, detail: &RunDetail, prefix: &'a str, which: &'a str) -> Self {
        let windows = run.ended_ns.div_ceil(WINDOW_NS);
        let step = windows.div_ceil(POINTS).max(1);
        let whole = whole_label(&detail.windows);
        let mut values: BTreeMap<String, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
        for row in &detail.windows {
            if let Some(key) = key(row, &whole) {
                values.entry(key).or_default().entry(row.t_s / step).or_default().push(row.value);
            }
        }
        let bands = run.faults.iter().enumerate().map(|(ink, fault)| band(fault, ink)).collect();
        let end = run.ended_ns as f64 / 1e9;
        Course { run, values, step, points: windows.div_ceil(step), end, bands, prefix, which }
    }

    fn figure(
        &self,
        (id, title): (&str, &str),
        y: Axis,
        (lines, join): (&[Line], Join),
        height: u32,
    ) -> Figure {
        let series: Vec<Series> = lines.iter().filter_map(|line| self.series(line, join)).collect();
        let note = match (self.step, join) {
            (1, _) => format!("{}, windows of one second", self.which),
            (step, Join::Mean) => format!("{}, means over {step} s", self.which),
            (step, Join::Worst) => format!("{}, the worst second of every {step}", self.which),
        };
        let label = format!("{title} over {} of {}", Unit::Seconds.show(self.end), self.run.scenario);
        let labels: Vec<String> = (0..self.points).map(|point| format!("{} s", point * self.step)).collect();
        let caption = Caption {
            id: format!("{}-{id}", self.prefix),
            group: self.prefix,
            title,
            note: &note,
            x_name: "t",
        };
        let chart = Chart { label, x: Axis::time(self.end), y, series, bands: self.bands.clone(), height };
        Figure::chart(&caption, &chart, &labels)
    }

    /// The points of one line; `None` when the run has no sample of it.
    fn series(&self, line: &Line, join: Join) -> Option<Series> {
        let values = self.values.get(&line.key)?;
        let scale = if line.key.starts_with("latency_ms") { 1e-3 } else { 1.0 };
        let points = (0..self.points).map(|index| {
            let windows = (self.step as f64).min(self.end - (index * self.step) as f64).ceil();
            let joined = values.get(&index).map(|values| match (join, line.absent) {
                (Join::Mean, None) => values.iter().sum::<f64>() / values.len() as f64,
                (Join::Mean, Some(absent)) => {
                    (values.iter().sum::<f64>() + absent * (windows - values.len() as f64)) / windows
                }
                (Join::Worst, _) => values.iter().copied().fold(0.0, f64::max),
            });
            let start = (index * self.step) as f64;
            let end = (start + self.step as f64).min(self.end);
            Point {
                x: f64::midpoint(start, end),
                y: joined.or(line.absent).map(|value| value * scale),
                interval: None,
            }
        });
        Some(Series {
            name: line.name.to_owned(),
            ink: line.ink,
            broad: line.broad,
            points: points.collect(),
        })
    }
}

/// Under which key a row is kept; `None` when it is about a part of the requests.
fn key(row: &WindowRow, whole: &str) -> Option<String> {
    if row.metric == "bad_per_s" {
        let (labels, class) = row.labels.rsplit_once("class=")?;
        return (labels.trim_end_matches(',') == whole).then(|| format!("bad_per_s/{class}"));
    }
    (row.labels == whole || row.metric == "availability_by_time").then(|| row.metric.clone())
}

/// The labels that stand for all requests: none, or the only workload's.
fn whole_label(windows: &[WindowRow]) -> String {
    let offered = || windows.iter().filter(|row| row.metric == "offered_per_s");
    if offered().any(|row| row.labels.is_empty()) {
        return String::new();
    }
    offered().map(|row| row.labels.clone()).next().unwrap_or_default()
}

fn band(fault: &FaultSummary, ink: usize) -> Band {
    let fault = &fault.fault;
    let end = fault.end_ns.map(|end| end as f64 / 1e9);
    Band { name: fault.name.clone(), ink, start: fault.start_ns as f64 / 1e9, end }
}

/// A lane for every fault with what it hit, or for every kind and target when there are very many.
fn faults(run: &RunSummary, prefix: &str, which: &str) -> Figure {
    let mut lanes: Vec<Lane> = Vec::new();
    let grouped = run.faults.len() > LANES;
    for (ink, summary) in run.faults.iter().enumerate() {
        let fault = &summary.fault;
        let band = band(summary, ink);
        let stretch = Stretch { start: band.start, end: band.end };
        if grouped {
            let name = format!("{} {}", fault.kind, fault.target);
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.name == name) {
                lane.stretches.push(stretch);
                continue;
            }
            lanes.push(Lane { name, note: String::new(), ink: lanes.len(), stretches: vec![stretch] });
        } else {
            let note = format!("{} {}: {}", fault.kind, fault.target, words::hits(&fault.hits));
            lanes.push(Lane { name: fault.name.clone(), note, ink, stretches: vec![stretch] });
        }
    }
    let shared = format!("{which}, {} faults; those of one kind and target share a lane", run.faults.len());
    let note = if grouped { shared.as_str() } else { which };
    let end = run.ended_ns as f64 / 1e9;
    let label = format!("Faults over {}", Unit::Seconds.show(end));
    let caption =
        Caption { id: format!("{prefix}-faults"), group: prefix, title: "Faults", note, x_name: "" };
    let mut figure = Figure::lanes(&caption, &LaneChart { label, end, lanes }, fault_table(run));
    if run.faults.is_empty() {
        figure.svg.clear();
        "no fault was injected".clone_into(&mut figure.note);
    }
    figure
}

fn fault_table(run: &RunSummary) -> Table {
    let heads = ["Fault", "Kind", "Target", "#From", "#To", "Hit", "#Mitigated after", "#Recovered after"];
    let mut table = Table::new("Faults", &heads).or("No fault was injected.");
    for summary in &run.faults {
        let fault = &summary.fault;
        let to = fault.end_ns.map_or_else(|| "for good".to_owned(), words::instant);
        table.push(vec![
            Cell::text(fault.name.clone()),
            Cell::text(fault.kind.clone()),
            Cell::text(fault.target.clone()),
            Cell::number(words::instant(fault.start_ns), fault.start_ns as f64),
            Cell::number(to, fault.end_ns.map_or(f64::INFINITY, |end| end as f64)),
            Cell { class: "wide-text", ..Cell::text(words::hits(&fault.hits)) },
            Cell { class: "num", ..Cell::text(words::elapsed(summary.mitigation)) },
            Cell { class: "num", ..Cell::text(words::elapsed(summary.recovery)) },
        ]);
    }
    table.tall = run.faults.len() > 40;
    table.capped(FAULTS, "faults.csv")
}

/// Lanes of the nodes that led, and of the nodes that were down; none when no node ever said so.
fn leaders(run: &RunSummary, detail: &RunDetail, prefix: &str, which: &str) -> Option<Figure> {
    let mut lanes = Vec::new();
    for (index, name) in detail.nodes.iter().enumerate() {
        let node = u32::try_from(index).unwrap_or(u32::MAX);
        let (spans, views) = leads(&detail.marks, node);
        if !spans.is_empty() {
            let words = format!("leads {}", words::some_of(&views, 8));
            lanes.push(Lane { name: name.clone(), note: words, ink: lanes.len(), stretches: spans });
        }
        let down = downs(&detail.marks, node);
        if !down.is_empty() {
            lanes.push(Lane { name: name.clone(), note: "is down".to_owned(), ink: 3, stretches: down });
        }
    }
    if lanes.is_empty() || lanes.len() > LANES {
        return None;
    }
    let mut table = Table::new("Leaders and crashes", &["Node", "State", "#From", "#To"]);
    for lane in &lanes {
        for stretch in &lane.stretches {
            let to = stretch.end.map_or_else(|| "the end".to_owned(), |end| format!("{end:.3} s"));
            table.push(vec![
                Cell::text(lane.name.clone()),
                Cell::text(if lane.note == "is down" { "down" } else { "leader" }),
                Cell::number(format!("{:.3} s", stretch.start), stretch.start),
                Cell { class: "num", ..Cell::text(to) },
            ]);
        }
    }
    table.tall = table.rows.len() > 12;
    let end = run.ended_ns as f64 / 1e9;
    let title = "Leaders and crashes";
    let caption = Caption { id: format!("{prefix}-leaders"), group: prefix, title, note: which, x_name: "" };
    Some(Figure::lanes(&caption, &LaneChart { label: title.to_owned(), end, lanes }, table))
}

/// Lanes of the breakers of every node that has some, while they are open and half open.
fn breakers(run: &RunSummary, detail: &RunDetail, prefix: &str, which: &str) -> Option<Figure> {
    let mut lanes = Vec::new();
    let mut table = Table::new("Breakers", &["Node", "State", "#From", "#To"]);
    for (index, name) in detail.nodes.iter().enumerate() {
        for (state, word, ink) in [(2, "open", 1), (1, "half open", 4)] {
            let stretches = in_state(&detail.breakers, u32::try_from(index).unwrap_or(u32::MAX), state);
            for stretch in &stretches {
                let to = stretch.end.map_or_else(|| "the end".to_owned(), |end| format!("{end:.3} s"));
                table.push(vec![
                    Cell::text(name.clone()),
                    Cell::text(word),
                    Cell::number(format!("{:.3} s", stretch.start), stretch.start),
                    Cell { class: "num", ..Cell::text(to) },
                ]);
            }
            if !stretches.is_empty() {
                let times =
                    if stretches.len() == 1 { "once".into() } else { format!("{} times", stretches.len()) };
                lanes.push(Lane { name: name.clone(), note: format!("{word} {times}"), ink, stretches });
            }
        }
    }
    if lanes.is_empty() || lanes.len() > LANES {
        return None;
    }
    let end = run.ended_ns as f64 / 1e9;
    let title = "Circuit breakers";
    let caption = Caption { id: format!("{prefix}-breakers"), group: prefix, title, note: which, x_name: "" };
    let table = table.capped(FAULTS, "windows.csv");
    Some(Figure::lanes(&caption, &LaneChart { label: title.to_owned(), end, lanes }, table))
}

/// When the breakers of a node were in a state: from a change to it until the next change.
fn in_state(changes: &[(u64, u32, u8)], node: u32, state: u8) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for &(at_ns, _, to) in changes.iter().filter(|change| change.1 == node) {
        let at = at_ns as f64 / 1e9;
        if let Some(last) = stretches.last_mut().filter(|last| last.end.is_none()) {
            last.end = Some(at);
        }
        if to == state {
            stretches.push(Stretch { start: at, end: None });
        }
    }
    stretches
}

/// When a node led, and in which views: from its claim to another's claim of a later view, or its crash.
fn leads(marks: &[Mark], node: u32) -> (Vec<Stretch>, Vec<u64>) {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut views = Vec::new();
    let mut leading: Option<u64> = None;
    for mark in marks {
        let at = mark.at_ns as f64 / 1e9;
        let ends = match mark.kind {
            MarkKind::Leader if mark.node == node => {
                views.push(mark.value);
                if leading.replace(mark.value).is_none() {
                    stretches.push(Stretch { start: at, end: None });
                }
                false
            }
            MarkKind::Leader => leading.is_some_and(|view| mark.value > view),
            MarkKind::Crash => mark.node == node,
            _ => false,
        };
        if ends
            && leading.take().is_some()
            && let Some(last) = stretches.last_mut()
        {
            last.end = Some(at);
        }
    }
    (stretches, views)
}

/// When a node was down: from a crash to its restart.
fn downs(marks: &[Mark], node: u32) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for mark in marks.iter().filter(|mark| mark.node == node) {
        let at = mark.at_ns as f64 / 1e9;
        let open = stretches.last().is_some_and(|last| last.end.is_none());
        match mark.kind {
            MarkKind::Crash if !open => stretches.push(Stretch { start: at, end: None }),
            MarkKind::Restart if open => {
                if let Some(last) = stretches.last_mut() {
                    last.end = Some(at);
                }
            }
            _ => {}
        }
    }
    stretches
}
