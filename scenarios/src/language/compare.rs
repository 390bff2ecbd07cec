//! `[[compare]]`: which points are compared with which, and what must come out.

use super::condition::{Literal, Test};
use super::diagnostic::{At, Diagnostic, Sources};
use super::fields::{Fields, Located, Table};
use super::quantity;
use super::scenario::Place;
use super::sweep::{Any, Axis};
use crate::describe::Dimension;
use crate::expect::Comparison;

/// `[[compare]]`.
#[derive(Clone, Debug)]
pub(crate) struct CompareTable {
    axis: Located<String>,
    base: Located<Any>,
    pub(crate) metric: Located<String>,
    expect: Option<Located<String>>,
    pub(crate) when: Option<Located<String>>,
}

impl Table for CompareTable {
    const WHAT: &'static str = "[[compare]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> CompareTable {
        CompareTable {
            axis: fields.required("axis", "the axis whose values are compared"),
            base: fields.required("base", "the value that the others are compared with"),
            metric: fields.required("metric", "a figure, such as \"goodput in after(f, 30s)\""),
            expect: fields.optional(
                "expect",
                "such as \"budget >= naive + 10% at 95% confidence\"; 10% is relative to the right side",
            ),
            when: fields.optional("when", "points it is made for, such as \"load == 800/s\""),
        }
    }
}

/// A comparison of points that differ in one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareSpec {
    /// Axis.
    pub axis: String,
    /// The figure, as it is written.
    pub metric: String,
    /// Where it is written.
    pub place: Place,
    /// Points that differ in the axis only, in the order of points.
    pub groups: Vec<CompareGroup>,
    /// What must come out.
    pub claim: Option<Claim>,
}

/// Points that differ in one axis only.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareGroup {
    /// Name and value of the other axes.
    pub point: Vec<(String, String)>,
    /// Value of the axis, and index of the point.
    pub arms: Vec<(String, usize)>,
    /// Which of the arms the others are compared with.
    pub base: usize,
}

/// What a comparison must show.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// As it is written.
    pub text: String,
    /// Value of the axis on the left.
    pub left: String,
    /// `>=`, `>`, `<=` or `<`.
    pub op: Comparison,
    /// Value of the axis on the right.
    pub right: String,
    /// Added to the right side.
    pub margin: Margin,
    /// How sure it must be, such as 0.95.
    pub confidence: f64,
}

/// What is added to the right side of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// A share of the right side.
    Share(f64),
    /// So much, in base units.
    Amount(f64, Dimension),
}

/// Reads the comparisons of a document.
pub(crate) struct Compares<'a> {
    pub(crate) axes: &'a [Axis],
    /// Values that the axes have in the file, before the command line chose among them.
    pub(crate) values: &'a [(String, Vec<Literal>)],
    pub(crate) points: &'a [Vec<usize>],
    pub(crate) sources: &'a Sources,
}

impl Compares<'_> {
    /// What a table means; `None` when the command line left nothing to compare, or after a mistake.
    pub(crate) fn spec(
        &self,
        table: &CompareTable,
        when: Option<&Test>,
        found: &mut Vec<Diagnostic>,
    ) -> Option<CompareSpec> {
        let known = self.values.iter().find(|(name, _)| *name == table.axis.value);
        let Some((_, values)) = known else {
            let names: Vec<&str> = self.values.iter().map(|(name, _)| name.as_str()).collect();
            let title = format!("no axis is called `{}`", table.axis.value);
            let wrong = Diagnostic::new(table.axis.at, title, "not an axis");
            found.push(wrong.suggest(&table.axis.value, "axes", &names));
            return None;
        };
        let base = Literal::of(&table.base.value.0);
        if !values.contains(&base) {
            found.push(self.no_value(&table.axis.value, &table.base.value.0.found(), table.base.at));
            return None;
        }
        let claim = match &table.expect {
            Some(text) => Some(claim(text, values, found)?),
            None => None,
        };
        let axis = self.axes.iter().position(|axis| axis.name == table.axis.value)?;
        let groups = self.groups(axis, &base, when);
        if groups.is_empty() {
            // The command line may have left the base or the others out.
            let whole = self.axes[axis].values.len() == values.len();
            if whole && !self.points.is_empty() {
                let title = "no two points of the sweep can be compared";
                let label = "each point with the base has no partner";
                found.push(Diagnostic::new(table.base.at, title, label));
            }
            return None;
        }
        Some(CompareSpec {
            axis: table.axis.value.clone(),
            metric: table.metric.value.clone(),
            place: self.sources.place(table.expect.as_ref().map_or(table.metric.at, |text| text.at)),
            groups,
            claim,
        })
    }

    /// Points that agree in everything but the axis and what moves with it.
    fn groups(&self, axis: usize, base: &Literal, when: Option<&Test>) -> Vec<CompareGroup> {
        let leader = |index: usize| self.axes[index].with.unwrap_or(index);
        let others: Vec<usize> =
            (0..self.axes.len()).filter(|&index| leader(index) != leader(axis)).collect();
        let mut groups: Vec<(Vec<usize>, CompareGroup)> = Vec::new();
        for (number, positions) in self.points.iter().enumerate() {
            let here: Vec<Literal> =
                self.axes.iter().zip(positions).map(|(a, &p)| Literal::of(&a.values[p])).collect();
            if when.is_some_and(|test| !test.holds(&here)) {
                continue;
            }
            let key: Vec<usize> = others.iter().map(|&index| positions[index]).collect();
            let arm = (self.axes[axis].label(positions[axis]), number);
            if let Some((_, group)) = groups.iter_mut().find(|(known, _)| *known == key) {
                group.arms.push(arm);
                continue;
            }
            let label =
                |&index: &usize| (self.axes[index].name.clone(), self.axes[index].label(positions[index]));
            let point = others.iter().map(label).collect();
            groups.push((key, CompareGroup { point, arms: vec![arm], base: 0 }));
        }
        let is_base =
            |number: usize| Literal::of(&self.axes[axis].values[self.points[number][axis]]) == *base;
        let with_base = |(_, mut group): (Vec<usize>, CompareGroup)| {
            group.base = group.arms.iter().position(|&(_, number)| is_base(number))?;
            (group.arms.len() > 1).then_some(group)
        };
        groups.into_iter().filter_map(with_base).collect()
    }

    fn no_value(&self, axis: &str, value: &str, at: At) -> Diagnostic {
        let labels: Vec<String> = self
            .axes
            .iter()
            .filter(|known| known.name == axis)
            .flat_map(|known| (0..known.values.len()).map(|position| known.label(position)))
            .collect();
        let title = format!("the axis `{axis}` has no value {value}");
        Diagnostic::new(at, title, "not a value").suggest(value, "values", &labels)
    }
}

