//! A calculator as data: what it takes, what it assumes, and the function that answers.

use std::collections::BTreeMap;

use super::error::{CalcError, Mistake};
use super::math::Share;
use super::read;
use super::slo::{YEAR, nines};

/// A closed form with a name.
#[derive(Debug)]
pub struct Form {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// What it takes.
    pub args: &'static [Arg],
    /// What must hold for the result to be true.
    pub assumes: &'static [&'static str],
    /// Where the formula is from.
    pub source: &'static str,
    /// Arguments that work.
    pub example: &'static str,
    /// The function.
    pub(super) compute: fn(&Given) -> Result<Answer, String>,
}

/// An argument of a calculator.
#[derive(Debug)]
pub struct Arg {
    /// Its key.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// Whether it may be left out.
    pub need: Need,
}

/// Whether an argument may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Required,
    /// Then this is its value.
    Default(&'static str),
    /// Then the calculator does without.
    Optional,
}

/// What the value of an argument must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number.
    Count {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// A number without a unit.
    Number {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// A probability: `0.001` or `0.1%`.
    Share,
    /// Several, with commas.
    Shares,
    /// Several numbers from 0 to 1, with commas.
    Numbers,
    /// A duration, at least zero.
    Duration,
    /// A duration above zero.
    Span,
    /// Several durations, with commas.
    Durations,
    /// A rate above zero.
    Rate,
    /// Several rates, with commas.
    Rates,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Nodes of zones of regions, such as `3+2/2`.
    Layout,
    /// A law of times, such as `erlang:2`.
    Law,
}

impl Arg {
    /// What it stands for, what it must be, and what holds when it is left out.
    pub fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Count { min, max } => format!("whole number {min} to {max}"),
            Kind::Number { min, max } if max > 1e100 => format!("number from {min}"),
            Kind::Number { min, max } => format!("number {min} to {max}"),
            Kind::Share => "probability, 0.001 or 0.1%".to_owned(),
            Kind::Shares | Kind::Numbers => "probabilities with commas".to_owned(),
            Kind::Duration | Kind::Span => "duration, such as 30s or 1000h".to_owned(),
            Kind::Durations => "durations with commas, or @FILE".to_owned(),
            Kind::Rate => "rate, such as 200/s".to_owned(),
            Kind::Rates => "rates with commas".to_owned(),
            Kind::Word(words) => words.join(" | "),
            Kind::Layout => "nodes of zones with +, regions with /".to_owned(),
            Kind::Law => "exp, fixed, uniform, erlang:K, weibull:SHAPE or lognormal:SIGMA".to_owned(),
        };
        let need = match self.need {
            Need::Required => "required".to_owned(),
            Need::Default(text) => format!("default {text}"),
            Need::Optional => "optional".to_owned(),
        };
        format!("{} ({kind}; {need})", self.about)
    }

    pub(super) const fn optional(mut self) -> Arg {
        self.need = Need::Optional;
        self
    }

    pub(super) const fn or(mut self, text: &'static str) -> Arg {
        self.need = Need::Default(text);
        self
    }
}

pub(super) const fn arg(name: &'static str, kind: Kind, about: &'static str) -> Arg {
    Arg { name, about, kind, need: Need::Required }
}

pub(super) const fn count(name: &'static str, min: u64, max: u64, about: &'static str) -> Arg {
    arg(name, Kind::Count { min, max }, about)
}

pub(super) const fn number(name: &'static str, min: f64, max: f64, about: &'static str) -> Arg {
    arg(name, Kind::Number { min, max }, about)
}

/// A value as the calculator sees it: durations in seconds, rates per second.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Count(u64),
    Number(f64),
    Share(Share),
    Shares(Vec<Share>),
    List(Vec<f64>),
    Word(&'static str),
    Layout(Vec<Vec<u64>>),
    Law(super::component::Shape),
}

/// Arguments as text, defaults included.
pub(super) type Shown = Vec<(&'static str, String)>;

/// The arguments of one calculation, all read.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeMap<&'static str, Value>);

/// Reading a declared argument is infallible: the form declares it, `read` checked it.
macro_rules! getter {
    ($name:ident, $optional:ident, $variant:ident, $type:ty) => {
        #[allow(dead_code, reason = "not every kind of argument is optional somewhere")]
        pub(super) fn $optional(&self, name: &str) -> Option<$type> {
            match self.0.get(name) {
                None => None,
                Some(Value::$variant(value)) => Some(value.clone()),
                other => panic!("the form declares `{name}` otherwise: {other:?}"),
            }
        }
        #[allow(dead_code, reason = "not every kind of argument is required somewhere")]
        pub(super) fn $name(&self, name: &str) -> $type {
            self.$optional(name).unwrap_or_else(|| panic!("the form declares no `{name}`"))
        }
    };
}

impl Given {
    /// A declared count, as an index.
    pub(super) fn size(&self, name: &str) -> usize {
        super::math::size(self.count(name))
    }

    getter!(count, count_if, Count, u64);
    getter!(number, number_if, Number, f64);
    getter!(share, share_if, Share, Share);
    getter!(shares, shares_if, Shares, Vec<Share>);
    getter!(list, list_if, List, Vec<f64>);
    getter!(word, word_if, Word, &'static str);
    getter!(layout, layout_if, Layout, Vec<Vec<u64>>);
    getter!(law, law_if, Law, super::component::Shape);
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    One,
    /// Seconds.
    Seconds,
    /// Per second.
    PerSecond,
    /// Square seconds per second: growth of a variance.
    Seconds2PerSecond,
}

impl Unit {
    /// The unit's sign; empty for plain numbers.
    pub fn sign(self) -> &'static str {
        match self {
            Unit::One => "",
            Unit::Seconds => "s",
            Unit::PerSecond => "/s",
            Unit::Seconds2PerSecond => "s^2/s",
        }
    }
}

/// One number of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
}

