//! Paper in CSS pixels over plotters' SVG backend.

use plotters::coord::Shift;
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, TextStyle};

use super::axis::Fitted;
use super::ink::Ink;
use super::text;
use super::{FINE, Frame, TEXT};

/// Why a drawing failed. Writing to a string does not fail, so this stays inside the module.
pub(super) type Failure = plotters::drawing::DrawingAreaErrorKind<std::io::Error>;

pub(super) struct Canvas<'a> {
    root: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Which side of a point its text stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// Height under a plot that its ticks need.
pub(super) const FOOT: f64 = 26.0;

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut String, width: f64, height: f64) -> Self {
        let size = (pixels(width).unsigned_abs(), pixels(height).unsigned_abs());
        Canvas { root: SVGBackend::with_string(buffer, size).into_drawing_area() }
    }

    pub(super) fn root(&self) -> &DrawingArea<SVGBackend<'a>, Shift> {
        &self.root
    }

    pub(super) fn line(&self, from: (f64, f64), to: (f64, f64), ink: Ink) -> Result<(), Failure> {
        let style = ink.color().stroke_width(stroke(1.0));
        self.root.draw(&PathElement::new(vec![point(from), point(to)], style))
    }

    pub(super) fn bar(&self, from: (f64, f64), to: (f64, f64), ink: Ink) -> Result<(), Failure> {
        self.root.draw(&Rectangle::new([point(from), point(to)], ink.color().filled()))
    }

    pub(super) fn area(&self, corners: &[(f64, f64)], ink: Ink) -> Result<(), Failure> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&corner| point(corner)).collect();
        self.root.draw(&Polygon::new(corners, ink.color().filled()))
    }

    /// Writes a text whose middle line is at `at.1`; on which side of `at.0`, `side` says.
    pub(super) fn text(&self, words: &str, at: (f64, f64), side: Side, ink: Ink) -> Result<(), Failure> {
        let horizontal = match side {
            Side::Left => HPos::Right,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Left,
        };
        let font = ("sans-serif", TEXT * FINE).into_font();
        let font = if matches!(ink, Ink::Line(_)) { font.style(FontStyle::Bold) } else { font };
        let color = ink.color();
        let style = TextStyle::from(font).color(&color).pos(Pos::new(horizontal, VPos::Center));
        self.root.draw(&Text::new(words.to_owned(), point(at), style))
    }

    /// Base line, ticks of the horizontal axis and their labels under the plot area.
    pub(super) fn foot(&self, frame: &Frame, x: &Fitted) -> Result<(), Failure> {
        let base = frame.y.1;
        self.line((frame.x.0, base), (frame.x.1, base), Ink::Base)?;
        // A label and the space to the next one.
        let room = x.ticks(4).iter().map(|tick| text::width(&tick.label)).fold(40.0, f64::max) + 22.0;
        let most = ((frame.x.1 - frame.x.0) / room).floor().max(2.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2 up to some dozens")]
        let ticks = x.ticks(most as usize);
        for tick in ticks {
            let at = frame.across(tick.at);
            self.line((at, base), (at, base + 4.0), Ink::Base)?;
            self.text(&tick.label, (at, base + 15.0), Side::Middle, Ink::Muted)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.root.present()
    }
}

impl Frame {
    /// Pixels from the left of a place on the horizontal axis.
    pub(super) fn across(&self, value: f64) -> f64 {
        let share = (value - self.x_values.0) / (self.x_values.1 - self.x_values.0);
        self.x.0 + share.clamp(0.0, 1.0) * (self.x.1 - self.x.0)
    }

    /// Pixels from the top of a place on the vertical axis.
    pub(super) fn down(&self, value: f64) -> f64 {
        let share = (value - self.y_values.0) / (self.y_values.1 - self.y_values.0);
        self.y.1 - share.clamp(0.0, 1.0) * (self.y.1 - self.y.0)
    }

    /// The frame in view-box units, as the script reads it.
    pub(super) fn fine(self) -> Frame {
        let scale = |(a, b): (f64, f64)| ((a * FINE).round(), (b * FINE).round());
        Frame { x: scale(self.x), y: scale(self.y), ..self }
    }
}

/// Stroke width in view-box units of a width in CSS pixels.
pub(super) fn stroke(width: f64) -> u32 {
    pixels(width).unsigned_abs()
}

pub(super) fn point((x, y): (f64, f64)) -> (i32, i32) {
    (pixels(x), pixels(y))
}

#[expect(clippy::cast_possible_truncation, reason = "a place on paper; a cast from a float saturates")]
pub(super) fn pixels(value: f64) -> i32 {
    (value * FINE).round() as i32
}
