//! Lanes over time: one for every fault, or one for each state a system is in.

use super::axis::Axis;
use super::canvas::{Canvas, FOOT, Failure, Side};
use super::ink::{Ink, themed};
use super::text;
use super::{Drawing, Frame, Size};

/// Named lanes with bars, over one time axis.
#[derive(Clone, Debug)]
pub struct LaneChart {
    /// What it shows, for readers who do not see it.
    pub label: String,
    /// End of the time axis in seconds.
    pub end: f64,
    /// Lanes from top to bottom.
    pub lanes: Vec<Lane>,
}

/// One lane.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Name above the bar.
    pub name: String,
    /// More words after the name, in the background.
    pub note: String,
    /// Number of its ink.
    pub ink: usize,
    /// Its bars, in order of time.
    pub stretches: Vec<Stretch>,
}

/// One bar of a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Start in seconds.
    pub start: f64,
    /// End in seconds; `None` when it lasts to the end of the axis.
    pub end: Option<f64>,
}

/// Height of a lane: a line of text, a bar, and the space to the next.
const LANE: f64 = 36.0;

impl LaneChart {
    /// Draws the lanes in one size.
    ///
    /// # Panics
    /// Never: drawing into a string does not fail.
    pub fn draw(&self, size: &Size) -> Drawing {
        let mut buffer = String::new();
        let frame = self.draw_into(&mut buffer, size).expect("writing to a string does not fail");
        Drawing { svg: themed(&buffer, size.class, &self.label), frame: frame.fine() }
    }

    fn draw_into(&self, buffer: &mut String, size: &Size) -> Result<Frame, Failure> {
        let x = Axis::time(self.end).fit(std::iter::empty());
        let height = self.lanes.len() as f64 * LANE;
        let width = f64::from(size.width);
        let frame = Frame {
            x: (size.left, width - size.right),
            y: (4.0, 8.0 + height),
            x_values: (x.low, x.high),
            y_values: (0.0, 1.0),
        };
        let canvas = Canvas::new(buffer, width, frame.y.1 + FOOT);
        for (index, lane) in self.lanes.iter().enumerate() {
            let top = frame.y.0 + index as f64 * LANE;
            let track = top + LANE - 10.0;
            canvas.line((frame.x.0, track), (frame.x.1, track), Ink::Grid)?;
            let spans = lane.stretches.iter().map(|stretch| {
                let start = frame.across(stretch.start);
                (start, frame.across(stretch.end.unwrap_or(self.end)).max(start + 2.0))
            });
            for (start, end) in text::joined(spans, 0.25) {
                canvas.bar((start, track - 4.0), (end, track + 4.0), Ink::Fault(lane.ink))?;
            }
            lane.title(&canvas, &frame, (top + 12.0, width))?;
        }
        canvas.foot(&frame, &x)?;
        canvas.finish()?;
        Ok(frame)
    }
}

impl Lane {
    /// Name and note above the first bar, moved to the left where they would leave the paper.
    fn title(&self, canvas: &Canvas<'_>, frame: &Frame, (down, width): (f64, f64)) -> Result<(), Failure> {
        let room = width - 8.0;
        let name = text::shorten(&self.name, room);
        let name_width = text::width(&name) + 8.0;
        let note = if self.note.is_empty() || room - name_width < 40.0 {
            String::new()
        } else {
            text::shorten(&self.note, room - name_width)
        };
        let whole = name_width + text::width(&note);
        let start = self.stretches.first().map_or(frame.x.0, |stretch| frame.across(stretch.start));
        let at = start.min(width - 4.0 - whole).max(4.0);
        canvas.text(&name, (at, down), Side::Right, Ink::Text)?;
        if !note.is_empty() {
            // The end of the name is an estimate: the note follows it at the estimate's upper end.
            canvas.text(&note, (at + name_width, down), Side::Right, Ink::Muted)?;
        }
        Ok(())
    }
}
