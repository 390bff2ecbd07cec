//! Tables as the template shows them.

/// A table with its head; without rows, its `empty` sentence stands in its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) label: String,
    pub(super) head: Vec<Head>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) sortable: bool,
    /// Scrolls in a box of its own.
    pub(super) tall: bool,
    pub(super) empty: String,
    /// A sentence below.
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) text: String,
    pub(super) number: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) class: &'static str,
    pub(super) look: Look,
    /// What a sortable column is sorted by when it is not the text.
    pub(super) key: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    Plain,
    Code,
    /// A badge with this class.
    Badge(&'static str),
}

impl Table {
    /// A table whose columns are named `heads`; a name that starts with `#` is a column of numbers.
    pub(super) fn new(label: &str, heads: &[&str]) -> Self {
        let head = |name: &&str| Head {
            text: name.trim_start_matches('#').to_owned(),
            number: name.starts_with('#'),
        };
        Table { label: label.to_owned(), head: heads.iter().map(head).collect(), ..Table::default() }
    }

    /// What to say instead of a table without rows.
    pub(super) fn or(mut self, empty: &str) -> Self {
        empty.clone_into(&mut self.empty);
        self
    }

    pub(super) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.head.len(), "a row of {} has as many cells as its head", self.label);
        self.rows.push(row);
    }

    /// Keeps the first `most` rows and says so, and which file holds the rest.
    pub(super) fn capped(mut self, most: usize, file: &str) -> Self {
        if self.rows.len() > most {
            let all = crate::plot::whole(self.rows.len() as u64);
            self.rows.truncate(most);
            self.note =
                format!("{} The first {most} of {all} rows; {file} beside this page holds all.", self.note);
        }
        self
    }

    /// Drops columns whose cells are all empty, with their heads.
    pub(super) fn without_empty_columns(mut self) -> Self {
        for column in (0..self.head.len()).rev() {
            if self.rows.iter().all(|row| row[column].text.is_empty()) {
                self.head.remove(column);
                for row in &mut self.rows {
                    row.remove(column);
                }
            }
        }
        self
    }
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Cell { text: text.into(), class: "", look: Look::Plain, key: None }
    }

    /// A text that stays on one line.
    pub(super) fn word(text: impl Into<String>) -> Self {
        Cell { class: "word", ..Cell::text(text) }
    }

    pub(super) fn code(text: impl Into<String>) -> Self {
        Cell { look: Look::Code, ..Cell::word(text) }
    }

    pub(super) fn badge(text: impl Into<String>, class: &'static str) -> Self {
        Cell { look: Look::Badge(class), ..Cell::word(text) }
    }

    /// A number as it reads, sorted by its value.
    pub(super) fn number(text: impl Into<String>, key: f64) -> Self {
        Cell { class: "num", key: Some(key.to_string()), ..Cell::text(text) }
    }

    /// A number that may not exist: a dash, sorted last.
    pub(super) fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        match value {
            Some(value) => Cell::number(show(value), value),
            None => Cell { class: "num", key: Some(String::new()), ..Cell::text("–") },
        }
    }
}
