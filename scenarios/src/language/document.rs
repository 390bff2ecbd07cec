//! A file with its overrides: the points it makes, the seeds, and each point resolved.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::compare::{CompareSpec, CompareTable, Compares};
use super::condition::{self, AxisView, Literal, Test};
use super::diagnostic::{At, Diagnostic, Diagnostics, NO_POINT, Sources};
use super::fields::{Field, Located, Walk};
use super::path;
use super::records;
use super::resolve;
use super::rtt;
use super::scenario::{Place, Scenario};
use super::sweep::{self, Axis, DesignTable, SweepTable};
use super::tables::File;
use super::value::{self, Data, Value};
use crate::describe::ModelInfo;

/// Largest file that is read.
const MAX_BYTES: usize = 8 << 20;

/// Most mistakes that are looked at: nobody reads more, and a file of garbage must not take for ever.
const MAX_MISTAKES: usize = 1000;

/// One `--set PATH=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    text: String,
    split: usize,
}

impl std::str::FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Set, String> {
        match text.split_once('=') {
            Some((path, _)) if !path.trim().is_empty() => {
                Ok(Set { text: text.to_owned(), split: path.len() })
            }
            _ => Err(format!("expected PATH=VALUE, found `{text}`; write --set network.drop=0.01")),
        }
    }
}

impl Set {
    fn path(&self) -> &str {
        self.text[..self.split].trim()
    }
}

/// A scenario file that was read and checked.
#[derive(Clone, Debug)]
pub struct Document {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    models: Arc<[ModelInfo]>,
    sources: Arc<Sources>,
    /// The file after overrides, without sweeps and design.
    base: Value,
    /// The same with them, for the frozen file.
    whole: Value,
    axes: Vec<Axis>,
    points: Vec<Vec<usize>>,
    seeds: Vec<u64>,
    /// The comparisons as they are written, and what they mean.
    compare_tables: Vec<CompareTable>,
    compares: Vec<Option<CompareSpec>>,
}

/// One combination of axis values.
#[derive(Clone, Debug)]
pub struct Point {
    document: Arc<Inner>,
    positions: Vec<usize>,
}

/// Text of a file, or what is wrong with its bytes.
///
/// # Errors
/// When the bytes are not UTF-8.
pub fn decode(bytes: Vec<u8>, file_name: &str) -> Result<String, Diagnostics> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let mut sources = Sources::default();
        let source = sources.push(file_name, &text);
        let wrong = Diagnostic::new(At::new(source, valid..valid + 3), "the file is not UTF-8", "this byte");
        Diagnostics::new(vec![wrong.help("save the file as UTF-8")], Arc::new(sources))
    })
}

/// Reads a scenario file and checks every point of it.
///
/// `read` gives the text of files that the scenario names, by their path as the scenario spells it.
///
/// # Errors
/// All mistakes of the file and of the overrides.
pub fn parse(
    text: &str,
    file_name: &str,
    read: &dyn Fn(&Path) -> io::Result<String>,
    models: &[ModelInfo],
    overrides: &[Set],
) -> Result<Document, Diagnostics> {
    let mut reader = Reader { sources: Sources::default(), found: Vec::new(), models };
    let source = reader.sources.push(file_name, text);
    if text.len() > MAX_BYTES {
        let title = format!("the file has {} bytes, more than the limit of {MAX_BYTES}", text.len());
        let wrong = Diagnostic::new(At::new(source, 0..0), title, "too long");
        return Err(Diagnostics::new(vec![wrong], Arc::new(reader.sources)));
    }
    let (mut root, mut syntax) = value::parse_document(source, text);
    syntax.truncate(MAX_MISTAKES);
    let (mut tables, design) = reader.tables(&root);
    let compare_tables = reader.compare_tables(&root);
    let values: Vec<(String, Vec<Literal>)> = tables.iter().map(SweepTable::literals).collect();
    reader.overrides(overrides, &mut root, &mut tables);
    rtt::expand(&mut root, read, &mut reader.sources, &mut reader.found);
    records::inline(&mut root, read, &mut reader.sources, &mut reader.found);
    let mut base = root.clone();
    drop_entries(&mut base, &["sweep", "design", "compare"]);
    let axes = sweep::axes(&tables, &base, &mut reader.found);
    let keep = design.as_ref().and_then(|design| design.keep.as_ref());
    let keep = keep.and_then(|keep| reader.condition(keep, &axes));
    let axes_right = reader.found.is_empty();
    let points = if axes_right { reader.points(&axes, keep.as_ref(), design.as_ref()) } else { Vec::new() };
    let seeds = design.and_then(|design| design.seeds).map(|seeds| seeds.0).unwrap_or_default();
    let compares =
        if axes_right { reader.compares(&compare_tables, &axes, &values, &points) } else { Vec::new() };
    let mut inner = Inner {
        models: models.into(),
        sources: Arc::new(reader.sources),
        base,
        whole: root,
        axes,
        points,
        seeds,
        compare_tables,
        compares,
    };
    let mut found = reader.found;
    if axes_right {
        inner.check(&mut found);
    } else {
        let mut walk = Walk::new(models);
        _ = File::read(&inner.base, &mut walk);
        found.append(&mut walk.found);
    }
    found.truncate(MAX_MISTAKES);
    without_echoes(&syntax, &mut found, &inner.sources);
    found.extend(syntax);
    if found.is_empty() {
        return Ok(Document { inner: Arc::new(inner) });
    }
    Err(Diagnostics::new(found, inner.sources))
}

