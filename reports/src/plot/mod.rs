//! Plots as SVG fragments without colours of their own: classes name the inks, the page's style gives them.
//!
//! One drawing serves light and dark. Each plot is drawn once per [`Size`], so that text keeps its size
//! from a telephone to a wide screen and no label is cut off or runs into another.

mod axis;
mod canvas;
mod chart;
mod format;
mod heat;
mod ink;
mod lanes;
mod text;

use serde::Serialize;

pub use axis::{Axis, Scale};
pub use chart::{Band, Chart, Point, Series};
pub use format::Unit;
pub(crate) use format::whole;
pub use heat::{HeatCell, HeatMap};
pub(crate) use ink::{VARIETY, style_rules};
pub use lanes::{Lane, LaneChart, Stretch};

/// How wide a plot is drawn, in CSS pixels of its view box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// CSS class of the drawing; the page shows one class at a time.
    pub class: &'static str,
    /// Width.
    pub width: u32,
    /// Least room left of the plot, so that plots under one another share their time axis.
    left: f64,
    /// Least room right of the plot, for labels at line ends.
    right: f64,
    /// Lanes for the names of bands before the rest is only counted.
    name_lanes: usize,
}

/// The sizes every plot is drawn in: wide, medium, narrow.
pub const SIZES: [Size; 3] = [
    Size { class: "wide", width: 1040, left: 62.0, right: 96.0, name_lanes: 5 },
    Size { class: "medium", width: 680, left: 62.0, right: 90.0, name_lanes: 6 },
    Size { class: "narrow", width: 350, left: 60.0, right: 66.0, name_lanes: 8 },
];

/// A finished drawing.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The `<svg>` element.
    pub svg: String,
    /// Where the plot area lies, for the crosshair.
    pub frame: Frame,
}

/// The plot area inside the view box and the values at its edges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// Left and right edge, in view-box units.
    pub x: (f64, f64),
    /// Top and bottom edge, in view-box units.
    pub y: (f64, f64),
    /// Values at left and right; log10 of them on a log axis.
    pub x_values: (f64, f64),
    /// Values at bottom and top; log10 of them on a log axis.
    pub y_values: (f64, f64),
}

/// View-box units per CSS pixel: plotters draws on whole units, a quarter pixel is fine enough.
const FINE: f64 = 4.0;

/// Height of text in CSS pixels.
const TEXT: f64 = 12.0;

#[cfg(test)]
mod tests;
