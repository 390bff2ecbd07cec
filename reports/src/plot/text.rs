//! Where text fits: estimated widths, shortening, and two ways to keep labels apart.

use super::TEXT;

/// Width of a text in CSS pixels at the plots' text size.
///
/// An upper estimate, after the advance widths of `DejaVu` Sans, the widest of the usual interface fonts.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(advance).sum::<f64>() * TEXT
}

/// Width of a bold text.
pub(super) fn bold_width(text: &str) -> f64 {
    width(text) * 1.1
}

fn advance(c: char) -> f64 {
    match c {
        'i' | 'l' | 'j' | '\'' | '|' => 0.30,
        ' ' | '.' | ',' | ':' | ';' | 'f' | 't' | 'I' | '/' | '\\' | '(' | ')' | '[' | ']' | '!' => 0.40,
        'r' | '-' | '·' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '+' | '=' | '<' | '>' | '~' | '#' | '…' | '→' | '–' | '—' => {
            1.0
        }
        'A'..='Z' => 0.76,
        c if c.is_ascii() => 0.64,
        c if u32::from(c) < 0x1100 => 0.80,
        _ => 1.05,
    }
}

/// The text, or its beginning and an ellipsis, so that it is at most `room` pixels wide.
pub(super) fn shorten(text: &str, room: f64) -> String {
    // Control characters have no width and no place in SVG.
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if width(&clean) <= room {
        return clean;
    }
    let mut used = advance('…') * TEXT;
    let mut short = String::new();
    for c in clean.chars() {
        used += advance(c) * TEXT;
        if used > room {
            break;
        }
        short.push(c);
    }
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Moves label centres apart until neighbours are `gap` from one another, inside `top..=bottom`.
///
/// The order of the wishes is kept; when there is no room for all, the gap shrinks for all alike.
pub(super) fn spread(wishes: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let count = wishes.len();
    if count == 0 {
        return Vec::new();
    }
    let gap = if count > 1 { gap.min((bottom - top) / (count - 1) as f64) } else { gap };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| wishes[a].total_cmp(&wishes[b]).then(a.cmp(&b)));
    let mut places = vec![0.0; count];
    let mut least = top;
    for &index in &order {
        places[index] = wishes[index].max(least);
        least = places[index] + gap;
    }
    let mut most = bottom;
    for &index in order.iter().rev() {
        places[index] = f64::min(places[index], most);
        most = places[index] - gap;
    }
    places
}

/// Puts intervals into as few lanes as greedy filling needs; within a lane they are `gap` apart.
///
/// Intervals come in order of their start; the result holds a lane number for each.
pub(super) fn stack(intervals: &[(f64, f64)], gap: f64) -> Vec<usize> {
    let mut ends: Vec<f64> = Vec::new();
    let mut lanes = Vec::with_capacity(intervals.len());
    for &(start, end) in intervals {
        let free = ends.iter().position(|&taken| taken + gap <= start);
        let lane = free.unwrap_or(ends.len());
        if lane == ends.len() {
            ends.push(end);
        } else {
            ends[lane] = end;
        }
        lanes.push(lane);
    }
    lanes
}

/// Intervals in order, with those joined that are less than `gap` apart.
pub(super) fn joined(intervals: impl Iterator<Item = (f64, f64)>, gap: f64) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = intervals.collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (start, end) in all {
        match joined.last_mut() {
            Some(last) if start < last.1 + gap => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_text_fits_and_says_that_it_was_cut() {
        let name = "a partition with a name that somebody thought about for a long time";
        let short = shorten(name, 120.0);
        assert!(short.ends_with('…'), "{short}");
        assert!(width(&short) <= 120.0, "{}", width(&short));
        assert_eq!(shorten("short", 120.0), "short");
        assert_eq!(shorten("two\nlines", 120.0), "two lines");
    }

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        let places = spread(&[50.0, 51.0, 49.0, 200.0], 14.0, 0.0, 200.0);
        assert!(places[2] + 14.0 <= places[0] && places[0] + 14.0 <= places[1], "{places:?}");
        assert!(places.iter().all(|place| (0.0..=200.0).contains(place)), "{places:?}");
        let bottom = spread(&[100.0, 100.0], 14.0, 0.0, 100.0);
        assert_eq!(bottom, [86.0, 100.0]);
        assert_eq!(spread(&[], 14.0, 0.0, 10.0), Vec::<f64>::new());
    }

    #[test]
    fn what_lies_close_together_becomes_one() {
        let intervals = [(5.0, 6.0), (0.0, 2.0), (1.0, 1.5), (2.2, 3.0)];
        assert_eq!(joined(intervals.into_iter(), 0.5), [(0.0, 3.0), (5.0, 6.0)]);
    }

    #[test]
    fn overlapping_names_go_to_lanes_of_their_own() {
        let lanes = stack(&[(0.0, 50.0), (40.0, 90.0), (60.0, 80.0), (95.0, 99.0)], 4.0);
        assert_eq!(lanes, [0, 1, 0, 0]);
    }
}