/// Where the syntax is broken, what follows from it is not reported a second time.
fn without_echoes(syntax: &[Diagnostic], found: &mut Vec<Diagnostic>, sources: &Sources) {
    if syntax.is_empty() {
        return;
    }
    let lines: Vec<usize> = syntax.iter().map(|wrong| sources.place(wrong.at).line).collect();
    found.retain(|item| !item.missing && !lines.contains(&sources.place(item.at).line));
}

fn drop_entries(table: &mut Value, keys: &[&str]) {
    if let Data::Table(entries) = &mut table.data {
        entries.retain(|entry| !keys.contains(&entry.key.as_str()));
    }
}

struct Reader<'m> {
    sources: Sources,
    found: Vec<Diagnostic>,
    models: &'m [ModelInfo],
}

impl Reader<'_> {
    /// Sweeps and design: what is read before the points exist.
    fn tables(&mut self, root: &Value) -> (Vec<SweepTable>, Option<DesignTable>) {
        let mut walk = Walk::new(self.models);
        let sweeps = root.get("sweep").map(|sweeps| Vec::read(sweeps, &mut walk).0);
        let design = root.get("design").map(|design| DesignTable::read(design, &mut walk).0);
        self.found.append(&mut walk.found);
        (sweeps.unwrap_or_default(), design)
    }

    fn compare_tables(&mut self, root: &Value) -> Vec<CompareTable> {
        let mut walk = Walk::new(self.models);
        let tables = root.get("compare").map(|tables| Vec::read(tables, &mut walk).0);
        self.found.append(&mut walk.found);
        tables.unwrap_or_default()
    }

    /// What the comparisons mean; `None` for one that has nothing to compare.
    fn compares(
        &mut self,
        tables: &[CompareTable],
        axes: &[Axis],
        values: &[(String, Vec<Literal>)],
        points: &[Vec<usize>],
    ) -> Vec<Option<CompareSpec>> {
        let mut specs = Vec::new();
        for table in tables {
            let when = table.when.as_ref().map(|when| self.condition(when, axes));
            let compares = Compares { axes, values, points, sources: &self.sources };
            specs.push(match when {
                Some(None) => None,
                Some(Some(test)) => compares.spec(table, Some(&test), &mut self.found),
                None => compares.spec(table, None, &mut self.found),
            });
        }
        specs
    }

    fn condition(&mut self, text: &Located<String>, axes: &[Axis]) -> Option<Test> {
        let views: Vec<AxisView<'_>> = axes.iter().map(Axis::view).collect();
        match condition::parse(&text.value, &views) {
            Ok(parsed) => Some(parsed),
            Err(fault) => {
                let at = fault.within(text.at);
                let mut wrong = Diagnostic::new(at, fault.title, "here");
                wrong.help.extend(fault.help);
                self.found.push(wrong);
                None
            }
        }
    }

    /// The points of axes that are right.
    fn points(
        &mut self,
        axes: &[Axis],
        keep: Option<&Test>,
        design: Option<&DesignTable>,
    ) -> Vec<Vec<usize>> {
        let points = sweep::points(axes, keep).unwrap_or_else(|title| {
            let at = axes.first().map_or(At::NONE, |axis| axis.at);
            self.found.push(Diagnostic::new(at, title, "too many"));
            Vec::new()
        });
        let keep = design.and_then(|design| design.keep.as_ref()).filter(|_| self.found.is_empty());
        if let (true, Some(keep)) = (points.is_empty(), keep) {
            self.found.push(Diagnostic::new(keep.at, NO_POINT, "drops every point"));
        }
        points
    }

    fn overrides(&mut self, sets: &[Set], root: &mut Value, tables: &mut Vec<SweepTable>) {
        for set in sets {
            let source = self.sources.push("--set", &set.text);
            let path_at = At::new(source, 0..set.split);
            let value = match override_value(source, &set.text, set.split + 1) {
                Ok(value) => value,
                Err(wrong) => {
                    self.found.push(wrong);
                    continue;
                }
            };
            if tables.iter().any(|table| table.axis.value.0 == set.path()) {
                self.narrow(set.path(), value, tables);
                continue;
            }
            if let Data::Array(values) = value.data {
                self.add_axis(set.path(), path_at, values, tables);
                continue;
            }
            let leaves = path::resolve(root, set.path(), path_at).and_then(|leaves| {
                axis_free(&leaves, root, tables, set.path(), path_at)?;
                Ok(leaves)
            });
            match leaves {
                Ok(leaves) => leaves.iter().for_each(|leaf| path::set(root, leaf, &value)),
                Err(wrong) => self.found.push(wrong),
            }
        }
    }

    /// `--set AXIS=VALUE`: the axis keeps these values only, and what moves with it keeps step.
    fn narrow(&mut self, name: &str, value: Value, tables: &mut [SweepTable]) {
        let wanted = if let Data::Array(values) = value.data { values } else { vec![value] };
        let index = tables.iter().position(|table| table.axis.value.0 == name).expect("the caller found it");
        let leader = tables[index].with.as_ref().map_or(name, |with| with.value.as_str()).to_owned();
        let moves = |table: &SweepTable| {
            table.axis.value.0 == leader || table.with.as_ref().is_some_and(|with| with.value == leader)
        };
        let alone = tables.iter().filter(|table| moves(table)).count() == 1;
        let positions: Vec<Option<usize>> = wanted
            .iter()
            .map(|value| {
                tables[index].values.iter().position(|known| Literal::of(known) == Literal::of(value))
            })
            .collect();
        if alone {
            tables[index].values = wanted;
            return;
        }
        let mut kept = Vec::new();
        for (position, value) in positions.iter().zip(&wanted) {
            if let Some(position) = position {
                kept.push(*position);
                continue;
            }
            let exist: Vec<String> = tables[index].values.iter().map(Value::found).collect();
            let title = format!("the axis `{name}` has no value {}", value.found());
            let wrong = Diagnostic::new(value.at, title, "other axes move with this one");
            self.found.push(wrong.suggest(&value.found(), "values", &exist));
        }
        for table in tables.iter_mut().filter(|table| moves(table)) {
            table.values = kept.iter().filter_map(|position| table.values.get(*position).cloned()).collect();
        }
    }

    fn add_axis(&mut self, path: &str, at: At, values: Vec<Value>, tables: &mut Vec<SweepTable>) {
        if values.is_empty() {
            self.found.push(Diagnostic::new(at, "the axis has no values", "an empty list"));
            return;
        }
        tables.push(SweepTable {
            axis: Located { at, value: super::fields::Name(path.to_owned()) },
            paths: vec![Located { at, value: path.to_owned() }],
            values,
            with: None,
        });
    }
}

