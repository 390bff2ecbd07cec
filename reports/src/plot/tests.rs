//! Whatever the data and the names, every label of a plot can be read: none is cut off, none meets another.

use super::text;
use super::*;

/// A text in the drawing: left, top, right, bottom in view-box units, and its words.
type Label = (f64, f64, f64, f64, String);

fn attribute(tag: &str, name: &str) -> Option<f64> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"')?.0.parse().ok()
}

fn labels(svg: &str) -> Vec<Label> {
    let mut labels = Vec::new();
    for part in svg.split("<text").skip(1) {
        let (tag, rest) = part.split_once('>').expect("a tag ends");
        let (words, _) = rest.split_once("</text>").expect("a text ends");
        let words = words.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        let words = words.replace("&apos;", "'").replace("&amp;", "&");
        let bold = if tag.contains("bold") { 1.1 } else { 1.0 };
        let width = text::width(&words) * FINE * bold;
        let at = attribute(tag, "x").expect("a text has a place");
        let middle = attribute(tag, "y").expect("a text has a place");
        let left = match tag {
            tag if tag.contains("\"middle\"") => at - width / 2.0,
            tag if tag.contains("\"end\"") => at - width,
            _ => at,
        };
        let half = TEXT * FINE / 2.0;
        labels.push((left, middle - half, left + width, middle + half, words));
    }
    labels
}

fn check(name: &str, drawing: &Drawing) {
    let (_, rest) = drawing.svg.split_once("viewBox=\"0 0 ").expect("a drawing has a view box");
    let mut size = rest.split(['"', ' ']).map(str::parse::<f64>);
    let (Some(Ok(width)), Some(Ok(height))) = (size.next(), size.next()) else {
        panic!("{name}: no size in {}", &rest[..20]);
    };
    let labels = labels(&drawing.svg);
    for (index, a) in labels.iter().enumerate() {
        let inside = a.0 >= 0.0 && a.1 >= 0.0 && a.2 <= width && a.3 <= height;
        assert!(
            inside,
            "{name}: {:?} at {:.0}..{:.0} x {:.0}..{:.0} leaves {width} x {height}",
            a.4, a.0, a.2, a.1, a.3
        );
        for b in &labels[index + 1..] {
            let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
            assert!(apart, "{name}: {:?} meets {:?}", a.4, b.4);
        }
    }
    let numbers = ["NaN", "inf", "-2147483648", "2147483647"];
    assert!(numbers.iter().all(|bad| !drawing.svg.contains(bad)), "{name}: a place that is no place");
}

fn series(name: &str, ink: usize, values: &[Option<f64>]) -> Series {
    let step = 120.0 / (values.len().max(2) - 1) as f64;
    let point = |(index, y): (usize, &Option<f64>)| Point {
        x: index as f64 * step,
        y: *y,
        interval: y.map(|value| (value * 0.5, value * 1.5)),
    };
    Series {
        name: name.to_owned(),
        ink,
        broad: false,
        points: values.iter().enumerate().map(point).collect(),
    }
}

fn band(name: &str, start: f64, end: Option<f64>) -> Band {
    Band { name: name.to_owned(), ink: 1, start, end }
}

fn chart(y: Axis, series: Vec<Series>, bands: Vec<Band>) -> Chart {
    Chart { label: "a plot".to_owned(), x: Axis::time(120.0), y, series, bands, height: 140 }
}

#[test]
fn any_data_makes_a_plot_whose_labels_can_be_read() {
    let data: [&[Option<f64>]; 9] = [
        &[],
        &[None, None],
        &[Some(0.0)],
        &[Some(0.0), Some(0.0), Some(0.0)],
        &[Some(0.25)],
        &[Some(0.25), Some(0.25)],
        &[Some(0.999_999), Some(1.0), None, Some(0.999_998)],
        &[Some(1e-9), None, Some(1e9)],
        &[Some(f64::NAN), Some(f64::INFINITY), Some(-1.0)],
    ];
    let units = [Unit::Seconds, Unit::Ratio, Unit::PerSecond, Unit::Count, Unit::Bytes];
    for values in data {
        for unit in units {
            for y in [Axis::linear(unit), Axis::log(unit)] {
                let lines = ["p50", "p95", "p99"].map(|name| series(name, name.len(), values));
                for size in &SIZES {
                    let drawing = chart(y, lines.to_vec(), Vec::new()).draw(size);
                    check(&format!("{values:?} {y:?} {}", size.class), &drawing);
                }
            }
        }
    }
}

