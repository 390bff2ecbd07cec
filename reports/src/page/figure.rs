//! Figures: a plot in every size, the same as a table, and what the crosshair needs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::table::{Cell, Table};
use crate::plot::{Chart, Frame, HeatMap, LaneChart, SIZES, Scale};

/// A plot on the page.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) note: String,
    /// One drawing per size.
    pub(super) svg: String,
    pub(super) table: Table,
    /// Whether it has a crosshair.
    pub(super) moves: bool,
    pub(super) data: Option<Data>,
}

/// What the script knows of a chart; words come from the figure's table.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Data {
    id: String,
    group: String,
    x: Vec<f64>,
    x_log: bool,
    y_log: bool,
    series: Vec<DataSeries>,
    /// Stands once per group, not here: charts of a group have the same faults.
    #[serde(skip)]
    faults: Vec<DataFault>,
    frames: BTreeMap<&'static str, Frame>,
}

#[derive(Clone, Debug, Serialize)]
struct DataSeries {
    name: String,
    ink: usize,
    y: Vec<Option<f64>>,
}

#[derive(Clone, Debug, Serialize)]
struct DataFault {
    name: String,
    start: f64,
    end: Option<f64>,
}

/// How a figure is called and placed.
pub(super) struct Caption<'a> {
    pub(super) id: String,
    /// Charts of one group share their crosshair.
    pub(super) group: &'a str,
    pub(super) title: &'a str,
    pub(super) note: &'a str,
    /// Name of the table's first column.
    pub(super) x_name: &'a str,
}

impl Figure {
    /// A chart whose series all have the points `labels` stand for.
    pub(super) fn chart(caption: &Caption<'_>, chart: &Chart, labels: &[String]) -> Self {
        let mut svg = String::new();
        let mut frames = BTreeMap::new();
        for size in &SIZES {
            let drawing = chart.draw(size);
            svg.push_str(&drawing.svg);
            frames.insert(size.class, drawing.frame);
        }
        let moves = !labels.is_empty() && !chart.series.is_empty();
        Figure {
            id: caption.id.clone(),
            title: caption.title.to_owned(),
            note: caption.note.to_owned(),
            svg,
            table: chart_table(caption, chart, labels),
            moves,
            data: moves.then(|| Data::of(caption, chart, frames)),
        }
    }

    /// About how many bytes the figure takes on the page.
    pub(super) fn bytes(&self) -> usize {
        // A cell stands once in the table and once, shorter, in the script's data; 40 bytes are its tags.
        let cells: usize = self.table.rows.iter().flatten().map(|cell| cell.text.len() + 40).sum();
        self.svg.len() + cells
    }

    /// A heat map; it has no crosshair, since every cell is one of the table.
    pub(super) fn heat(caption: &Caption<'_>, map: &HeatMap, table: Table) -> Self {
        Figure {
            id: caption.id.clone(),
            title: caption.title.to_owned(),
            note: caption.note.to_owned(),
            svg: SIZES.iter().map(|size| map.draw(size).svg).collect(),
            table,
            moves: false,
            data: None,
        }
    }

    /// Lanes; they have no crosshair, since every bar is a row of the table.
    pub(super) fn lanes(caption: &Caption<'_>, lanes: &LaneChart, table: Table) -> Self {
        Figure {
            id: caption.id.clone(),
            title: caption.title.to_owned(),
            note: caption.note.to_owned(),
            svg: SIZES.iter().map(|size| lanes.draw(size).svg).collect(),
            table,
            moves: false,
            data: None,
        }
    }
}

impl Data {
    fn of(caption: &Caption<'_>, chart: &Chart, frames: BTreeMap<&'static str, Frame>) -> Self {
        let x = chart.series.first().map(|series| series.points.iter().map(|point| short(point.x)).collect());
        let series = chart.series.iter().map(|series| DataSeries {
            name: series.name.clone(),
            ink: series.ink % crate::plot::VARIETY,
            y: series.points.iter().map(|point| point.y.map(short)).collect(),
        });
        let faults = chart.bands.iter().map(|band| DataFault {
            name: band.name.clone(),
            start: band.start,
            end: band.end,
        });
        Data {
            id: caption.id.clone(),
            group: caption.group.to_owned(),
            x: x.unwrap_or_default(),
            x_log: chart.x.scale == Scale::Log,
            y_log: chart.y.scale == Scale::Log,
            series: series.collect(),
            faults: faults.collect(),
            frames,
        }
    }
}

/// Six significant digits: enough to place a dot.
fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn chart_table(caption: &Caption<'_>, chart: &Chart, labels: &[String]) -> Table {
    let names: Vec<String> = chart.series.iter().map(|series| format!("#{}", series.name)).collect();
    let mut heads = vec![caption.x_name];
    heads.extend(names.iter().map(String::as_str));
    let mut table = Table::new(caption.title, &heads).or("There are no samples.");
    table.tall = labels.len() > 12;
    for (index, label) in labels.iter().enumerate() {
        let mut row = vec![Cell::word(label.clone())];
        for series in &chart.series {
            let point = series.points.get(index);
            let unit = chart.y.unit;
            row.push(Cell::maybe(point.and_then(|point| point.y), |value| {
                match point.and_then(|point| point.interval) {
                    Some((low, high)) => {
                        format!("{} ({} to {})", unit.show(value), unit.show(low), unit.show(high))
                    }
                    None => unit.show(value),
                }
            }));
        }
        table.push(row);
    }
    table
}

/// Everything the script reads.
#[derive(Serialize)]
struct Document<'a> {
    plots: &'a [&'a Data],
    /// Faults by group.
    faults: BTreeMap<&'a str, &'a [DataFault]>,
}

/// JSON that may stand inside a script element: nothing in it can end the element or open a comment.
pub(super) fn script_json(plots: &[&Data]) -> String {
    let faults = plots.iter().map(|data| (data.group.as_str(), data.faults.as_slice())).collect();
    let json = serde_json::to_string(&Document { plots, faults }).expect("plain data becomes JSON");
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
