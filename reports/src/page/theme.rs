//! The page's style and script, and their hashes for the content security policy.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::plot::style_rules;

const LIGHT: &str = include_str!("../../templates/light.css");
const DARK: &str = include_str!("../../templates/dark.css");
const RULES: &str = include_str!("../../templates/page.css");

/// The script: theme button, copy button, sorting and the crosshair. The page is complete without it.
pub(super) const SCRIPT: &str = include_str!("../../templates/page.js");

/// The style sheet. Dark is what the reader's system asks for or the button says; paper is always light.
pub(super) fn style() -> String {
    format!(
        ":root{{{LIGHT}}}\n\
         @media screen{{:root[data-theme=dark]{{{DARK}}}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme]){{{DARK}}}}}\n{}{RULES}",
        style_rules()
    )
}

/// The source expression that allows exactly this text: `sha256-…`.
pub(super) fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn variables(css: &str) -> BTreeMap<&str, &str> {
        let pairs = css.split(';').filter_map(|rule| rule.trim().split_once(':'));
        pairs
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, _)| name.starts_with("--"))
            .collect()
    }

    fn luminance(hex: &str) -> f64 {
        let code = u32::from_str_radix(hex.trim_start_matches('#'), 16).expect("a colour");
        let [_, red, green, blue] = code.to_be_bytes();
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// WCAG 2.1, "contrast ratio".
    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_in_light_and_dark() {
        for css in [LIGHT, DARK] {
            let colors = variables(css);
            for (name, color) in &colors {
                if name.starts_with("--line") || name.starts_with("--fault") || *name == "--link" {
                    assert!(contrast(color, colors["--paper"]) >= 4.5, "{name} {color}");
                }
            }
            for (ink, paper) in [
                ("--ink", "--paper"),
                ("--ink", "--card"),
                ("--muted", "--paper"),
                ("--muted", "--card"),
                ("--good", "--good-paper"),
                ("--bad", "--bad-paper"),
                ("--open", "--open-paper"),
            ] {
                assert!(contrast(colors[ink], colors[paper]) >= 4.5, "{ink} on {paper}");
            }
        }
    }

    #[test]
    fn light_and_dark_define_the_same_variables() {
        let names = |css| variables(css).into_keys().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(LIGHT), names(DARK));
        let style = style();
        let defined = names(LIGHT);
        for used in style.split("var(").skip(1).filter_map(|rest| rest.split_once(')')) {
            assert!(defined.iter().any(|name| name == used.0), "{} is not defined", used.0);
        }
    }
}
