//! Taking nodes out of a case, and out of everything that names them.

use super::case::{Case, text, with};
use crate::language::{Data, Scenario, Value};

/// Keys of a fault that name nodes.
const NAMES: [&str; 4] = ["target", "from", "to", "isolate"];

/// Clients that no listed request comes from. Each workload keeps one.
pub(super) fn idle_clients(scenario: &Scenario, requests: &[String]) -> Vec<String> {
    let used: Vec<&str> = requests.iter().filter_map(|text| text.split_whitespace().nth(3)).collect();
    let mut kept: Vec<&str> = used.clone();
    for workload in &scenario.workloads {
        let names: Vec<&str> = workload.from.iter().map(|&node| scenario.nodes[node].name.as_str()).collect();
        if !names.iter().any(|name| kept.contains(name)) {
            kept.extend(names.first());
        }
    }
    let clients = scenario.nodes.iter().filter(|node| node.client && node.kind != "service.users");
    clients.map(|node| node.name.clone()).filter(|name| !kept.contains(&name.as_str())).collect()
}

/// The case without some nodes; `None` when a workload would have no client, or a fault nobody else names
/// is lost on the way.
pub(super) fn without(case: &Case, scenario: &Scenario, gone: &[String]) -> Option<Case> {
    let mut case = case.clone();
    let mut tables = Vec::new();
    for (table, group) in case.list("node").iter().zip(&scenario.groups) {
        let nodes = &scenario.nodes[group.nodes.clone()];
        if !nodes.iter().any(|node| gone.contains(&node.name)) {
            tables.push(table.clone());
            continue;
        }
        for node in nodes {
            if gone.contains(&node.name) {
                continue;
            }
            let mut single = table.clone();
            if let Data::Table(entries) = &mut single.data {
                entries.retain(|entry| !["count", "sites"].contains(&entry.key.as_str()));
            }
            let mut single = with(&single, "name", Value::text(&node.name));
            if scenario.sites.len() > 1 {
                single = with(&single, "site", Value::text(&scenario.sites[node.site].name));
            }
            tables.push(single);
        }
    }
    case.set_list("node", tables);
    let mut workloads = Vec::new();
    for (table, spec) in case.list("workload").iter().zip(&scenario.workloads) {
        if spec.to.is_some() {
            workloads.push(table.clone());
            continue;
        }
        let from = spec.from.iter().map(|&node| &scenario.nodes[node].name);
        let from: Vec<Value> = from.filter(|name| !gone.contains(name)).map(Value::text).collect();
        if from.is_empty() {
            return None;
        }
        workloads.push(with(table, "from", Value::array(from)));
    }
    case.set_list("workload", workloads);
    let faults: Vec<Value> = case.faults().iter().filter_map(|fault| spared(fault, scenario, gone)).collect();
    let mut case = case.with_faults(&faults);
    if let Some(messages) = case.texts("messages") {
        let names = |text: &String| {
            let way = text.split_whitespace().nth(1).and_then(|way| way.split_once("->"));
            way.is_some_and(|(from, to)| gone.iter().any(|name| name == from || name == to))
        };
        let kept: Vec<String> = messages.into_iter().filter(|text| !names(text)).collect();
        case = case.with_texts("messages", &kept);
    }
    Some(case)
}

/// A fault that names some nodes no more; `None` when it names nobody then.
fn spared(fault: &Value, scenario: &Scenario, gone: &[String]) -> Option<Value> {
    let kept = |value: &Value| -> Option<Value> {
        let words = if value.as_text().is_some() { vec![value.clone()] } else { value.items().to_vec() };
        let mut left = Vec::new();
        for word in words {
            let pattern = word.as_text().unwrap_or_default();
            // A group's name and a pattern stand for what is left of it; the language says if that is nothing.
            let node = scenario.nodes.iter().any(|node| node.name == pattern);
            if !node || !gone.iter().any(|name| name == pattern) {
                left.push(word);
            }
        }
        (!left.is_empty()).then(|| Value::array(left))
    };
    let mut fault = fault.clone();
    for key in NAMES {
        if let Some(value) = fault.get(key) {
            let value = kept(value)?;
            fault = with(&fault, key, value);
        }
    }
    if let Some(groups) = fault.get("groups") {
        let left: Vec<Value> = groups.items().iter().filter_map(kept).collect();
        if left.len() < 2 {
            return None;
        }
        fault = with(&fault, "groups", Value::array(left));
    }
    (!text(&fault, "kind").is_empty()).then_some(fault)
}
