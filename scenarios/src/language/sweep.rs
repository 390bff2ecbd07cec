//! Axes, designs and the points they make.

use serde_json::{Value as Json, json};

use super::condition::{AxisView, Literal, Test};
use super::diagnostic::{At, Diagnostic};
use super::fields::{Field, Fields, Located, Name, Table, Walk};
use super::path::{self, Leaf};
use super::quantity;
use super::tables::MAX_SEED;
use super::value::{Data, Value};
use crate::describe::{Dimension, ModelInfo};

/// Most points of a sweep, and most seeds of a design.
const MAX_POINTS: usize = 100_000;
const MAX_SEEDS: u64 = 1_000_000;

/// Any TOML value.
#[derive(Clone, Debug)]
pub(crate) struct Any(pub(crate) Value);

impl Field for Any {
    fn read(value: &Value, _: &mut Walk<'_>) -> (Any, Value) {
        (Any(value.clone()), value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({})
    }

    fn placeholder() -> Any {
        Any(Value::count(0))
    }
}

/// `[[sweep]]`.
pub(crate) struct SweepTable {
    pub(crate) axis: Located<Name>,
    pub(crate) paths: Vec<Located<String>>,
    pub(crate) values: Vec<Value>,
    pub(crate) with: Option<Located<String>>,
}

impl Table for SweepTable {
    const WHAT: &'static str = "[[sweep]]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> SweepTable {
        let axis = fields.required("axis", "name of the axis");
        let paths = fields.required("set", "paths that the axis sets, such as [\"network.drop\"]");
        let values: Option<Vec<Any>> = fields.optional("values", "values of the axis");
        let range: Option<RangeTable> = fields.optional("range", "values from, to (inclusive), step");
        let with = fields.optional("with", "another axis that this one moves in lockstep with");
        super::law::one_of(fields, ["values", "range"], [values.is_some(), range.is_some()]);
        if values.as_ref().is_some_and(Vec::is_empty) {
            fields.error(Diagnostic::new(fields.spot("values"), "the axis has no values", "empty"));
        }
        let values = values.map(|values| values.into_iter().map(|any| any.0).collect());
        SweepTable { axis, paths, values: values.or(range.map(|range| range.0)).unwrap_or_default(), with }
    }
}

impl SweepTable {
    /// Name of the axis and its values.
    pub(crate) fn literals(&self) -> (String, Vec<Literal>) {
        (self.axis.value.0.clone(), self.values.iter().map(Literal::of).collect())
    }
}

/// Values at equal steps.
struct RangeTable(Vec<Value>);

impl Table for RangeTable {
    const WHAT: &'static str = "range";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> RangeTable {
        let from: Any = fields.required("from", "first value, such as \"400/s\"");
        let to: Any = fields.required("to", "last value, such as \"1000/s\"");
        let step: Any = fields.required("step", "distance, such as \"200/s\"");
        if !(fields.live() && fields.has("from") && fields.has("to") && fields.has("step")) {
            return RangeTable(Vec::new());
        }
        let parts = [&from.0, &to.0, &step.0].map(Literal::of);
        let [Literal::Number(low, a), Literal::Number(high, b), Literal::Number(step, c)] = parts else {
            let title = "a range needs numbers, with their units";
            fields.error(Diagnostic::new(fields.at, title, "from, to and step are not all numbers"));
            return RangeTable(Vec::new());
        };
        let steps = (high - low) / step + 1.0 + 1e-9;
        if a != b || b != c || step <= 0.0 || !(1.0..MAX_POINTS as f64).contains(&steps) {
            let label = "from, to and step need one dimension, and step must lead from `from` to `to`";
            let title = format!("the range gives no values, or more than {MAX_POINTS}");
            fields.error(Diagnostic::new(fields.at, title, label));
            return RangeTable(Vec::new());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        let count = steps as usize;
        let whole = is_whole(&from.0) && is_whole_number(step);
        let value = |index: usize| step_value(low + step * index as f64, a, whole, fields.at);
        RangeTable((0..count).map(value).collect())
    }
}

fn is_whole(value: &Value) -> bool {
    matches!(value.data, Data::Integer(_))
}