/// What notes call the articles whose formulas they correct.
const SOURCES: [(&str, &str); 2] = [
    ("S0", "S0: the article `Fault Tolerance Pattern`, whose formulas are widely copied"),
    ("S2", "S2: the guide `What is Fault Tolerance?`, whose alert rules are widely copied"),
];

/// Figures in the order of their weight, and notes about them.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    figures: Vec<Figure>,
    notes: Vec<String>,
}

impl Answer {
    pub(super) fn new() -> Answer {
        Answer::default()
    }

    fn figure(mut self, name: impl Into<String>, value: f64, unit: Unit) -> Answer {
        self.figures.push(Figure { name: name.into(), value, unit });
        self
    }

    pub(super) fn plain(self, name: impl Into<String>, value: f64) -> Answer {
        self.figure(name, value, Unit::One)
    }

    pub(super) fn seconds(self, name: impl Into<String>, value: f64) -> Answer {
        self.figure(name, value, Unit::Seconds)
    }

    pub(super) fn rate(self, name: impl Into<String>, value: f64) -> Answer {
        self.figure(name, value, Unit::PerSecond)
    }

    pub(super) fn variance_rate(self, name: impl Into<String>, value: f64) -> Answer {
        self.figure(name, value, Unit::Seconds2PerSecond)
    }

    /// The same unavailability in the words people use.
    pub(super) fn unavailability(self, down: f64) -> Answer {
        self.plain("unavailability", down)
            .plain("availability", 1.0 - down)
            .plain("nines", nines(down))
            .seconds("downtime a year", down * YEAR)
    }

    /// What S0 says about the same, and why it is so or not.
    pub(super) fn note(mut self, text: impl Into<String>) -> Answer {
        self.notes.push(text.into());
        self
    }

    pub(super) fn note_if(self, condition: bool, text: impl FnOnce() -> String) -> Answer {
        if condition { self.note(text()) } else { self }
    }
}

/// A result: figures, what they assume, and notes.
#[derive(Debug)]
pub struct Calculation {
    /// The calculator.
    pub form: &'static Form,
    /// The arguments in effect as text, defaults included.
    pub arguments: Vec<(&'static str, String)>,
    /// The figures, the one asked for first.
    pub figures: Vec<Figure>,
    /// Remarks on this result; those on a source that is wrong start with `S0`.
    pub notes: Vec<String>,
}

impl Calculation {
    /// The value of a figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

impl Form {
    /// Reads `key=value` arguments and calculates.
    ///
    /// # Errors
    /// All arguments that are wrong, at once.
    pub fn run<S: AsRef<str>>(&'static self, arguments: &[S]) -> Result<Calculation, CalcError> {
        let (given, shown) = self.read(arguments)?;
        match (self.compute)(&given).and_then(numbers) {
            Ok(Answer { figures, mut notes }) => {
                let legends =
                    SOURCES.iter().filter(|(name, _)| notes.iter().any(|note| note.starts_with(name)));
                let legends: Vec<String> = legends.map(|(_, text)| (*text).to_owned()).collect();
                notes.extend(legends);
                Ok(Calculation { form: self, arguments: shown, figures, notes })
            }
            Err(why) => Err(CalcError::Arguments { form: self, mistakes: vec![Mistake::Together { why }] }),
        }
    }

    /// The arguments, read, and as text.
    pub(super) fn read<S: AsRef<str>>(&'static self, arguments: &[S]) -> Result<(Given, Shown), CalcError> {
        let mut typed: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut mistakes = Vec::new();
        for text in arguments {
            match self.assignment(text.as_ref()) {
                Err(mistake) => mistakes.push(mistake),
                Ok((key, _)) if typed.contains_key(key) => mistakes.push(Mistake::Twice { key }),
                Ok((key, value)) => _ = typed.insert(key, value),
            }
        }
        let (mut given, mut shown) = (Given::default(), Vec::new());
        for arg in self.args {
            let text = match (typed.remove(arg.name), arg.need) {
                (Some(text), _) => text,
                (None, Need::Default(text)) => text.to_owned(),
                (None, Need::Optional) => continue,
                (None, Need::Required) => {
                    mistakes.push(Mistake::Missing { key: arg.name, about: arg.about });
                    continue;
                }
            };
            match read::value(arg.kind, &text) {
                Ok(value) => _ = given.0.insert(arg.name, value),
                Err(why) => mistakes.push(Mistake::Value { key: arg.name, text: short(&text), why }),
            }
            shown.push((arg.name, text));
        }
        if mistakes.is_empty() {
            return Ok((given, shown));
        }
        Err(CalcError::Arguments { form: self, mistakes })
    }

    fn assignment(&self, text: &str) -> Result<(&'static str, String), Mistake> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Mistake::NoAssignment { text: short(text) });
        };
        let key = key.trim();
        let known: Vec<&'static str> = self.args.iter().map(|arg| arg.name).collect();
        match known.iter().find(|name| **name == key) {
            Some(name) => Ok((name, value.trim().to_owned())),
            None => Err(Mistake::Unknown { key: short(key), close: read::closest(key, &known) }),
        }
    }
}

/// The answer, unless it is not a number: then probabilities below 1e-308 met.
fn numbers(answer: Answer) -> Result<Answer, String> {
    match answer.figures.iter().find(|figure| figure.value.is_nan()) {
        None => Ok(answer),
        Some(figure) => {
            Err(format!("{} is beyond what a double holds: take less extreme values", figure.name))
        }
    }
}

/// A text that fits a line.
fn short(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(39).chain(['…']).collect()
}