/// `budget >= naive + 10% at 95% confidence`.
fn claim(text: &Located<String>, values: &[Literal], found: &mut Vec<Diagnostic>) -> Option<Claim> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let (left, op, right, margin, confidence) = match words.as_slice() {
        [left, op, right, "at", level, "confidence"] => (left, op, right, Some(Margin::Share(0.0)), level),
        [left, op, right, sign, amount, "at", level, "confidence"] => {
            (left, op, right, margin(sign, amount), level)
        }
        _ => {
            found.push(grammar(text.at, "expected a claim"));
            return None;
        }
    };
    let ops = [
        (">=", Comparison::GreaterEqual),
        (">", Comparison::Greater),
        ("<=", Comparison::LessEqual),
        ("<", Comparison::Less),
    ];
    let op = ops.iter().find(|(word, _)| word == op).map(|(_, op)| *op);
    let level = quantity::share(confidence).ok().filter(|level| (0.5..=0.999).contains(level));
    for name in [left, right] {
        let literal = quantity::any(name).map_or_else(
            |_| Literal::Text((*name).to_owned()),
            |(number, unit)| Literal::Number(number, unit),
        );
        if !values.contains(&literal) {
            let title = format!("the axis has no value `{name}`");
            found.push(Diagnostic::new(text.at, title, "not a value of the compared axis"));
            return None;
        }
    }
    let (Some(op), Some(margin), Some(confidence)) = (op, margin, level) else {
        let title =
            "the claim needs >=, >, <= or <, a margin such as 10%, and a confidence from 50% to 99.9%";
        found.push(grammar(text.at, title));
        return None;
    };
    let (left, right) = ((*left).to_owned(), (*right).to_owned());
    Some(Claim { text: text.value.clone(), left, op, right, margin, confidence })
}

fn grammar(at: At, title: &str) -> Diagnostic {
    let help = "write \"budget >= naive + 10% at 95% confidence\"";
    Diagnostic::new(at, title, "not a claim").help(help)
}

fn margin(sign: &str, amount: &str) -> Option<Margin> {
    let factor = match sign {
        "+" => 1.0,
        "-" => -1.0,
        _ => return None,
    };
    if amount.ends_with('%') {
        return quantity::share(amount).ok().map(|share| Margin::Share(factor * share));
    }
    quantity::any(amount).ok().map(|(number, dimension)| Margin::Amount(factor * number, dimension))
}

/// A figure of a run, as a comparison names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What is measured.
    pub sum: crate::expect::Sum,
    /// When.
    pub window: crate::expect::Window,
}

#[cfg(test)]
mod tests {
    use super::*;
    use murphy_sim::Span;

    #[test]
    fn margins_are_shares_or_amounts_with_a_sign() {
        assert_eq!(margin("+", "10%"), Some(Margin::Share(0.1)));
        assert_eq!(margin("-", "50/s"), Some(Margin::Amount(-50.0, Dimension::Rate)));
        let Some(Margin::Amount(length, Dimension::Time)) = margin("+", "20ms") else { panic!("a time") };
        assert_eq!(Span::from_secs_f64(length), Span::millis(20));
        assert_eq!(margin("*", "2"), None);
        assert_eq!(margin("+", "much"), None);
    }
}