fn is_whole_number(number: f64) -> bool {
    (number - libm::round(number)).abs() < f64::EPSILON
}

/// One value of a range, without the noise of binary fractions.
fn step_value(number: f64, dimension: Dimension, whole: bool, at: At) -> Value {
    let tidy: f64 = format!("{number:.12e}").parse().unwrap_or(number);
    #[expect(clippy::cast_possible_truncation, reason = "a range of durations or whole numbers is small")]
    let data = match dimension {
        Dimension::One if whole => Data::Integer(tidy as i128),
        Dimension::One => Data::Float(tidy),
        Dimension::Time => Data::Text(quantity::signed_text(libm::round(tidy * 1e9) as i64)),
        Dimension::Rate => Data::Text(format!("{tidy}/s")),
        Dimension::Bytes => Data::Text(format!("{tidy}B")),
        Dimension::Bandwidth => Data::Text(format!("{tidy}B/s")),
    };
    Value::new(at, data)
}

/// `[design]`.
pub(crate) struct DesignTable {
    pub(crate) seeds: Option<Seeds>,
    pub(crate) keep: Option<Located<String>>,
}

impl Table for DesignTable {
    const WHAT: &'static str = "[design]";

    fn fields(fields: &mut Fields<'_, '_, '_>) -> DesignTable {
        DesignTable {
            seeds: fields.optional("seeds", "such as \"1..=20\" or [1, 2, 3]"),
            keep: fields.optional("where", "points that are kept, such as \"load > 800/s\""),
        }
    }
}

/// The seeds of a design: `"1..=20"`, `"1..21"` or a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl std::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seeds, String> {
        let number = |text: &str| {
            let number: Option<u64> = text.trim().parse().ok().filter(|seed| *seed <= MAX_SEED);
            number.ok_or_else(|| format!("`{}` is not a seed from 0 to {MAX_SEED}", text.trim()))
        };
        if let Some((from, to)) = text.split_once("..") {
            let (to, inclusive) = to.strip_prefix('=').map_or((to, false), |to| (to, true));
            let (from, to) = (number(from)?, number(to)?);
            let end = if inclusive { to + 1 } else { to };
            return match end.checked_sub(from) {
                None | Some(0) => Err("the range has no seeds".to_owned()),
                Some(count) if count > MAX_SEEDS => Err(format!("more than {MAX_SEEDS} seeds")),
                Some(_) => Ok(Seeds((from..end).collect())),
            };
        }
        text.split(',').map(number).collect::<Result<_, _>>().map(Seeds)
    }
}

impl Field for Seeds {
    fn read(value: &Value, walk: &mut Walk<'_>) -> (Seeds, Value) {
        let seeds = match &value.data {
            Data::Text(text) => text.parse(),
            Data::Array(items) if !items.is_empty() => {
                let read = |item: &Value| super::fields::read_count(item, 0, MAX_SEED, walk);
                Ok(Seeds(items.iter().map(read).collect()))
            }
            _ => Err(format!("this is {}", value.kind())),
        };
        let seeds = seeds.and_then(|seeds: Seeds| {
            let mut sorted = seeds.0.clone();
            sorted.sort_unstable();
            let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]);
            twice.map_or(Ok(seeds), |pair| Err(format!("the seed {} is there twice", pair[0])))
        });
        let seeds = seeds.unwrap_or_else(|label| {
            let title = format!("expected seeds such as \"1..=20\" or [1, 2, 3], found {}", value.found());
            walk.found.push(Diagnostic::new(value.at, title, label));
            Seeds::default()
        });
        (seeds, value.clone())
    }

    fn schema(_: &[ModelInfo]) -> Json {
        json!({ "anyOf": [
            { "type": "string", "pattern": "^ *[0-9]+ *(\\.\\.=? *[0-9]+ *|(, *[0-9]+ *)*)$" },
            { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1 },
        ] })
    }

    fn placeholder() -> Seeds {
        Seeds::default()
    }
}

/// An axis whose paths are resolved.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) values: Vec<Value>,
    /// The axis whose position this one follows.
    pub(crate) with: Option<usize>,
}

