//! What shrinking tries, one pass after the other. Each keeps what still fails.

use murphy_sim::{Fact, Span, Stream, Time, name_hash};

use super::case::{Case, span, text, with};
use super::ddmin::ddmin;
use super::roster;
use super::shrink::Shrinker;
use crate::language::{Data, MessageSpec, RequestSpec, Scenario, Value, duration_text};

/// Single events may take the place of a random fault when they are at most so many for each.
const EVENTS_FOR_ONE: usize = 4;

pub(super) fn all(shrinker: &mut Shrinker<'_, '_>) {
    horizon(shrinker);
    calm(shrinker);
    families(shrinker);
    plan(shrinker);
    horizon(shrinker);
    probes(shrinker);
    requests(shrinker);
    clients(shrinker);
    horizon(shrinker);
    reseeds(shrinker);
    durations(shrinker);
    plan(shrinker);
    noise(shrinker);
    messages(shrinker);
    nodes(shrinker);
    earlier(shrinker);
    horizon(shrinker);
}

/// Samples of each size of plan.
const SAMPLES: u64 = 96;
/// Largest plan that is guessed.
const FEW: usize = 3;

/// Guesses small plans: a few of the faults, which may last longer, in another environment. A bug that needs
/// one partition is found so at once, where taking faults out of a large plan one by one ends in a plan whose
/// parts need each other.
pub(super) fn few(shrinker: &mut Shrinker<'_, '_>) {
    horizon(shrinker);
    calm(shrinker);
    let mut rng = Stream::new(1, name_hash("few"));
    let end = shrinker.violated_at().0;
    let started = |fault: &Value| span(fault, "at").is_some_and(|at| at.0 < end);
    let all: Vec<Value> = shrinker.original.faults().into_iter().filter(started).collect();
    let base = shrinker.best.clone();
    for size in 0..=FEW.min(all.len().saturating_sub(1)) {
        if size >= shrinker.best.faults().len() || shrinker.is_over() {
            return;
        }
        let samples = if size == 0 { 8 } else { SAMPLES * size as u64 };
        let cases: Vec<Case> = (0..samples).map(|_| guess(&base, &all, size, end, &mut rng)).collect();
        if shrinker.first_that_fails(&cases) {
            return;
        }
    }
}

fn guess(base: &Case, all: &[Value], size: usize, end: u64, rng: &mut Stream) -> Case {
    let mut chosen: Vec<Value> = Vec::new();
    while chosen.len() < size {
        let index = usize::try_from(rng.below(all.len() as u64)).expect("an index");
        let mut fault = all[index].clone();
        if chosen.iter().any(|known| text(known, "name") == text(&fault, "name")) {
            continue;
        }
        let longer = 4_u64.pow(u32::try_from(rng.below(4)).expect("a small number"));
        if let Some(lasts) = span(&fault, "for") {
            let lasts = rounded(lasts.0.saturating_mul(longer).min(2 * end));
            fault = with(&fault, "for", Value::text(duration_text(lasts.max(1))));
        }
        chosen.push(fault);
    }
    let mut case = base.with_faults(&chosen);
    // Longer faults may need a longer run.
    case.set_duration(Span(end.saturating_mul(2)));
    case.set(&["seed"], Value::count(rng.word() >> 1));
    case
}

/// Whether no fault, message or request can be left out alone.
pub(super) fn is_minimal(shrinker: &mut Shrinker<'_, '_>) -> bool {
    if shrinker.is_over() {
        return false;
    }
    let best = shrinker.best.clone();
    let mut smaller: Vec<Case> = Vec::new();
    let faults = best.faults();
    for gone in 0..faults.len() {
        let mut rest = faults.clone();
        rest.remove(gone);
        smaller.push(best.with_faults(&rest));
    }
    for key in ["messages", "requests", "reseeds"] {
        let Some(texts) = best.texts(key) else { continue };
        for gone in 0..texts.len() {
            let mut rest = texts.clone();
            rest.remove(gone);
            smaller.push(best.with_texts(key, &rest));
        }
    }
    for case in smaller {
        if shrinker.fails(case) || shrinker.is_over() {
            return false;
        }
    }
    true
}

/// The run ends where the violation is certain.
fn horizon(shrinker: &mut Shrinker<'_, '_>) {
    let at = Span(shrinker.violated_at().0.max(1));
    let mut case = shrinker.best.clone();
    if case.duration().is_some_and(|duration| duration > at) {
        case.set_duration(at);
        let late = |fault: &Value| span(fault, "at").is_some_and(|start| start > at);
        let faults: Vec<Value> = case.faults().into_iter().filter(|fault| !late(fault)).collect();
        let case = case.with_faults(&faults);
        shrinker.fails(listed_up_to(case, Time(at.0)));
    }
}

