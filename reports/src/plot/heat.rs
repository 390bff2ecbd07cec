//! Heat maps: a share for every pair of values of two axes.

use super::canvas::{Canvas, Failure, Side};
use super::ink::{Ink, VARIETY, themed};
use super::text;
use super::{Drawing, Frame, Size};

/// Shares between zero and one over a grid.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// What it shows, for readers who do not see it.
    pub label: String,
    /// Name of the horizontal axis and its values.
    pub x: (String, Vec<String>),
    /// Name of the vertical axis and its values, from the bottom up.
    pub y: (String, Vec<String>),
    /// By vertical, then horizontal value: the share with its interval; `None` where nothing was run.
    pub cells: Vec<Vec<Option<HeatCell>>>,
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeatCell {
    /// The share.
    pub share: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

impl HeatCell {
    /// `35 %`, or with its interval `35 % (20 to 53)`.
    pub(crate) fn words(&self, with_interval: bool) -> String {
        let percent = |share: f64| format!("{:.0}", share * 100.0);
        match self.interval.filter(|_| with_interval) {
            Some((low, high)) => {
                format!("{} % ({} to {})", percent(self.share), percent(low), percent(high))
            }
            None => format!("{} %", percent(self.share)),
        }
    }

    /// Its shade, from none to the darkest.
    fn shade(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let shade = (self.share.clamp(0.0, 1.0) * (VARIETY - 1) as f64).ceil() as usize;
        shade
    }
}

/// Height of a row.
const ROW: f64 = 26.0;

impl HeatMap {
    /// Draws the map in one size.
    ///
    /// # Panics
    /// Never: drawing into a string does not fail.
    pub fn draw(&self, size: &Size) -> Drawing {
        let mut buffer = String::new();
        let frame = self.draw_into(&mut buffer, size).expect("writing to a string does not fail");
        Drawing { svg: themed(&buffer, size.class, &self.label), frame: frame.fine() }
    }

    fn draw_into(&self, buffer: &mut String, size: &Size) -> Result<Frame, Failure> {
        let width = f64::from(size.width);
        let widest = self.y.1.iter().map(|value| text::width(value)).fold(0.0, f64::max);
        let left = (widest + 14.0).min(width / 3.0).max(size.left);
        let top = 20.0;
        let bottom = top + self.y.1.len() as f64 * ROW;
        let frame = Frame {
            x: (left, width - 12.0),
            y: (top, bottom),
            x_values: (0.0, self.x.1.len() as f64),
            y_values: (0.0, self.y.1.len() as f64),
        };
        let canvas = Canvas::new(buffer, width, bottom + 42.0);
        canvas.text(&text::shorten(&self.y.0, width - 12.0), (4.0, 8.0), Side::Right, Ink::Muted)?;
        let column = (frame.x.1 - frame.x.0) / self.x.1.len() as f64;
        for (row, (value, cells)) in self.y.1.iter().zip(&self.cells).enumerate() {
            let low = bottom - row as f64 * ROW;
            let middle = low - ROW / 2.0;
            canvas.text(&text::shorten(value, left - 12.0), (left - 8.0, middle), Side::Left, Ink::Muted)?;
            for (place, cell) in cells.iter().enumerate() {
                let start = frame.x.0 + place as f64 * column;
                let Some(cell) = cell else { continue };
                let (from, to) = ((start + 1.0, low - ROW + 1.0), (start + column - 1.0, low - 1.0));
                canvas.bar(from, to, Ink::Heat(cell.shade()))?;
                let fits = |words: &String| text::width(words) + 6.0 < column;
                let words = [true, false].map(|interval| cell.words(interval));
                if let Some(words) = words.iter().find(|words| fits(words)) {
                    canvas.text(words, (start + column / 2.0, middle), Side::Middle, Ink::Text)?;
                }
            }
        }
        let mut last = f64::MIN;
        for (place, value) in self.x.1.iter().enumerate() {
            let at = frame.x.0 + (place as f64 + 0.5) * column;
            let half = text::width(value) / 2.0;
            // Labels that would meet are left out; the table has all of them.
            if at - half > last + 4.0 && at + half < width {
                canvas.text(value, (at, bottom + 14.0), Side::Middle, Ink::Muted)?;
                last = at + half;
            }
        }
        let name = text::shorten(&self.x.0, width - 12.0);
        canvas.text(&name, (frame.x.1, bottom + 32.0), Side::Left, Ink::Muted)?;
        canvas.finish()?;
        Ok(frame)
    }
}
