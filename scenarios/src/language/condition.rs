//! Conditions over sweep axes: `policy == 'naive' && load > 800/s`, for `where` and `when`.

use super::diagnostic::{At, closest, listed};
use super::quantity;
use super::value::{Data, Value};
use crate::describe::Dimension;

/// A parsed condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Compare { axis: usize, op: &'static str, literal: Literal },
}

/// The right side of a comparison, or the value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Flag(bool),
    Number(f64, Dimension),
}

/// A mistake in a condition: the bytes it covers, what is wrong, and what helps.
pub(crate) struct Fault {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) title: String,
    pub(crate) help: Option<String>,
}

/// An axis as conditions see it.
pub(crate) struct AxisView<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<Literal>,
}

impl Literal {
    /// A value of an axis: texts that are quantities compare as quantities.
    pub(crate) fn of(value: &Value) -> Literal {
        match &value.data {
            Data::Flag(flag) => Literal::Flag(*flag),
            Data::Integer(number) => Literal::Number(*number as f64, Dimension::One),
            Data::Float(number) => Literal::Number(*number, Dimension::One),
            Data::Text(text) => match quantity::any(text) {
                Ok((number, dimension)) => Literal::Number(number, dimension),
                Err(_) => Literal::Text(text.clone()),
            },
            _ => Literal::Text(value.inline()),
        }
    }
}

impl Test {
    /// Whether it holds for these axis values.
    pub(crate) fn holds(&self, values: &[Literal]) -> bool {
        match self {
            Test::Not(test) => !test.holds(values),
            Test::And(a, b) => a.holds(values) && b.holds(values),
            Test::Or(a, b) => a.holds(values) || b.holds(values),
            Test::Compare { axis, op, literal } => compare(&values[*axis], op, literal),
        }
    }
}

fn compare(value: &Literal, op: &str, literal: &Literal) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (value, literal) {
        (Literal::Text(a), Literal::Text(b)) => Some(a.cmp(b)),
        (Literal::Flag(a), Literal::Flag(b)) => Some(a.cmp(b)),
        (Literal::Number(a, x), Literal::Number(b, y)) if x == y => a.partial_cmp(b),
        _ => None,
    };
    match op {
        "==" => order == Some(Equal),
        "!=" => order != Some(Equal),
        "<" => order == Some(Less),
        "<=" => matches!(order, Some(Less | Equal)),
        ">" => order == Some(Greater),
        _ => matches!(order, Some(Greater | Equal)),
    }
}

/// Parses a condition and checks its names and types against the axes.
pub(crate) fn parse(text: &str, axes: &[AxisView<'_>]) -> Result<Test, Fault> {
    let mut parser = Parser { text, at: 0, axes, depth: 0 };
    let whole = parser.either()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.fault("expected `&&`, `||` or the end", None));
    }
    Ok(whole)
}

impl Fault {
    /// Its place in the file, for a text that stands in a plain string at `at`.
    pub(crate) fn within(&self, at: At) -> At {
        at.inside(self.from, self.to)
    }
}

struct Parser<'t, 'a> {
    text: &'t str,
    at: usize,
    axes: &'t [AxisView<'a>],
    depth: u32,
}

impl<'t> Parser<'t, '_> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn fault(&self, title: impl Into<String>, help: Option<String>) -> Fault {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        Fault { from: self.at, to: self.at + width, title: title.into(), help }
    }

    fn either(&mut self) -> Result<Test, Fault> {
        let mut test = self.both()?;
        while self.eat("||") {
            test = Test::Or(Box::new(test), Box::new(self.both()?));
        }
        Ok(test)
    }

    fn both(&mut self) -> Result<Test, Fault> {
        let mut test = self.one()?;
        while self.eat("&&") {
            test = Test::And(Box::new(test), Box::new(self.one()?));
        }
        Ok(test)
    }

    fn one(&mut self) -> Result<Test, Fault> {
        self.depth += 1;
        if self.depth > 64 {
            return Err(self.fault("the condition is nested too deeply", None));
        }
        self.space();
        let test = if !self.rest().starts_with("!=") && self.eat("!") {
            Test::Not(Box::new(self.one()?))
        } else if self.eat("(") {
            let test = self.either()?;
            if !self.eat(")") {
                return Err(self.fault("expected `)`", None));
            }
            test
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(test)
    }

    fn word(&mut self, allowed: &str) -> (usize, &'t str) {
        self.space();
        let from = self.at;
        let inside = |c: char| c.is_ascii_alphanumeric() || allowed.contains(c);
        let end = self.rest().find(|c| !inside(c)).unwrap_or(self.rest().len());
        self.at += end;
        (from, &self.text[from..self.at])
    }

    fn comparison(&mut self) -> Result<Test, Fault> {
        let names: Vec<&str> = self.axes.iter().map(|axis| axis.name).collect();
        let (from, name) = self.word("_-");
        if name.is_empty() {
            let help = Some(format!("axes: {}", listed(&names)));
            return Err(self.fault("expected the name of an axis", help));
        }
        let Some(axis) = names.iter().position(|axis| *axis == name) else {
            let close =
                closest(name, &names).map_or(String::new(), |name| format!("did you mean `{name}`? "));
            let help = if names.is_empty() {
                "the scenario has no [[sweep]]".to_owned()
            } else {
                format!("{close}axes: {}", listed(&names))
            };
            let title = format!("no axis is called `{name}`");
            return Err(Fault { from, to: self.at, title, help: Some(help) });
        };
        let operators = ["==", "!=", "<=", ">=", "<", ">"];
        let Some(op) = operators.into_iter().find(|op| self.eat(op)) else {
            return Err(self.fault("expected a comparison: == != < <= > >=", None));
        };
        let (from, literal) = self.literal()?;
        let comparable = |value: &Literal| match (value, &literal) {
            (Literal::Number(_, a), Literal::Number(_, b)) => a == b,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        if !self.axes[axis].values.iter().any(comparable) {
            let title = format!("no value of `{name}` can be compared with this");
            let help = Some("strings stand in single quotes, numbers have their unit".to_owned());
            return Err(Fault { from, to: self.at, title, help });
        }
        Ok(Test::Compare { axis, op, literal })
    }

    fn literal(&mut self) -> Result<(usize, Literal), Fault> {
        self.space();
        let from = self.at;
        if self.eat("'") {
            let Some(end) = self.rest().find('\'') else {
                return Err(self.fault("the string has no closing '", None));
            };
            let text = self.rest()[..end].to_owned();
            self.at += end + 1;
            // A value that reads as a quantity compares as one, quoted or not.
            return Ok((from, Literal::of(&Value::text(text))));
        }
        let (_, word) = self.word("_-./%");
        match word {
            "true" => return Ok((from, Literal::Flag(true))),
            "false" => return Ok((from, Literal::Flag(false))),
            "" => return Err(self.fault("expected a value: 'text' or a number with its unit", None)),
            _ => {}
        }
        match quantity::any(word) {
            Ok((number, dimension)) => Ok((from, Literal::Number(number, dimension))),
            Err(wrong) => {
                let help = wrong.help.unwrap_or_else(|| format!("a string stands in quotes: '{word}'"));
                let title = format!("`{word}`: {}", wrong.label);
                Err(Fault { from, to: self.at, title, help: Some(help) })
            }
        }
    }
}
