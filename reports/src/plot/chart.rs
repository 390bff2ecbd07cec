//! Charts of series over time or over latency, with faults as shaded bands.

use plotters::chart::ChartBuilder;
use plotters::element::Circle;
use plotters::series::LineSeries;
use plotters::style::Color;

use super::axis::{Axis, Fitted};
use super::canvas::{Canvas, FOOT, Failure, Side, pixels, stroke};
use super::ink::{Ink, themed};
use super::text;
use super::{Drawing, Frame, Size};

/// A chart: series, and bands behind them.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows, for readers who do not see it.
    pub label: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Lines; each is named at its end.
    pub series: Vec<Series>,
    /// Shaded intervals of the horizontal axis; each is named above the plot.
    pub bands: Vec<Band>,
    /// Height of the plot area in CSS pixels, without names above and ticks below.
    pub height: u32,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name at the end of the line.
    pub name: String,
    /// Number of its ink.
    pub ink: usize,
    /// Whether the line is drawn broad, so that it shows under another that covers it.
    pub broad: bool,
    /// Points from left to right.
    pub points: Vec<Point>,
}

/// One point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Value; `None` leaves a gap.
    pub y: Option<f64>,
    /// Interval round the value, drawn as an area behind the line.
    pub interval: Option<(f64, f64)>,
}

/// A named interval of the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Name.
    pub name: String,
    /// Number of its ink.
    pub ink: usize,
    /// Start.
    pub start: f64,
    /// End; `None` when it lasts to the end of the axis.
    pub end: Option<f64>,
}

/// A band's name and bar above the plot.
struct Title {
    band: usize,
    words: String,
    text_at: f64,
    bar: (f64, f64),
    lane: usize,
}

/// Height of one lane of names: text, and the bar under it.
const LANE: f64 = 20.0;

/// Most bands with a shade of their own; with more, one shade covers the time in which any is active.
const SHADES: usize = 60;

impl Chart {
    /// Draws the chart in one size.
    ///
    /// # Panics
    /// Never: drawing into a string does not fail.
    pub fn draw(&self, size: &Size) -> Drawing {
        let mut buffer = String::new();
        let frame = self.draw_into(&mut buffer, size).expect("writing to a string does not fail");
        Drawing { svg: themed(&buffer, size.class, &self.label), frame: frame.fine() }
    }

    fn draw_into(&self, buffer: &mut String, size: &Size) -> Result<Frame, Failure> {
        let x = self.x.fit(self.series.iter().flat_map(|series| series.points.iter().map(|point| point.x)));
        let y =
            self.y.fit(self.series.iter().flat_map(|series| series.points.iter().flat_map(Point::extent)));
        let height = f64::from(self.height);
        let y_ticks = y.ticks(if self.height < 120 { 3 } else { 5 });
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let left = size.left.max(widest(&mut y_ticks.iter().map(|tick| text::width(&tick.label))) + 12.0);
        let names = widest(&mut self.series.iter().map(|series| text::bold_width(&series.name)));
        let right = size.right.max((names + 14.0).min(f64::from(size.width) * 0.3));
        let across = (left, f64::from(size.width) - right);
        let edges = (x.low, x.high);
        let frame = Frame { x: across, y: (0.0, height), x_values: edges, y_values: (y.low, y.high) };
        let titles = self.titles(&frame);
        let lanes = titles.iter().map(|title| title.lane + 1).max().unwrap_or(0);
        let unnamed = titles.iter().filter(|title| title.lane >= size.name_lanes).count();
        let top = lanes.min(size.name_lanes) as f64 * LANE + if unnamed > 0 { 18.0 } else { 0.0 } + 8.0;
        let frame = Frame { y: (top, top + height), ..frame };

        let canvas = Canvas::new(buffer, f64::from(size.width), top + height + FOOT);
        for title in &titles {
            let ink = self.bands[title.band].ink;
            if titles.len() <= SHADES {
                canvas.bar((title.bar.0, frame.y.0), (title.bar.1, frame.y.1), Ink::Shade(ink))?;
            }
            if title.lane < size.name_lanes {
                let base = frame.y.0 - 4.0 - title.lane as f64 * LANE;
                canvas.bar((title.bar.0, base - 3.0), (title.bar.1, base), Ink::Fault(ink))?;
                canvas.text(&title.words, (title.text_at, base - 10.0), Side::Right, Ink::Fault(ink))?;
            }
        }
        if titles.len() > SHADES {
            for (start, end) in text::joined(titles.iter().map(|title| title.bar), 0.5) {
                canvas.bar((start, frame.y.0), (end, frame.y.1), Ink::Shade(0))?;
            }
        }
        if unnamed > 0 {
            let more = format!("and {unnamed} more, named in the table of faults");
            canvas.text(&more, (frame.x.0, 9.0), Side::Right, Ink::Muted)?;
        }
        for tick in &y_ticks {
            let down = frame.down(tick.at);
            canvas.line((frame.x.0, down), (frame.x.1, down), Ink::Grid)?;
            canvas.text(&tick.label, (frame.x.0 - 6.0, down), Side::Left, Ink::Muted)?;
        }
        canvas.foot(&frame, &x)?;
        self.intervals(&canvas, &frame, (&x, &y))?;
        let drawn = self.lines(&canvas, &frame, (&x, &y))?;
        if !drawn {
            let middle = (f64::midpoint(frame.x.0, frame.x.1), f64::midpoint(frame.y.0, frame.y.1));
            canvas.text("no samples", middle, Side::Middle, Ink::Muted)?;
        }
        self.end_labels(&canvas, &frame, &y)?;
        canvas.finish()?;
        Ok(frame)
    }