/// Requests that arrive too late to matter go.
fn listed_up_to(case: Case, end: Time) -> Case {
    let Some(requests) = case.texts("requests") else { return case };
    let kept: Vec<String> = requests.into_iter().filter(|text| time_of(text) <= end).collect();
    case.with_texts("requests", &kept)
}

fn time_of(request: &str) -> Time {
    let first = request.split_whitespace().next().unwrap_or_default();
    Time(crate::language::duration(first).map_or(0, |span| span.0))
}

/// The network's own noise, all of it and then each kind; then its latencies are one constant.
fn calm(shrinker: &mut Shrinker<'_, '_>) {
    let noisy: Vec<&str> = NOISE.iter().copied().filter(|key| is_noisy(&shrinker.best, key)).collect();
    if noisy.len() > 1 && shrinker.fails(without_noise(&shrinker.best, &noisy)) {
        return constant(shrinker);
    }
    for key in noisy {
        shrinker.fails(without_noise(&shrinker.best, &[key]));
    }
    constant(shrinker);
}

/// Keys of a channel that make something happen to some messages.
const NOISE: [&str; 5] = ["drop", "duplicate", "corrupt", "reorder", "jitter"];

fn is_noisy(case: &Case, key: &str) -> bool {
    let on = |table: &Value| match table.get(key).map(|value| &value.data) {
        None => false,
        Some(Data::Float(p)) => *p > 0.0,
        Some(Data::Integer(p)) => *p > 0,
        Some(_) => true,
    };
    case.get(&["network"]).is_some_and(on) || case.list("link").iter().any(on)
}

fn without_noise(case: &Case, keys: &[&str]) -> Case {
    let quiet = |table: &Value| {
        let mut table = table.clone();
        if let Data::Table(entries) = &mut table.data {
            entries.retain(|entry| !keys.contains(&entry.key.as_str()));
        }
        table
    };
    let mut case = case.clone();
    let network = case.get(&["network"]).map(quiet);
    // A key that is not there has its default: nothing happens.
    if let Some(network) = network {
        case.set(&["network"], network);
    }
    // What a link leaves out it has from the network, which is quiet now.
    let links: Vec<Value> = case.list("link").iter().map(quiet).collect();
    case.set_list("link", links);
    case
}

fn constant(shrinker: &mut Shrinker<'_, '_>) {
    let latency = shrinker.best.get(&["network", "latency"]);
    let middle = latency.and_then(|law| ["median", "mean", "low"].iter().find_map(|key| law.get(key)));
    if let Some(middle) = middle.cloned().filter(|_| shrinker.best.list("link").is_empty()) {
        let mut case = shrinker.best.clone();
        case.set(&["network", "latency"], middle.clone());
        let sites: Vec<Value> =
            case.list("site").iter().map(|site| with(site, "latency", middle.clone())).collect();
        case.set_list("site", sites);
        shrinker.fails(case);
    }
}

/// Faults that one generator's family made, all at once.
fn families(shrinker: &mut Shrinker<'_, '_>) {
    let family = |fault: &Value| {
        let name = text(fault, "name");
        let made = !text(fault, "origin").is_empty();
        name.rsplit_once('.').filter(|_| made).map_or(name, |(family, _)| family).to_owned()
    };
    let mut names: Vec<String> = shrinker.best.faults().iter().map(family).collect();
    names.dedup();
    names.sort();
    names.dedup();
    if names.len() < 2 {
        return;
    }
    for name in names {
        let rest: Vec<Value> =
            shrinker.best.faults().into_iter().filter(|fault| family(fault) != name).collect();
        shrinker.fails(shrinker.best.with_faults(&rest));
    }
}

fn plan(shrinker: &mut Shrinker<'_, '_>) {
    let base = shrinker.best.clone();
    ddmin(base.faults(), &mut |part: &[Value]| shrinker.fails(base.with_faults(part)));
    elsewhere(shrinker);
}

/// Environments that a smaller plan is tried in.
const ENVIRONMENTS: u64 = 8;

/// One fault less, in other environments: without it, messages meet otherwise.
fn elsewhere(shrinker: &mut Shrinker<'_, '_>) {
    let mut index = 0;
    let mut rng = Stream::new(1, name_hash("elsewhere"));
    while index < shrinker.best.faults().len() {
        let mut faults = shrinker.best.faults();
        faults.remove(index);
        let base = shrinker.best.with_faults(&faults);
        let other = |_| {
            let mut case = base.clone();
            case.set(&["seed"], Value::count(rng.word() >> 1));
            case.set_duration(Span(shrinker.violated_at().0.saturating_mul(3) / 2));
            case
        };
        let cases: Vec<Case> = (0..ENVIRONMENTS).map(other).collect();
        if shrinker.first_that_fails(&cases) {
            horizon(shrinker);
        } else {
            index += 1;
        }
    }
}

