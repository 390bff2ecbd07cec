//! Inks: what a line or text means; the page's style decides what colour that is.

use plotters::style::RGBColor;

use super::FINE;

/// Meaning of a mark on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Series number n of a plot.
    Line(usize),
    /// Interval round series n.
    Area(usize),
    /// Bar and name of fault n.
    Fault(usize),
    /// Time under fault n.
    Shade(usize),
    /// Cell of a heat map, from the lightest to the darkest.
    Heat(usize),
    /// Text in the foreground.
    Text,
    /// Text in the background: ticks.
    Muted,
    /// Lines at ticks.
    Grid,
    /// Line under the plot.
    Base,
}

/// Inks of one kind before they repeat.
pub(crate) const VARIETY: usize = 6;

impl Ink {
    /// A colour that stands for the ink until [`themed`] puts the class in its place.
    pub(super) fn color(self) -> RGBColor {
        let (role, number) = match self {
            Ink::Line(n) => (0, n),
            Ink::Area(n) => (1, n),
            Ink::Fault(n) => (2, n),
            Ink::Shade(n) => (3, n),
            Ink::Text => (4, 0),
            Ink::Muted => (5, 0),
            Ink::Grid => (6, 0),
            Ink::Base => (7, 0),
            Ink::Heat(n) => (8, n),
        };
        let number = u8::try_from(number % VARIETY).unwrap_or(0);
        RGBColor(SENTINEL, role, number)
    }
}

const SENTINEL: u8 = 0xF5;

/// Class names by role; a digit follows where a role has several inks.
const CLASSES: [(&str, bool); 9] = [
    ("line", true),
    ("area", true),
    ("fault", true),
    ("shade", true),
    ("text", false),
    ("muted", false),
    ("grid", false),
    ("base", false),
    ("heat", true),
];

/// Turns plotters' document into a fragment for the page: classes for colours, a view box, no fixed size.
pub(super) fn themed(svg: &str, class: &str, label: &str) -> String {
    let body = svg.split_once(">\n").map_or("", |(_, body)| body);
    let size = attribute(svg, "viewBox").unwrap_or("0 0 1 1");
    let mut out = format!("<svg class=\"plot {class}\" viewBox=\"{size}\" role=\"img\" aria-label=\"");
    escape(label, &mut out);
    out.push_str("\">\n");
    for line in body.lines() {
        if line.starts_with('<') {
            tag(line, &mut out);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Rewrites the attributes of one tag. Values hold no raw quote: plotters escapes them.
fn tag(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find("=\"") {
        let name_at = rest[..at].rfind(' ').unwrap_or(0);
        out.push_str(&rest[..name_at]);
        let name = rest[name_at..at].trim_start();
        let value_at = at + 2;
        let end = rest[value_at..].find('"').map_or(rest.len(), |length| value_at + length);
        let value = &rest[value_at..end];
        match (name, class_of(value)) {
            ("fill" | "stroke", Some(class)) => {
                let prefix = if name == "fill" { "f" } else { "s" };
                out.extend([" class=\"", prefix, "-", class.as_str(), "\""]);
            }
            // The style sheet sets fonts and opacity; `stroke="none"` is the default.
            ("opacity" | "font-family" | "font-size", _) => {}
            ("stroke", _) if value == "none" => {}
            _ => out.extend([" ", name, "=\"", value.trim_end(), "\""]),
        }
        rest = &rest[(end + 1).min(rest.len())..];
    }
    out.push_str(rest);
}

fn class_of(value: &str) -> Option<String> {
    let code = u32::from_str_radix(value.strip_prefix('#')?, 16).ok()?;
    let [_, sentinel, role, number] = code.to_be_bytes();
    let &(name, numbered) = CLASSES.get(usize::from(role))?;
    (sentinel == SENTINEL).then(|| if numbered { format!("{name}{number}") } else { name.to_owned() })
}

fn attribute<'a>(svg: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = svg.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// Style rules for every ink, from custom properties of the page: `--line0…`, `--fault0…`, `--ink` and so on.
pub(crate) fn style_rules() -> String {
    let numbered = (0..VARIETY).map(|n| {
        format!(
            ".f-line{n}{{fill:var(--line{n})}}.s-line{n}{{stroke:var(--line{n})}}\
             .f-area{n}{{fill:var(--line{n});fill-opacity:.16}}\
             .f-fault{n}{{fill:var(--fault{n})}}.s-fault{n}{{stroke:var(--fault{n})}}\
             .f-shade{n}{{fill:var(--fault{n});fill-opacity:var(--shade)}}\
             .f-heat{n}{{fill:var(--fault1);fill-opacity:{}}}\n",
            // The darkest still lets text in the foreground be read.
            0.02 + n as f64 * 0.1
        )
    });
    let size = super::TEXT * FINE;
    let rest = format!(
        ".f-text{{fill:var(--ink)}}.f-muted{{fill:var(--muted)}}.s-muted{{stroke:var(--muted)}}\
         .s-grid{{stroke:var(--rule)}}.s-base{{stroke:var(--rule-strong)}}\
         .plot text{{font-size:{size}px}}\n"
    );
    numbered.chain([rest]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_text_stays_as_it_is() {
        let svg = "<svg width=\"8\" viewBox=\"0 0 8 8\" xmlns=\"x\">\n<polyline fill=\"none\" opacity=\"1\" \
                   stroke=\"#F50001\" stroke-width=\"8\" points=\"1,2 3,4 \"/>\n<text x=\"1\" \
                   fill=\"#F50500\">\nfill=&quot;#F50001&quot;\n</text>\n</svg>\n";
        let themed = themed(svg, "wide", "a \"plot\"");
        assert!(
            themed.contains(
                "<polyline fill=\"none\" class=\"s-line1\" stroke-width=\"8\" points=\"1,2 3,4\"/>"
            ),
            "{themed}"
        );
        assert!(themed.contains("class=\"f-muted\""), "{themed}");
        assert!(themed.contains("fill=&quot;#F50001&quot;"), "{themed}");
        assert!(themed.contains("aria-label=\"a &quot;plot&quot;\""), "{themed}");
        assert!(!themed.contains("width=\"8\" viewBox"), "{themed}");
    }
}