/// An override must not set what an axis sets: the axis would win without a word.
fn axis_free(
    leaves: &[path::Leaf],
    root: &Value,
    tables: &[SweepTable],
    path: &str,
    at: At,
) -> Result<(), Diagnostic> {
    for table in tables {
        let sets = table.paths.iter().filter_map(|item| path::resolve(root, &item.value, item.at).ok());
        if sets.flatten().any(|leaf| leaves.contains(&leaf)) {
            let axis = &table.axis.value.0;
            let title = format!("the axis `{axis}` sets `{path}`");
            let wrong = Diagnostic::new(at, title, "an axis decides this value");
            return Err(wrong.help(format!("write --set {axis}=VALUE")));
        }
    }
    Ok(())
}

/// The right side of `--set`: TOML, a list of bare words, or one bare word.
fn override_value(source: u32, text: &str, offset: usize) -> Result<Value, Diagnostic> {
    let raw = text[offset..].trim();
    let at = At::new(source, offset..text.len());
    let parsed = value::parse_value(source, text, offset);
    if parsed.is_ok() || raw.is_empty() || raw.starts_with(['"', '\'', '{']) {
        return parsed;
    }
    let Some(list) = raw.strip_prefix('[') else {
        return Ok(Value::new(at, Data::Text(raw.to_owned())));
    };
    let Some(list) = list.strip_suffix(']') else { return parsed };
    let word = |item: &str| {
        let value = value::parse_value(source, item.trim(), 0).map(|value| value.data);
        Value::new(at, value.unwrap_or_else(|_| Data::Text(item.trim().to_owned())))
    };
    Ok(Value::new(at, Data::Array(list.split(',').map(word).collect())))
}