/// Synthetic probes are off.
fn probes(shrinker: &mut Shrinker<'_, '_>) {
    let workloads = shrinker.best.list("workload");
    let off: Vec<Value> = workloads.iter().map(|table| with(table, "probe", Value::text("0s"))).collect();
    let mut case = shrinker.best.clone();
    case.set_list("workload", off);
    shrinker.fails(case);
}

/// Requests become a list, and the list becomes short.
fn requests(shrinker: &mut Shrinker<'_, '_>) {
    if shrinker.best.texts("requests").is_none() {
        let Some(texts) = request_list(shrinker) else { return };
        if !shrinker.fails(shrinker.best.with_texts("requests", &texts)) {
            return;
        }
    }
    let base = shrinker.best.clone();
    let texts = base.texts("requests").unwrap_or_default();
    ddmin(texts, &mut |part: &[String]| shrinker.fails(base.with_texts("requests", part)));
}

/// What the users asked for in the best run.
fn request_list(shrinker: &Shrinker<'_, '_>) -> Option<Vec<String>> {
    let scenario = shrinker.scenario()?;
    let traced = shrinker.trace()?;
    let operations = &shrinker.lab.model.info().operations;
    let mut texts = Vec::new();
    for event in &traced.events {
        let Some(Fact::Arrive(request)) = event.fact else { continue };
        if request.probe {
            continue;
        }
        let spec = RequestSpec {
            at: event.at,
            op: operations[usize::from(request.operation.kind)].name,
            key: request.operation.key,
            client: event.node as usize,
        };
        let client = &scenario.nodes[spec.client].name;
        texts.push(spec.text(client, &scenario.workloads[usize::from(request.workload)].name));
    }
    Some(texts)
}

/// Requests come from as few clients as possible; the others go.
fn clients(shrinker: &mut Shrinker<'_, '_>) {
    let Some(requests) = shrinker.best.texts("requests") else { return };
    let client = |text: &str| text.split_whitespace().nth(3).unwrap_or_default().to_owned();
    let mut used: Vec<String> = requests.iter().map(|text| client(text)).collect();
    used.sort();
    used.dedup();
    // From the last on: its requests move to the first client of all.
    while used.len() > 1 {
        let gone = used.pop().unwrap_or_default();
        let requests = shrinker.best.texts("requests").unwrap_or_default();
        let moved: Vec<String> = requests
            .iter()
            .map(|text| if client(text) == gone { moved_to(text, &used[0]) } else { text.clone() })
            .collect();
        shrinker.fails(shrinker.best.with_texts("requests", &moved));
    }
    let Some(scenario) = shrinker.scenario() else { return };
    let idle = roster::idle_clients(&scenario, &shrinker.best.texts("requests").unwrap_or_default());
    if idle.is_empty() {
        return;
    }
    if let Some(case) = roster::without(&shrinker.best, &scenario, &idle)
        && shrinker.fails(case)
    {
        return;
    }
    for name in idle {
        let Some(scenario) = shrinker.scenario() else { return };
        if let Some(case) = roster::without(&shrinker.best, &scenario, &[name]) {
            shrinker.fails(case);
        }
    }
}

fn moved_to(request: &str, client: &str) -> String {
    let mut words: Vec<&str> = request.split_whitespace().collect();
    if let Some(word) = words.get_mut(3) {
        *word = client;
    }
    words.join(" ")
}

/// Nodes that are no clients go, as far as the model allows.
fn nodes(shrinker: &mut Shrinker<'_, '_>) {
    let Some(scenario) = shrinker.scenario() else { return };
    let names: Vec<String> =
        scenario.nodes.iter().filter(|node| !node.client).map(|node| node.name.clone()).collect();
    for name in names.into_iter().rev() {
        let Some(scenario) = shrinker.scenario() else { return };
        if let Some(case) = roster::without(&shrinker.best, &scenario, &[name]) {
            shrinker.fails(case);
        }
    }
}

fn reseeds(shrinker: &mut Shrinker<'_, '_>) {
    let base = shrinker.best.clone();
    let Some(texts) = base.texts("reseeds") else { return };
    ddmin(texts, &mut |part: &[String]| shrinker.fails(base.with_texts("reseeds", part)));
}

/// Faults last half as long, again and again.
fn durations(shrinker: &mut Shrinker<'_, '_>) {
    for index in 0..shrinker.best.faults().len() {
        for _ in 0..12 {
            let mut faults = shrinker.best.faults();
            let Some(fault) = faults.get_mut(index) else { return };
            let start = span(fault, "at").unwrap_or_default();
            let left = Span(shrinker.violated_at().0.saturating_sub(start.0).max(1));
            // What outlasts the violation may as well end with it.
            let Some(lasts) = span(fault, "for").map(|lasts| lasts.min(left)) else { break };
            let half = rounded(lasts.0 / 2);
            if half == 0 || half >= lasts.0 {
                break;
            }
            *fault = with(fault, "for", Value::text(duration_text(half)));
            if shrinker.fails(shrinker.best.with_faults(&faults)) {
                continue;
            }
            let mut faults = shrinker.best.faults();
            let Some(fault) = faults.get_mut(index).filter(|fault| span(fault, "for") > Some(left)) else {
                break;
            };
            *fault = with(fault, "for", Value::text(duration_text(left.0)));
            shrinker.fails(shrinker.best.with_faults(&faults));
            break;
        }
    }
}

