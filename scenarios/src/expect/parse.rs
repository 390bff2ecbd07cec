//! The grammar of expectations, and the check of names and dimensions against what is declared.

use murphy_reports::Over;
use murphy_sim::Span;

use super::ast::{Atom, Check, Comparison, Condition, Metric, Statistic, Sum, Window};
use super::evaluate::property_name;
use super::metrics::{Known, Measure};
use crate::describe::{Dimension, PropertyInfo, PropertyKind};
use crate::language::{closest, listed, quantity};

/// A mistake in the text of an expectation: the bytes it covers, what is wrong, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) title: String,
    pub(crate) help: Vec<String>,
}

impl Mistake {
    fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help.push(help.into());
        self
    }

    fn suggest<S: AsRef<str>>(mut self, found: &str, what: &str, exist: &[S]) -> Mistake {
        if let Some(close) = closest(found, exist) {
            self.help.push(format!("did you mean `{close}`?"));
        }
        let none = format!("there are no {what}");
        self.help.push(if exist.is_empty() { none } else { format!("{what}: {}", listed(exist)) });
        self
    }
}

type Parsed<T> = Result<T, Mistake>;

const CHECKS: &[(&str, Check)] = &[
    ("always", Check::Always),
    ("never", Check::Never),
    ("eventually", Check::Eventually),
    ("linearizable", Check::Linearizable),
    ("converges", Check::Converges),
    ("violated", Check::Violated),
];

const STATISTICS: &[(&str, Statistic)] = &[
    ("p50", Statistic::P50),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
    ("p999", Statistic::P999),
    ("mean", Statistic::Mean),
    ("max", Statistic::Max),
    ("min", Statistic::Min),
    ("count", Statistic::Count),
    ("rate", Statistic::Rate),
];

/// Parses an expectation and checks it.
pub(crate) fn condition(text: &str, known: &Known<'_>) -> Parsed<Condition> {
    let mut parser = Parser { text, at: 0, known };
    let condition = parser.condition()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.mistake("expected the end of the expectation"));
    }
    Ok(condition)
}

/// Parses a figure: `goodput in after(half-db, 30s)`.
pub(crate) fn figure(text: &str, known: &Known<'_>) -> Parsed<(Sum, Window)> {
    let mut parser = Parser { text, at: 0, known };
    let sum = parser.sum()?;
    let window = if parser.eat("in ") { parser.window()? } else { Window::All };
    parser.space();
    if parser.at < text.len() {
        return Err(parser.mistake("expected `in` and a window, or the end of the figure"));
    }
    Ok((sum, window))
}