#[test]
fn faults_that_overlap_keep_their_names_apart() {
    let long = "a fault with a name that somebody thought about for a very long time indeed, twice";
    let mut bands = vec![
        band("split {r0,r1}|{r2,r3}", 40.0, Some(55.0)),
        band("<slow> & \"quoted\"", 41.0, Some(42.0)),
        band(long, 44.0, None),
        band("at the very end", 119.9, None),
        band("beyond", 130.0, Some(140.0)),
        band("of no length", 60.0, Some(60.0)),
        band("時計が三秒進む", 61.0, Some(64.0)),
    ];
    bands.extend((0..80).map(|index| band(&format!("crash-{index}"), f64::from(index) * 1.25, Some(119.0))));
    let wide_name = "goodput of the second workload, retried";
    for (count, name) in [(1, wide_name), (3, "a"), (7, wide_name), (7, "a"), (47, "a"), (87, "a")] {
        let bands = bands[..count].to_vec();
        let lines = vec![series(name, 0, &[Some(3.0), Some(4.0)]), series("b", 1, &[Some(3.0), Some(4.0)])];
        let chart = chart(Axis::linear(Unit::PerSecond), lines, bands.clone());
        for size in &SIZES {
            let drawing = chart.draw(size);
            check(&format!("{count} faults, {}", size.class), &drawing);
            let shades = drawing.svg.matches("f-shade").count();
            assert_eq!(shades, if count > 60 { 1 } else { count }, "every fault shades its time");
            let words: Vec<String> = labels(&drawing.svg).into_iter().map(|label| label.4).collect();
            let named = words.iter().any(|text| text.starts_with("and ") && text.contains("more"));
            assert!(named || words.iter().any(|text| text == &bands[0].name), "{words:?}");
        }
        let rows = bands.iter().map(|band| Lane {
            name: band.name.clone(),
            note: "partition {r0,r1} | {r2,r3}: 48 210 messages cut, 8 links cut, 11.4 s time slowed"
                .to_owned(),
            ink: 2,
            stretches: vec![Stretch { start: band.start, end: band.end }],
        });
        let chart_of_lanes = LaneChart { label: "lanes".to_owned(), end: 120.0, lanes: rows.collect() };
        for size in &SIZES {
            check(&format!("{count} lanes, {}", size.class), &chart_of_lanes.draw(size));
        }
    }
}

#[test]
fn a_gap_parts_a_line_and_a_lone_point_is_a_dot() {
    let values = [Some(1.0), Some(2.0), None, Some(3.0), None, Some(1.0), Some(1.0)];
    let drawing = chart(Axis::linear(Unit::Count), vec![series("a", 0, &values)], Vec::new()).draw(&SIZES[0]);
    assert_eq!(drawing.svg.matches("s-line0").count(), 2, "two lines: {}", drawing.svg);
    assert_eq!(drawing.svg.matches("<circle").count(), 1, "one dot: {}", drawing.svg);
    assert_eq!(drawing.svg.matches("f-area0").count(), 1, "the interval is one area");
}

#[test]
fn a_drawing_has_no_colour_font_or_address_of_its_own() {
    let bands = vec![band("a", 3.0, Some(9.0))];
    let chart = chart(Axis::log(Unit::Seconds), vec![series("a", 0, &[Some(1.0), Some(2.0)])], bands);
    for size in &SIZES {
        let svg = chart.draw(size).svg;
        for own in ["#", "rgb", "font-family", "http", "style="] {
            assert!(!svg.contains(own), "{own} in {svg}");
        }
    }
}

#[test]
fn the_frame_says_where_the_values_are() {
    let line = series("a", 0, &[Some(0.01), Some(0.1)]);
    let drawing = chart(Axis::log(Unit::Seconds), vec![Series { points: line.points, ..line }], Vec::new())
        .draw(&SIZES[0]);
    let frame = drawing.frame;
    assert_eq!((frame.x_values, frame.x.0), ((0.0, 120.0), SIZES[0].left * FINE));
    assert!(frame.y_values.0 <= -2.0 && frame.y_values.1 >= -1.0, "{frame:?}");
    assert!(frame.y.0 < frame.y.1 && frame.x.0 < frame.x.1, "{frame:?}");
}

#[test]
fn heat_maps_of_any_size_can_be_read_and_are_darker_where_more_fail() {
    let cell = |share: f64| Some(HeatCell { share, interval: Some((share * 0.5, share * 0.5 + 0.5)) });
    for (columns, rows) in [(2, 2), (8, 5), (40, 30)] {
        let names = |count: usize, of: &str| (0..count).map(|n| format!("{n}00{of}")).collect::<Vec<_>>();
        let line =
            |row: usize| (0..columns).map(move |x| if x == 1 { None } else { cell((x + row) as f64 / 70.0) });
        let map = HeatMap {
            label: "stuck".to_owned(),
            x: ("spike with a rather long name for an axis".to_owned(), names(columns, "ms")),
            y: ("load".to_owned(), names(rows, "/s")),
            cells: (0..rows).map(|row| line(row).collect()).collect(),
        };
        for size in &SIZES {
            let drawing = map.draw(size);
            check(&format!("{columns} x {rows} {}", size.class), &drawing);
            assert_eq!(drawing.svg.matches("f-heat").count(), (columns - 1) * rows);
        }
    }
    let shades = [0.0, 0.1, 0.5, 1.0].map(|share| {
        let map = HeatMap {
            label: String::new(),
            x: (String::new(), vec!["1".to_owned()]),
            y: (String::new(), vec!["1".to_owned()]),
            cells: vec![vec![cell(share)]],
        };
        let svg = map.draw(&SIZES[0]).svg;
        (0..VARIETY).find(|n| svg.contains(&format!("f-heat{n}"))).expect("a shade")
    });
    assert_eq!(shades, [0, 1, 3, 5]);
}