/// Fewer digits, for people who read the plan.
fn rounded(nanos: u64) -> u64 {
    let units = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000];
    let unit = units.into_iter().find(|unit| nanos >= 20 * unit).unwrap_or(1);
    nanos / unit * unit
}

/// Kinds of faults that act on some messages, and that single events can stand for.
const OF_MESSAGES: [&str; 9] =
    ["omission", "loss", "duplicate", "reorder", "corrupt", "latency", "jitter", "clog", "bandwidth"];

/// What the network and random faults do to messages becomes a list of single events.
fn noise(shrinker: &mut Shrinker<'_, '_>) {
    let before = shrinker.kept();
    let was = shrinker.best.clone();
    let noisy: Vec<&str> = NOISE.iter().copied().filter(|key| is_noisy(&was, key)).collect();
    let (random, rest): (Vec<Value>, Vec<Value>) =
        was.faults().into_iter().partition(|fault| OF_MESSAGES.contains(&text(fault, "kind")));
    let sources = noisy.len() + random.len();
    if sources == 0 {
        return;
    }
    let already = was.texts("messages").map_or(0, |texts| texts.len());
    let Some(texts) = message_list(shrinker) else { return };
    let case = without_noise(&was, &noisy).with_faults(&rest).with_texts("messages", &texts);
    if !shrinker.fails(case) {
        return;
    }
    messages(shrinker);
    let left = shrinker.best.texts("messages").map_or(0, |texts| texts.len());
    if left > already + EVENTS_FOR_ONE * sources {
        shrinker.go_back(before);
    }
}

fn messages(shrinker: &mut Shrinker<'_, '_>) {
    let base = shrinker.best.clone();
    let Some(texts) = base.texts("messages") else { return };
    ddmin(texts, &mut |part: &[String]| shrinker.fails(base.with_texts("messages", part)));
}

/// What happened to single messages in the best run.
fn message_list(shrinker: &Shrinker<'_, '_>) -> Option<Vec<String>> {
    let traced = shrinker.trace()?;
    let names: Vec<&String> = traced.record.node_hashes.iter().map(|(name, _)| name).collect();
    let kinds = &shrinker.lab.model.info().messages;
    let mut texts = Vec::new();
    for sending in &traced.sendings {
        for deed in sending.deeds() {
            let spec = MessageSpec {
                from: String::clone(names.get(sending.id.from.index())?),
                to: String::clone(names.get(sending.id.to.index())?),
                kind: kinds[usize::from(sending.id.kind)],
                number: sending.id.number,
                deed,
            };
            texts.push(spec.text());
        }
    }
    Some(texts)
}

/// Idle time at the start goes: everything happens that much earlier.
fn earlier(shrinker: &mut Shrinker<'_, '_>) {
    let Some(scenario) = shrinker.scenario() else { return };
    let first = first_instant(&scenario);
    for by in [first, first / 2] {
        let by = rounded(by.saturating_sub(1_000_000));
        if by > 0 && shrinker.fails(moved_earlier(&shrinker.best, by)) {
            return;
        }
    }
}

/// When the first fault starts or the first listed request arrives.
fn first_instant(scenario: &Scenario) -> u64 {
    let lists = scenario.repro.as_ref().and_then(|repro| repro.requests.as_ref());
    let Some(lists) = lists else { return 0 };
    let requests = lists.iter().flatten().map(|request| request.at.0);
    requests.chain(scenario.faults.iter().map(|fault| fault.start.0)).min().unwrap_or(0)
}

fn moved_earlier(case: &Case, by: u64) -> Case {
    let sooner = |at: Span| duration_text(at.0.saturating_sub(by));
    let faults: Vec<Value> = case
        .faults()
        .iter()
        .map(|fault| with(fault, "at", Value::text(sooner(span(fault, "at").unwrap_or_default()))))
        .collect();
    let mut moved = case.with_faults(&faults);
    for key in ["requests", "reseeds"] {
        let Some(texts) = case.texts(key) else { continue };
        let text = |text: &String| {
            let (_, rest) = text.split_once(' ').unwrap_or((text, ""));
            format!("{} {rest}", sooner(Span(time_of(text).0)))
        };
        moved = moved.with_texts(key, &texts.iter().map(text).collect::<Vec<_>>());
    }
    moved
}