/// Parses `every seed` or `95% of seeds`; with `0% of seeds` nothing is judged, and the share is shown.
pub(crate) fn over(text: &str) -> Parsed<Over> {
    let whole = |title: &str| Mistake { from: 0, to: text.len(), title: title.to_owned(), help: Vec::new() };
    if text.trim() == "every seed" {
        return Ok(Over::EverySeed);
    }
    let share = text.trim().strip_suffix("of seeds").map(str::trim).filter(|share| share.ends_with('%'));
    let share =
        share.and_then(|share| quantity::share(share).ok()).filter(|share| (0.0..=1.0).contains(share));
    let Some(share) = share else {
        return Err(whole("expected seeds").help("write \"every seed\" or \"95% of seeds\""));
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in 0..=1")]
    Ok(Over::SharePpm(libm::round(share * 1e6) as u32))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    known: &'t Known<'t>,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn mistake(&self, title: impl Into<String>) -> Mistake {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        Mistake { from: self.at, to: self.at + width, title: title.into(), help: Vec::new() }
    }

    fn since(&self, from: usize, title: impl Into<String>) -> Mistake {
        Mistake { from, to: self.at, title: title.into(), help: Vec::new() }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.mistake(format!("expected `{token}`"))) }
    }

    /// A name: letters, digits, `_`, `.`, and `-` between them (so `a - b` subtracts).
    fn name(&mut self) -> (usize, &'t str) {
        self.space();
        let from = self.at;
        let rest = self.rest();
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches(['-', '.']);
        // `10s..20s` and `a..b`: two dots end a name.
        let name = name.split("..").next().unwrap_or_default();
        self.at += name.len();
        (from, name)
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let start = self.at;
        let (_, word) = self.name();
        if let Some((_, check)) = CHECKS.iter().find(|(name, _)| *name == word)
            && self.eat("(")
        {
            return self.property(*check);
        }
        self.at = start;
        let left = self.sum()?;
        let (op_at, op) = self.comparison()?;
        let right = self.sum()?;
        if left.dimension != right.dimension {
            let (a, b) = (dimension_word(left.dimension), dimension_word(right.dimension));
            let mut wrong = Mistake {
                from: op_at,
                to: self.at,
                title: format!("{a} cannot be compared with {b}"),
                help: Vec::new(),
            };
            if let [(false, atoms)] = right.terms.as_slice()
                && let [Atom::Number(number, Dimension::One)] = atoms.as_slice()
            {
                wrong =
                    wrong.help(quantity::with_unit(&number.to_string(), left.dimension).replace('"', "`"));
            }
            return Err(wrong);
        }
        let window = if self.eat("in ") { self.window()? } else { Window::All };
        Ok(Condition::Compare { left, op, right, window })
    }

    fn property(&mut self, check: Check) -> Parsed<Condition> {
        let (from, name) = self.name();
        if name.is_empty() {
            return Err(self.mistake("expected the name of a property"));
        }
        let workload = self.known.workloads.iter().any(|workload| workload.name == name);
        let (name, kind) = if check == Check::Violated && workload {
            // Its history, which no other word could mean.
            self.expect(")")?;
            let name = property_name(Check::Linearizable, name);
            return Ok(Condition::Property { check, name, kind: PropertyKind::Safety, within: None });
        } else if check == Check::Linearizable {
            if !self.known.workloads.iter().any(|workload| workload.name == name) {
                let exist: Vec<&str> = self.known.workloads.iter().map(|workload| &*workload.name).collect();
                let wrong = self.since(from, format!("no workload is called `{name}`"));
                return Err(wrong.suggest(name, "workloads", &exist));
            }
            (name, PropertyKind::Safety)
        } else {
            self.property_fits(check, from, name)?
        };
        let within = if self.eat(",") { Some(self.duration()?) } else { None };
        if within.is_some() && !matches!(check, Check::Eventually | Check::Converges) {
            return Err(self.since(from, "only `eventually` and `converges` take a duration"));
        }
        self.expect(")")?;
        Ok(Condition::Property { check, name: name.to_owned(), kind, within })
    }

    /// The property that a name means, in full or without its model's: `agreement` is that of the
    /// model in use, so that a sweep over models can ask for it.
    fn property_fits(&self, check: Check, from: usize, name: &str) -> Parsed<(&'static str, PropertyKind)> {
        let properties = || self.known.models.iter().flat_map(|model| &model.properties);
        let means = |property: &&PropertyInfo| {
            let own = property.name.split_once('.').map_or(property.name, |(_, own)| own);
            property.name == name || own == name
        };
        let Some(property) = properties().find(means) else {
            let exist: Vec<&str> = properties().map(|property| property.name).collect();
            let wrong = self.since(from, format!("no model in use has the property `{name}`"));
            return Err(wrong.suggest(name, "properties", &exist));
        };
        let (fits, help) = match property.kind {
            PropertyKind::Safety => (check == Check::Always, "always"),
            PropertyKind::Liveness => (check == Check::Eventually, "eventually"),
            PropertyKind::Convergence => (check == Check::Converges, "converges"),
            PropertyKind::Sometimes => (matches!(check, Check::Eventually | Check::Never), "eventually"),
        };
        if fits || (check == Check::Violated && property.kind != PropertyKind::Sometimes) {
            return Ok((property.name, property.kind));
        }
        let word = CHECKS.iter().find(|(_, known)| *known == check).map_or("", |(word, _)| word);
        let wrong = self.since(from, format!("`{word}` does not apply to `{name}`: {}", property.about));
        Err(wrong.help(format!("write {help}({name})")))
    }

    fn comparison(&mut self) -> Parsed<(usize, Comparison)> {
        self.space();
        let at = self.at;
        for (token, op) in [
            ("<=", Comparison::LessEqual),
            (">=", Comparison::GreaterEqual),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.eat(token) {
                return Ok((at, op));
            }
        }
        Err(self.mistake("expected a comparison: < <= > >= == !="))
    }

    fn sum(&mut self) -> Parsed<Sum> {
        let (atoms, dimension) = self.product()?;
        let mut terms = vec![(false, atoms)];
        loop {
            self.space();
            let from = self.at;
            let minus = match self.rest().chars().next() {
                Some('+') => false,
                Some('-') => true,
                _ => return Ok(Sum { terms, dimension }),
            };
            self.at += 1;
            let (atoms, other) = self.product()?;
            if other != dimension {
                let (a, b) = (dimension_word(dimension), dimension_word(other));
                return Err(self.since(from, format!("{a} and {b} do not add up")));
            }
            terms.push((minus, atoms));
        }
    }

    fn product(&mut self) -> Parsed<(Vec<Atom>, Dimension)> {
        let (atom, mut dimension) = self.atom()?;
        let mut atoms = vec![atom];
        loop {
            self.space();
            let from = self.at;
            if !self.eat("*") {
                return Ok((atoms, dimension));
            }
            let (atom, other) = self.atom()?;
            dimension = times(dimension, other).ok_or_else(|| {
                let (a, b) = (dimension_word(dimension), dimension_word(other));
                self.since(from, format!("{a} times {b} is nothing that can be measured"))
            })?;
            atoms.push(atom);
        }
    }

    fn atom(&mut self) -> Parsed<(Atom, Dimension)> {
        self.space();
        if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        let (from, word) = self.name();
        if word.is_empty() {
            return Err(self.mistake("expected a number or a metric"));
        }
        if (word == "mitigation" || word == "recovery") && self.eat("(") {
            let fault = self.fault(word == "recovery")?;
            self.expect(")")?;
            let atom = if word == "recovery" { Atom::Recovery(fault) } else { Atom::Mitigation(fault) };
            return Ok((atom, Dimension::Time));
        }
        let statistic = STATISTICS.iter().find(|(name, _)| *name == word);
        if let Some((_, statistic)) = statistic.filter(|_| self.eat("(")) {
            let (metric_at, name) = self.name();
            let metric = self.metric(metric_at, name)?;
            self.expect(")")?;
            let measure = self.measure(metric_at, &metric)?;
            let dimension = measure.statistic(*statistic).map_err(|title| self.since(from, title))?;
            return Ok((Atom::Statistic(*statistic, metric), dimension));
        }
        if self.eat("(") {
            let names: Vec<&str> =
                STATISTICS.iter().map(|(name, _)| *name).chain(["mitigation", "recovery"]).collect();
            let wrong = self.since(from, format!("unknown function `{word}`"));
            return Err(wrong.suggest(word, "functions", &names));
        }
        let metric = self.metric(from, word)?;
        let measure = self.measure(from, &metric)?;
        let dimension = measure.plain(word).map_err(|title| {
            self.since(from, title).help(format!("write for example p99({word}) or mean({word})"))
        })?;
        Ok((Atom::Metric(metric), dimension))
    }

    /// A number with its unit, such as `400ms`, `95%` or `800/s`.
    fn number(&mut self) -> Parsed<(Atom, Dimension)> {
        let from = self.at;
        let rest = self.rest();
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '%' | '/');
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let end = rest[..end].find("..").unwrap_or(end);
        self.at += end;
        let text = &rest[..end];
        let (value, dimension) = quantity::any(text).map_err(|wrong| {
            let mut mistake = self.since(from, format!("`{text}`: {}", wrong.label));
            mistake.help.extend(wrong.help);
            mistake
        })?;
        let atom = if text.ends_with('%') { Atom::Percent(value) } else { Atom::Number(value, dimension) };
        Ok((atom, dimension))
    }

    fn duration(&mut self) -> Parsed<Span> {
        self.space();
        let from = self.at;
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        let end = rest[..end].find("..").unwrap_or(end);
        self.at += end;
        quantity::duration(&rest[..end]).map_err(|wrong| {
            let mut mistake = self.since(from, format!("expected a duration: {}", wrong.label));
            mistake.help.extend(wrong.help);
            mistake
        })
    }

    fn fault(&mut self, must_end: bool) -> Parsed<String> {
        let (from, name) = self.name();
        let Some((_, ends)) = self.known.faults.iter().find(|(fault, _)| fault == name) else {
            let exist: Vec<&str> = self.known.faults.iter().map(|(fault, _)| fault.as_str()).collect();
            let wrong = self.since(from, format!("no fault is called `{name}`"));
            return Err(wrong.suggest(name, "faults", &exist));
        };
        if must_end && !ends {
            let wrong =
                self.since(from, format!("the fault `{name}` never ends, so there is no time after it"));
            return Err(wrong.help("give the fault a length with `for`"));
        }
        Ok(name.to_owned())
    }

    fn metric(&mut self, from: usize, name: &str) -> Parsed<Metric> {
        if self.known.measure(name).is_none() {
            let wrong = self.since(from, format!("unknown metric `{name}`"));
            return Err(wrong.suggest(name, "metrics", &self.known.metric_names()));
        }
        let mut labels: Vec<(String, String)> = Vec::new();
        if self.eat("{") {
            loop {
                let (label_at, label) = self.name();
                self.expect("=")?;
                self.expect("'")?;
                let Some(end) = self.rest().find('\'') else {
                    return Err(self.mistake("the label has no closing '"));
                };
                let value = &self.rest()[..end];
                self.at += end + 1;
                self.label(name, label_at, label, value)?;
                if labels.iter().any(|(known, _)| known == label) {
                    return Err(self.since(label_at, format!("the label `{label}` is there twice")));
                }
                labels.push((label.to_owned(), value.to_owned()));
                if !self.eat(",") {
                    break;
                }
            }
            self.expect("}")?;
        }
        Ok(Metric { name: name.to_owned(), labels })
    }

    fn label(&self, metric: &str, at: usize, label: &str, value: &str) -> Parsed<()> {
        let allowed = self.known.measure(metric).map_or(&[][..], |measure| measure.labels());
        if !allowed.contains(&label) {
            let wrong = self.since(at, format!("`{metric}` has no label `{label}`"));
            return Err(wrong.suggest(label, "labels", allowed));
        }
        let exist = self.known.label_values(label);
        if exist.contains(&value) {
            return Ok(());
        }
        let wrong = self.since(at, format!("no {label} is called '{value}'"));
        Err(wrong.suggest(value, label, &exist))
    }

    fn measure(&self, from: usize, metric: &Metric) -> Parsed<Measure> {
        self.known.measure(&metric.name).ok_or_else(|| self.since(from, "unknown metric"))
    }

    fn window(&mut self) -> Parsed<Window> {
        self.space();
        if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            let at = self.at;
            let from = self.duration()?;
            self.expect("..")?;
            let to = self.duration()?;
            if to <= from {
                return Err(self.since(at, "the window ends before it starts"));
            }
            return Ok(Window::Range(from, to));
        }
        let (from, word) = self.name();
        match word {
            "steady" => Ok(Window::Steady),
            "warmup" => Ok(Window::Warmup),
            "all" => Ok(Window::All),
            "during" => {
                self.expect("(")?;
                let fault = self.fault(false)?;
                self.expect(")")?;
                Ok(Window::During(fault))
            }
            "after" => {
                self.expect("(")?;
                let fault = self.fault(true)?;
                let delay = if self.eat(",") { self.duration()? } else { Span::ZERO };
                self.expect(")")?;
                Ok(Window::After(fault, delay))
            }
            _ => {
                let words = ["steady", "warmup", "all", "during(FAULT)", "after(FAULT)", "10s..20s"];
                Err(self.since(from, format!("unknown window `{word}`")).suggest(word, "windows", &words))
            }
        }
    }
}

/// What a product measures, when it measures anything.
fn times(a: Dimension, b: Dimension) -> Option<Dimension> {
    use Dimension::{Bandwidth, Bytes, One, Rate, Time};
    match (a, b) {
        (One, other) | (other, One) => Some(other),
        (Time, Rate) | (Rate, Time) => Some(One),
        (Bytes, Rate) | (Rate, Bytes) => Some(Bandwidth),
        (Bandwidth, Time) | (Time, Bandwidth) => Some(Bytes),
        _ => None,
    }
}

fn dimension_word(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::One => "a plain number",
        Dimension::Time => "a time",
        Dimension::Rate => "a rate",
        Dimension::Bytes => "a size",
        Dimension::Bandwidth => "a bandwidth",
    }
}
