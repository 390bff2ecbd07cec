//! `[network] rtt_csv`: links from a table of round-trip times, with columns `from,to,rtt_ms`.

use std::io;
use std::path::Path;

use super::diagnostic::{At, Diagnostic, Sources};
use super::value::{Data, Entry, Value};

/// Replaces `rtt_csv` by one `[[link]]` a pair of declared sites. One way takes half the round trip;
/// a pair measured in both directions takes the mean of the two.
pub(crate) fn expand(
    root: &mut Value,
    read: &dyn Fn(&Path) -> io::Result<String>,
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) {
    let Some(csv) = root.get("network").and_then(|network| network.get("rtt_csv")).cloned() else { return };
    // A value of another type is reported by the walk.
    let Some(name) = csv.as_text() else { return };
    let sigma = root.get("network").and_then(|network| network.get("rtt_sigma")).cloned();
    let text = match read(Path::new(name)) {
        Ok(text) => text,
        Err(error) => {
            let title = format!("cannot read {name}: {error}");
            found.push(Diagnostic::new(csv.at, title, "a path beside the scenario file"));
            forget(root);
            return;
        }
    };
    let sites: Vec<String> = root
        .get("site")
        .map(Value::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|site| site.get("name").and_then(Value::as_text))
        .map(str::to_owned)
        .collect();
    let source = sources.push(name, &text);
    let rows = rows(&text, source, found);
    let links = rows.pairs(&sites).into_iter().map(|pair| link(&pair, sigma.as_ref())).collect();
    forget(root);
    add_links(root, links, csv.at);
}

fn forget(root: &mut Value) {
    let Data::Table(entries) = &mut root.data else { return };
    for entry in entries.iter_mut().filter(|entry| entry.key == "network") {
        if let Data::Table(keys) = &mut entry.value.data {
            keys.retain(|key| key.key != "rtt_csv" && key.key != "rtt_sigma");
        }
    }
}

fn add_links(root: &mut Value, mut links: Vec<Value>, at: At) {
    let Data::Table(entries) = &mut root.data else { return };
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key == "link") {
        if let Data::Array(items) = &mut entry.value.data {
            // A link that the file declares is the user's own; the table does not replace it.
            let declared: Vec<Vec<String>> = items.iter().map(ends).collect();
            links.retain(|link| !declared.contains(&ends(link)));
            items.append(&mut links);
        }
    } else if !links.is_empty() {
        let value = Value::new(at, Data::Array(links));
        entries.push(Entry { key: "link".to_owned(), key_at: at, value });
    }
}

/// The two sites of a link, in alphabetical order.
fn ends(link: &Value) -> Vec<String> {
    let items = link.get("between").map(Value::items).unwrap_or_default();
    let mut ends: Vec<String> = items.iter().filter_map(Value::as_text).map(str::to_owned).collect();
    ends.sort();
    ends
}

struct Rows(Vec<Row>);

#[derive(Clone)]
struct Row {
    at: At,
    from: String,
    to: String,
    rtt_ms: f64,
}

impl Rows {
    /// One row a pair of declared sites, in the order of the sites.
    fn pairs(&self, sites: &[String]) -> Vec<Row> {
        let mut pairs = Vec::new();
        for (index, from) in sites.iter().enumerate() {
            for to in &sites[index + 1..] {
                let joins =
                    |row: &&Row| (&row.from == from && &row.to == to) || (&row.from == to && &row.to == from);
                let both: Vec<&Row> = self.0.iter().filter(joins).collect();
                if let Some(first) = both.first() {
                    let mean = both.iter().map(|row| row.rtt_ms).sum::<f64>() / both.len() as f64;
                    pairs.push(Row { at: first.at, from: from.clone(), to: to.clone(), rtt_ms: mean });
                }
            }
        }
        pairs
    }
}

fn rows(text: &str, source: u32, found: &mut Vec<Diagnostic>) -> Rows {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let header = reader.headers().cloned().unwrap_or_default();
    let column = |name: &str| header.iter().position(|column| column == name);
    let (Some(from), Some(to), Some(rtt)) = (column("from"), column("to"), column("rtt_ms")) else {
        let first = text.lines().next().unwrap_or_default().len();
        let title = "the table of round-trip times needs the columns from,to,rtt_ms";
        found.push(Diagnostic::new(At::new(source, 0..first), title, "the columns it has"));
        return Rows(rows);
    };
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let byte = error.position().map_or(0, csv::Position::byte);
                let byte = usize::try_from(byte).unwrap_or(0);
                found.push(Diagnostic::new(
                    At::new(source, byte..byte + 1),
                    format!("not CSV: {error}"),
                    "here",
                ));
                return Rows(rows);
            }
        };
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(0).min(text.len());
        let line = text.as_bytes()[start..].split(|byte| *byte == b'\n').next().unwrap_or_default().len();
        let at = At::new(source, start..start + line);
        let number = record.get(rtt).and_then(|text| text.parse::<f64>().ok());
        let fields = (record.get(from), record.get(to), number.filter(|ms| (0.0..=3.6e6).contains(ms)));
        let (Some(from), Some(to), Some(rtt_ms)) = fields else {
            let title = "a row needs two sites and a round-trip time from 0 to 3600000 ms";
            found.push(Diagnostic::new(at, title, "this row"));
            continue;
        };
        rows.push(Row { at, from: from.to_owned(), to: to.to_owned(), rtt_ms });
    }
    Rows(rows)
}

fn link(row: &Row, sigma: Option<&Value>) -> Value {
    let one_way = murphy_sim::Span::from_secs_f64(row.rtt_ms / 2000.0);
    let text = |text: String| Value::new(row.at, Data::Text(text));
    let between = Value::new(row.at, Data::Array(vec![text(row.from.clone()), text(row.to.clone())]));
    let latency = text(super::quantity::duration_text(one_way.0));
    let mut entries = vec![("between", between), ("latency", latency)];
    entries.extend(sigma.map(|sigma| ("sigma", sigma.clone())));
    let mut link = Value::table(entries);
    link.at = row.at;
    link
}