/// Reads trees that programs make: the mistakes of one are not shown, only that it has some.
pub(crate) struct Resolver(Arc<[ModelInfo]>);

impl Resolver {
    pub(crate) fn new(models: &[ModelInfo]) -> Resolver {
        Resolver(models.into())
    }

    /// What a tree without a sweep means, if it has no mistakes.
    pub(crate) fn resolve(&self, tree: &Value) -> Option<Scenario> {
        let inner = Inner {
            models: Arc::clone(&self.0),
            sources: Arc::default(),
            base: tree.clone(),
            whole: Value::new(At::NONE, Data::Table(Vec::new())),
            axes: Vec::new(),
            points: Vec::new(),
            seeds: Vec::new(),
            compare_tables: Vec::new(),
            compares: Vec::new(),
        };
        let (scenario, found) = inner.point(&[]);
        found.is_empty().then_some(scenario)
    }
}

impl Inner {
    /// Resolves every point; the same mistake is reported once.
    fn check(&mut self, found: &mut Vec<Diagnostic>) {
        for positions in &self.points {
            let (_, mut wrong) = self.point(positions);
            found.append(&mut wrong);
            if found.len() > MAX_MISTAKES {
                return;
            }
        }
    }

    fn tree(&self, positions: &[usize]) -> Value {
        let mut tree = self.base.clone();
        for (axis, position) in self.axes.iter().zip(positions) {
            for leaf in &axis.leaves {
                path::set(&mut tree, leaf, &axis.values[*position]);
            }
        }
        tree
    }

    fn point(&self, positions: &[usize]) -> (Scenario, Vec<Diagnostic>) {
        let mut walk = Walk::new(&self.models);
        let tree = self.tree(positions);
        let (file, mut canonical) = File::read(&tree, &mut walk);
        let declared = walk.found.len();
        let nodeless = file.nodes.is_empty() && file.services.is_empty();
        let fault_names = resolve::fault_names(&file);
        let (mut scenario, tables) = resolve::resolve(file, &self.sources, &mut walk);
        if walk.unsupported {
            // Names may stand for what this version does not know.
            walk.found.truncate(declared);
            return (scenario, walk.found);
        }
        if nodeless && declared == 0 {
            let wrong = Diagnostic::new(tree.at, "the scenario has no nodes", "needs a [[node]] table");
            walk.found.push(wrong);
        }
        let metrics = self.compare_tables.iter().map(|table| &table.metric);
        scenario.figures = resolve::figures(metrics, &scenario, fault_names.clone(), &mut walk);
        let holds = self.when(&tables, positions, &mut walk);
        let mut holding = holds.iter();
        let tables: Vec<_> =
            tables.into_iter().filter(|_| holding.next().is_none_or(|holds| *holds)).collect();
        scenario.expectations =
            resolve::expectations(&tables, &scenario, fault_names, &self.sources, &mut walk);
        freeze(&mut canonical, &holds);
        scenario.canonical = canonical.document();
        scenario.point = self.labels(positions);
        (scenario, walk.found)
    }