impl Axis {
    pub(crate) fn view(&self) -> AxisView<'_> {
        AxisView { name: &self.name, values: self.values.iter().map(Literal::of).collect() }
    }

    /// A value in the words of result tables and paths.
    pub(crate) fn label(&self, position: usize) -> String {
        let value = &self.values[position];
        value.as_text().map_or_else(|| value.inline(), str::to_owned)
    }
}

/// Resolves the paths and lockstep of the declared axes.
pub(crate) fn axes(tables: &[SweepTable], root: &Value, found: &mut Vec<Diagnostic>) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for table in tables {
        let name = &table.axis.value.0;
        if axes.iter().any(|axis| axis.name == *name) {
            let title = format!("two axes are called `{name}`");
            found.push(Diagnostic::new(table.axis.at, title, "the second"));
        }
        let mut leaves = Vec::new();
        for item in &table.paths {
            match path::resolve(root, &item.value, item.at) {
                Ok(more) => leaves.extend(more),
                Err(wrong) => found.push(wrong),
            }
        }
        let shared = axes.iter().find(|axis| leaves.iter().any(|leaf| axis.leaves.contains(leaf)));
        if let Some(other) = shared {
            let title = format!("the axes `{}` and `{name}` set the same value", other.name);
            found.push(Diagnostic::new(table.axis.at, title, "sets what another axis sets"));
        }
        axes.push(Axis {
            name: name.clone(),
            at: table.axis.at,
            leaves,
            values: table.values.clone(),
            with: None,
        });
    }
    lockstep(tables, &mut axes, found);
    axes
}

fn lockstep(tables: &[SweepTable], axes: &mut [Axis], found: &mut Vec<Diagnostic>) {
    for (index, table) in tables.iter().enumerate() {
        let Some(with) = &table.with else { continue };
        let leader = axes.iter().position(|axis| axis.name == with.value);
        let free = leader.filter(|leader| tables[*leader].with.is_none() && *leader != index);
        let Some(leader) = free else {
            let names: Vec<&str> = tables
                .iter()
                .filter(|table| table.with.is_none())
                .map(|table| table.axis.value.0.as_str())
                .collect();
            let title = format!("`{}` is not an axis to move with", with.value);
            let wrong = Diagnostic::new(with.at, title, "needs an axis without `with`");
            found.push(wrong.suggest(&with.value, "axes", &names));
            continue;
        };
        if axes[leader].values.len() != axes[index].values.len() {
            let (a, b) = (axes[index].values.len(), axes[leader].values.len());
            let title = format!("`{}` has {a} values, but `{}` has {b}", axes[index].name, with.value);
            found.push(Diagnostic::new(with.at, title, "lockstep needs as many values"));
        }
        axes[index].with = Some(leader);
    }
}

/// The position on every axis for each point that `keep` keeps; the first axis turns slowest.
pub(crate) fn points(axes: &[Axis], keep: Option<&Test>) -> Result<Vec<Vec<usize>>, String> {
    let free: Vec<usize> = (0..axes.len()).filter(|index| axes[*index].with.is_none()).collect();
    let total = free
        .iter()
        .try_fold(1_usize, |total, index| total.checked_mul(axes[*index].values.len()))
        .filter(|total| *total <= MAX_POINTS);
    let total = total.ok_or_else(|| format!("the sweep has more than {MAX_POINTS} points"))?;
    let literals: Vec<Vec<Literal>> =
        axes.iter().map(|axis| axis.values.iter().map(Literal::of).collect()).collect();
    let mut points = Vec::new();
    for number in 0..total {
        let mut rest = number;
        let mut positions = vec![0; axes.len()];
        for index in free.iter().rev() {
            let count = axes[*index].values.len();
            positions[*index] = rest % count;
            rest /= count;
        }
        for (index, axis) in axes.iter().enumerate() {
            if let Some(leader) = axis.with {
                positions[index] = positions[leader];
            }
        }
        let here: Vec<Literal> =
            positions.iter().zip(&literals).map(|(position, values)| values[*position].clone()).collect();
        if keep.is_none_or(|test| test.holds(&here)) {
            points.push(positions);
        }
    }
    Ok(points)
}
