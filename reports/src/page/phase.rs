//! Phase diagrams: in a sweep over two axes of numbers, the share of seeds that fail an expectation.

use super::figure::{Caption, Figure};
use super::sweep::number;
use super::table::{Cell, Table};
use crate::batch::Batch;
use crate::expectation::ExpectationSummary;
use crate::plot::{HeatCell, HeatMap};
use crate::stats::wilson;

/// Most diagrams of a page.
const MOST: usize = 12;

/// A point without the two axes of a diagram.
type Rest = Vec<(String, String)>;

/// One diagram for each expectation and each combination of the other axes.
pub(super) fn figures(batch: &Batch) -> Vec<Figure> {
    let Some((x, y)) = axes(batch) else { return Vec::new() };
    let mut keys: Vec<(u32, String, Rest)> = Vec::new();
    for one in &batch.expectations {
        let key = (one.line, one.text.clone(), rest(&one.point, (x, y)));
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let figures = keys.iter().enumerate().filter_map(|(index, key)| diagram(batch, (x, y), key, index));
    figures.take(MOST).collect()
}

/// The two axes with the most values that are numbers: the longer one is horizontal.
fn axes(batch: &Batch) -> Option<(usize, usize)> {
    let count = batch.points.first()?.point.len();
    let mut lengths: Vec<(usize, usize)> = (0..count)
        .filter_map(|axis| {
            let values = values(batch.points.iter().map(|point| &point.point), axis)?;
            (values.len() > 1).then_some((values.len(), axis))
        })
        .collect();
    lengths.sort_by_key(|&(length, axis)| (std::cmp::Reverse(length), axis));
    match lengths[..] {
        [(_, x), (_, y), ..] => Some((x, y)),
        _ => None,
    }
}

/// The values of an axis in order; `None` if they are not numbers of one unit.
fn values<'a>(points: impl Iterator<Item = &'a Rest>, axis: usize) -> Option<Vec<(f64, String)>> {
    let mut found: Vec<(f64, String)> = Vec::new();
    let mut unit = None;
    for point in points {
        let text = &point.get(axis)?.1;
        let (value, of) = number(text)?;
        if *unit.get_or_insert_with(|| of.to_owned()) != of {
            return None;
        }
        if !found.iter().any(|(known, _)| known.total_cmp(&value).is_eq()) {
            found.push((value, text.clone()));
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(found)
}

fn rest(point: &Rest, (x, y): (usize, usize)) -> Rest {
    let kept = point.iter().enumerate().filter(|(axis, _)| *axis != x && *axis != y);
    kept.map(|(_, pair)| pair.clone()).collect()
}

fn diagram(batch: &Batch, (x, y): (usize, usize), key: &(u32, String, Rest), index: usize) -> Option<Figure> {
    let of_key = |one: &&ExpectationSummary| {
        one.line == key.0 && one.text == key.1 && rest(&one.point, (x, y)) == key.2
    };
    let judged: Vec<&ExpectationSummary> = batch.expectations.iter().filter(of_key).collect();
    let across = values(judged.iter().map(|one| &one.point), x)?;
    let up = values(judged.iter().map(|one| &one.point), y)?;
    let single = judged.iter().all(|one| one.total < 2);
    if across.len() < 2 || up.len() < 2 || single {
        return None;
    }
    let cell = |row: &(f64, String), column: &(f64, String)| {
        let here = |one: &&&ExpectationSummary| {
            let is = |axis: usize, value: f64| {
                number(&one.point[axis].1).is_some_and(|(found, _)| found.total_cmp(&value).is_eq())
            };
            is(x, column.0) && is(y, row.0)
        };
        let one = judged.iter().find(here)?;
        let missed = one.total - one.passed;
        let interval = wilson(missed, one.total, 0.95).ok()?;
        let share = missed as f64 / one.total as f64;
        Some(HeatCell { share, interval: Some((interval.low, interval.high)) })
    };
    let cells = up.iter().map(|row| across.iter().map(|column| cell(row, column)).collect()).collect();
    let names = &batch.points[0].point;
    let texts = |values: &[(f64, String)]| values.iter().map(|(_, text)| text.clone()).collect();
    let others: Vec<&str> = key.2.iter().map(|(_, value)| value.as_str()).collect();
    let title = format!("Seeds that fail: {}", key.1);
    let map = HeatMap {
        label: format!("{title}, {} against {}", names[y].0, names[x].0),
        x: (names[x].0.clone(), texts(&across)),
        y: (names[y].0.clone(), texts(&up)),
        cells,
    };
    let note =
        format!("{}, Wilson 95 %", if others.is_empty() { "of each point".into() } else { others.join(" ") });
    let caption =
        Caption { id: format!("phase-{index}"), group: "phase", title: &title, note: &note, x_name: "" };
    let table = table(&map);
    Some(Figure::heat(&caption, &map, table))
}

fn table(map: &HeatMap) -> Table {
    let mut heads = vec![map.y.0.as_str()];
    let columns: Vec<String> = map.x.1.iter().map(|value| format!("#{} {value}", map.x.0)).collect();
    heads.extend(columns.iter().map(String::as_str));
    let mut table = Table::new(&map.label, &heads);
    for (value, cells) in map.y.1.iter().zip(&map.cells) {
        let mut row = vec![Cell::word(value.clone())];
        row.extend(cells.iter().map(|cell| match cell {
            Some(cell) => Cell::number(cell.words(true), cell.share),
            None => Cell::maybe(None, |_| String::new()),
        }));
        table.push(row);
    }
    table
}