    /// Names of bands, placed in lanes so that neither names nor bars of one lane overlap.
    fn titles(&self, frame: &Frame) -> Vec<Title> {
        let mut order: Vec<usize> = (0..self.bands.len()).collect();
        order.sort_by(|&a, &b| self.bands[a].start.total_cmp(&self.bands[b].start).then(a.cmp(&b)));
        let mut titles: Vec<Title> = order
            .into_iter()
            .map(|index| {
                let band = &self.bands[index];
                let start = frame.across(band.start);
                let end = frame.across(band.end.unwrap_or(frame.x_values.1)).max(start + 2.0);
                let room = (frame.x.1 - frame.x.0).min(260.0);
                let words = text::shorten(&band.name, room);
                let text_at = start.min(frame.x.1 - text::width(&words)).max(frame.x.0);
                Title { band: index, words, text_at, bar: (start, end), lane: 0 }
            })
            .collect();
        let mut extents: Vec<(usize, (f64, f64))> = titles
            .iter()
            .map(|title| {
                let text_end = title.text_at + text::width(&title.words);
                (title.text_at.min(title.bar.0), text_end.max(title.bar.1))
            })
            .enumerate()
            .collect();
        extents.sort_by(|a, b| a.1.0.total_cmp(&b.1.0).then(a.0.cmp(&b.0)));
        let spans: Vec<(f64, f64)> = extents.iter().map(|(_, span)| *span).collect();
        for ((index, _), lane) in extents.iter().zip(text::stack(&spans, 8.0)) {
            titles[*index].lane = lane;
        }
        titles
    }

    fn intervals(&self, canvas: &Canvas<'_>, frame: &Frame, axes: (&Fitted, &Fitted)) -> Result<(), Failure> {
        for series in &self.series {
            let mut upper = Vec::new();
            let mut lower = Vec::new();
            for point in &series.points {
                let Some((low, high)) = point.interval else { continue };
                let Some(x) = axes.0.place(point.x) else { continue };
                // On a log axis an interval down to zero reaches the bottom.
                let low = axes.1.place(low).unwrap_or(axes.1.low);
                let Some(high) = axes.1.place(high) else { continue };
                upper.push((frame.across(x), frame.down(high)));
                lower.push((frame.across(x), frame.down(low)));
            }
            if upper.len() > 1 {
                upper.extend(lower.into_iter().rev());
                canvas.area(&upper, Ink::Area(series.ink))?;
            }
        }
        Ok(())
    }

    /// Draws the lines; says whether there was anything to draw.
    fn lines(&self, canvas: &Canvas<'_>, frame: &Frame, axes: (&Fitted, &Fitted)) -> Result<bool, Failure> {
        let (x, y) = axes;
        let (width, height) = canvas.root().dim_in_pixel();
        let margin = |value: f64| pixels(value);
        let edge = |whole: u32, value: f64| i32::try_from(whole).unwrap_or(i32::MAX) - pixels(value);
        let mut context = ChartBuilder::on(canvas.root())
            .margin_left(margin(frame.x.0))
            .margin_top(margin(frame.y.0))
            .margin_right(edge(width, frame.x.1))
            .margin_bottom(edge(height, frame.y.1))
            .build_cartesian_2d(x.low..x.high, y.low..y.high)?;
        let mut drawn = false;
        for series in &self.series {
            let ink = Ink::Line(series.ink).color();
            for piece in pieces(series, x, y) {
                drawn = true;
                if let [lone] = piece[..] {
                    context.draw_series([Circle::new(lone, stroke(2.5), ink.filled())])?;
                } else {
                    context.draw_series(LineSeries::new(
                        piece,
                        ink.stroke_width(stroke(if series.broad { 4.0 } else { 1.75 })),
                    ))?;
                }
            }
        }
        Ok(drawn)
    }

    fn end_labels(&self, canvas: &Canvas<'_>, frame: &Frame, y: &Fitted) -> Result<(), Failure> {
        let ends: Vec<(&Series, f64)> = self
            .series
            .iter()
            .filter_map(|series| {
                let last = series.points.iter().rev().find_map(|point| y.place(point.y?))?;
                Some((series, frame.down(last)))
            })
            .collect();
        let wishes: Vec<f64> = ends.iter().map(|(_, down)| *down).collect();
        let places = text::spread(&wishes, 15.0, frame.y.0, frame.y.1);
        for ((series, _), down) in ends.iter().zip(places) {
            let right = f64::from(pixels_across(canvas)) / super::FINE;
            let name = text::shorten(&series.name, (right - frame.x.1 - 10.0) / 1.1);
            canvas.text(&name, (frame.x.1 + 8.0, down), Side::Right, Ink::Line(series.ink))?;
        }
        Ok(())
    }
}

impl Point {
    /// The values that the vertical axis must hold.
    fn extent(&self) -> impl Iterator<Item = f64> {
        let interval = self.interval.map(|(low, high)| [low, high]);
        self.y.into_iter().chain(interval.into_iter().flatten())
    }
}

fn pixels_across(canvas: &Canvas<'_>) -> u32 {
    canvas.root().dim_in_pixel().0
}

/// Runs of points without a gap, as places on the axes, kept inside the range of the vertical axis.
fn pieces(series: &Series, x: &Fitted, y: &Fitted) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = vec![Vec::new()];
    for point in &series.points {
        let place = x.place(point.x).zip(point.y.and_then(|value| y.place(value)));
        match place {
            Some((across, up)) => {
                let at = (across.clamp(x.low, x.high), up.clamp(y.low, y.high));
                pieces.last_mut().expect("there is always a last piece").push(at);
            }
            None if pieces.last().is_some_and(|piece| !piece.is_empty()) => pieces.push(Vec::new()),
            None => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
