//! Mistakes of a file: what was found, what was expected, what exists, and what to type instead.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::scenario::Place;

/// More mistakes than this are counted, not shown.
const SHOWN: usize = 100;

/// Bytes of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) source: u32,
    start: u32,
    end: u32,
}

impl At {
    /// Nowhere: for values that no file holds.
    pub(crate) const NONE: At = At { source: 0, start: 0, end: 0 };

    pub(crate) fn new(source: u32, span: Range<usize>) -> At {
        let clamp = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
        At { source, start: clamp(span.start), end: clamp(span.end) }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    /// Part of a string in quotes: bytes of its content. Exact for strings without escapes.
    pub(crate) fn inside(self, from: usize, to: usize) -> At {
        let quotes = self.range().len().min(1);
        let end = self.range().end.saturating_sub(quotes).max(self.range().start + quotes);
        let shift = |byte: usize| (self.range().start + quotes + byte).min(end);
        At::new(self.source, shift(from)..shift(to))
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What is said of a sweep whose `where` drops every point.
pub(crate) const NO_POINT: &str = "no point is left";

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(crate) at: At,
    pub(crate) title: String,
    pub(crate) label: String,
    pub(crate) help: Vec<String>,
    pub(crate) missing: bool,
}

impl Diagnostic {
    pub(crate) fn new(at: At, title: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic { at, title: title.into(), label: label.into(), help: Vec::new(), missing: false }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" and what exists.
    #[must_use]
    pub(crate) fn suggest<S: AsRef<str>>(mut self, found: &str, what: &str, exist: &[S]) -> Diagnostic {
        if let Some(close) = closest(found, exist) {
            self.help.push(format!("did you mean `{close}`?"));
        }
        self.help.push(if exist.is_empty() {
            format!("there are no {what}")
        } else {
            format!("{what}: {}", listed(exist))
        });
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.title
    }
}

/// The names, cut after a screenful.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(24).map(AsRef::as_ref).collect();
    let rest = names.len() - shown.len();
    let more = if rest > 0 { format!(", … and {rest} more") } else { String::new() };
    shown.join(", ") + &more
}

/// The name nearest to a misspelt one, if any is near.
pub(crate) fn closest<'a, S: AsRef<str>>(found: &str, exist: &'a [S]) -> Option<&'a str> {
    let found: String = found.chars().take(64).collect();
    exist
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&found, name.as_ref()), name.as_ref()))
        .filter(|(distance, name)| {
            *distance <= 1.max(name.len() / 3) || name.to_lowercase() == found.to_lowercase()
        })
        .min()
        .map(|(_, name)| name)
}

/// A text that mistakes may point into.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// The file, the `--set` arguments and the data files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl Sources {
    pub(crate) fn push(&mut self, name: &str, text: &str) -> u32 {
        self.0.push(Source { name: name.into(), text: text.into() });
        u32::try_from(self.0.len() - 1).expect("there are few sources")
    }

    /// File, line and column of a span, and the whole line with the span's place in it.
    fn locate(&self, at: At) -> Option<(Place, &str, Range<usize>)> {
        let source = self.0.get(at.source as usize)?;
        let text: &str = &source.text;
        let mut start = at.range().start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line = text[line_start..].split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let from = (start - line_start).min(line.len());
        let mut to = at.range().end.saturating_sub(line_start).clamp(from, line.len());
        while !line.is_char_boundary(to) {
            to += 1;
        }
        let place = Place {
            file: source.name.clone(),
            line: 1 + text[..line_start].matches('\n').count(),
            column: 1 + line[..from].chars().count(),
        };
        Some((place, line, from..to))
    }

    /// The rest of the line from a place on.
    pub(crate) fn find(&self, place: &Place) -> At {
        let Some(number) = self.0.iter().position(|source| source.name == place.file) else {
            return At::NONE;
        };
        let text: &str = &self.0[number].text;
        let line_start: usize = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
        let line = text[line_start..].lines().next().unwrap_or_default();
        let from = line.char_indices().nth(place.column - 1).map_or(line.len(), |(index, _)| index);
        At::new(u32::try_from(number).unwrap_or(0), line_start + from..line_start + line.len())
    }

    pub(crate) fn place(&self, at: At) -> Place {
        self.locate(at).map_or(Place { file: "".into(), line: 1, column: 1 }, |(place, _, _)| place)
    }
}

/// All mistakes of a file, in the order of the file. Never empty.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    sources: Arc<Sources>,
}

impl Diagnostics {
    pub(crate) fn new(mut list: Vec<Diagnostic>, sources: Arc<Sources>) -> Diagnostics {
        let mut seen = BTreeSet::new();
        list.retain(|item| seen.insert((item.at, item.title.clone())));
        list.sort_by_key(|item| item.at);
        Diagnostics { list, sources }
    }

    /// Whether the file is right, but its `where` drops every point.
    pub fn selects_nothing(&self) -> bool {
        self.list.iter().all(|item| item.message() == NO_POINT)
    }

    /// Number of mistakes.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none: a returned value always has one.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Place and message of each mistake.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &str)> {
        self.list.iter().map(|item| (self.sources.place(item.at), item.message()))
    }

    /// The text for a terminal: each mistake with its line and a caret, then how many there are.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for item in self.list.iter().take(SHOWN) {
            out.push_str(&self.render_one(item, &renderer));
            out.push_str("\n\n");
        }
        if self.list.len() > SHOWN {
            _ = write!(out, "… and {} more\n\n", self.list.len() - SHOWN);
        }
        let many = if self.list.len() == 1 { "mistake" } else { "mistakes" };
        _ = writeln!(out, "{} {many}; nothing was run", self.list.len());
        out
    }

    fn render_one(&self, item: &Diagnostic, renderer: &Renderer) -> String {
        let Some((place, line, span)) = self.sources.locate(item.at) else {
            return format!("error: {}", item.title);
        };
        let snippet = Snippet::source(line)
            .line_start(place.line)
            .path(&*place.file)
            .annotation(AnnotationKind::Primary.span(span).label(item.label.as_str()));
        let mut group = Level::ERROR.primary_title(item.title.as_str()).element(snippet);
        for help in &item.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