    /// For each expectation, whether its `when` holds at a point.
    fn when(
        &self,
        tables: &[super::tables::ExpectTable],
        positions: &[usize],
        walk: &mut Walk<'_>,
    ) -> Vec<bool> {
        let views: Vec<AxisView<'_>> = self.axes.iter().map(Axis::view).collect();
        let values: Vec<Literal> = self
            .axes
            .iter()
            .zip(positions)
            .map(|(axis, position)| Literal::of(&axis.values[*position]))
            .collect();
        let mut holds = Vec::new();
        for table in tables {
            let test = table.when.as_ref().map(|when| (when, condition::parse(&when.value, &views)));
            holds.push(match test {
                None => true,
                Some((_, Ok(test))) => test.holds(&values),
                Some((when, Err(fault))) => {
                    let at = fault.within(when.at);
                    let mut wrong = Diagnostic::new(at, fault.title, "here");
                    wrong.help.extend(fault.help);
                    walk.found.push(wrong);
                    true
                }
            });
        }
        holds
    }

    fn labels(&self, positions: &[usize]) -> Vec<(String, String)> {
        let label = |(axis, position): (&Axis, &usize)| (axis.name.clone(), axis.label(*position));
        self.axes.iter().zip(positions).map(label).collect()
    }
}

/// In a frozen point no axis is left: expectations that do not hold go, the others lose their `when`.
fn freeze(canonical: &mut Value, holds: &[bool]) {
    let Data::Table(entries) = &mut canonical.data else { return };
    for entry in entries.iter_mut().filter(|entry| entry.key == "expect") {
        let Data::Array(items) = &mut entry.value.data else { continue };
        let mut holds = holds.iter();
        items.retain(|_| holds.next().is_none_or(|holds| *holds));
        for item in items.iter_mut() {
            drop_entries(item, &["when"]);
        }
    }
    entries.retain(|entry| !matches!(&entry.value.data, Data::Array(items) if items.is_empty()));
}

impl Document {
    /// The points in order: the first axis turns slowest. One point without a sweep.
    pub fn points(&self) -> Vec<Point> {
        let point = |positions: &Vec<usize>| Point {
            document: Arc::clone(&self.inner),
            positions: positions.clone(),
        };
        self.inner.points.iter().map(point).collect()
    }

    /// The seeds of `[design]`; empty when each point runs with its own `seed`.
    pub fn seeds(&self) -> &[u64] {
        &self.inner.seeds
    }

    /// The comparisons, in file order; `None` for one of which the command line left nothing.
    pub fn compares(&self) -> &[Option<CompareSpec>] {
        &self.inner.compares
    }

    /// The names of the axes, in order.
    pub fn axes(&self) -> Vec<&str> {
        self.inner.axes.iter().map(|axis| axis.name.as_str()).collect()
    }

    /// The whole file with overrides applied and data files read in, sweeps included: TOML in one
    /// layout, written beside the results.
    pub fn render(&self) -> String {
        self.inner.whole.document()
    }

    /// A mistake at a place of this file, for what a model finds wrong with its nodes.
    pub fn diagnose(&self, place: &Place, message: &str, help: Option<&str>) -> Diagnostics {
        let source = self.inner.sources.find(place);
        let mut wrong = Diagnostic::new(source, message, "here");
        wrong.help.extend(help.map(str::to_owned));
        Diagnostics::new(vec![wrong], Arc::clone(&self.inner.sources))
    }
}

impl Point {
    /// Axis name and value, in axis order.
    pub fn values(&self) -> Vec<(String, String)> {
        self.document.labels(&self.positions)
    }

    /// Folder of the point's results: `policy=budget,load=800%2Fs`; empty without a sweep.
    pub fn folder(&self) -> String {
        folder(&self.values())
    }

    /// What the file means at this point.
    ///
    /// # Errors
    /// None in practice: [`parse`] has checked every point.
    pub fn resolve(&self) -> Result<Scenario, Diagnostics> {
        let (scenario, found) = self.document.point(&self.positions);
        if found.is_empty() {
            return Ok(scenario);
        }
        Err(Diagnostics::new(found, Arc::clone(&self.document.sources)))
    }
}

/// Name of a folder for axis names and values, with what no file name may hold written as `%XX`.
pub(crate) fn folder(values: &[(String, String)]) -> String {
    let escape = |text: &str| {
        let mut out = String::new();
        for c in text.chars() {
            if c < ' ' || "/\\,=%:*?\"<>|".contains(c) {
                _ = write!(out, "%{:02X}", u32::from(c));
            } else {
                out.push(c);
            }
        }
        out
    };
    let part = |(axis, value): &(String, String)| format!("{}={}", escape(axis), escape(value));
    values.iter().map(part).collect::<Vec<_>>().join(",")
}
