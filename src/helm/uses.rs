//! What else a chart does with the values that make the names of its images.
//!
//! A join is learned from renderings with some values; in a branch that they do not take, or in a text that
//! is no image, the same value may be put to another use. Every branch is rendered once with a mark in each
//! value: a mark that comes out anywhere else than in the name that its join makes takes the join away.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::join::{Join, ValuePath};
use super::template::{Chart, Mode, Release};

/// Parts of keys whose values are hosts.
const HOSTS: &[&str] = &["egistry", "hub", "host", "domain"];

/// The joins whose values the chart uses for nothing else.
pub(super) fn kept(chart: &Chart, joins: Vec<Join>) -> Vec<Join> {
    let paths: BTreeSet<ValuePath> = joins
        .iter()
        .flat_map(|join| join.reads().into_iter().cloned())
        .collect();
    let marked: Vec<(ValuePath, String)> = paths
        .into_iter()
        .enumerate()
        .map(|(number, path)| {
            let text = mark(number, &path);
            (path, text)
        })
        .collect();
    let text_of = |path: &ValuePath| {
        let found = marked.iter().find(|(known, _)| known == path);
        found.map_or(String::new(), |(_, text)| text.clone())
    };
    let names: Vec<String> = joins.iter().filter_map(|join| join.name(text_of)).collect();
    let mut values = Value::Object(Map::new());
    for (path, text) in &marked {
        set(&mut values, &path.0, text);
    }
    let rendered = chart.render(&values, &Release::default(), Mode::EveryBranch);
    let words = rendered
        .manifests
        .iter()
        .flat_map(|(_, text)| text.split(|c| !is_of_word(c)));
    let strange: BTreeSet<&str> = words
        .filter(|word| word.contains(MARK) && !is_named(word, &names))
        .collect();
    let is_strange = |path: &ValuePath| {
        let found = marked.iter().position(|(known, _)| known == path);
        found.is_some_and(|number| {
            let mark = format!("{MARK}{number}z");
            strange.iter().any(|word| word.contains(&mark))
        })
    };
    joins
        .into_iter()
        .filter(|join| !join.reads().into_iter().any(is_strange))
        .collect()
}

/// What every marked text holds.
const MARK: &str = "zmark";

fn mark(number: usize, path: &ValuePath) -> String {
    if HOSTS.iter().any(|host| path.key().contains(host)) {
        format!("{MARK}{number}z.example.com")
    } else {
        format!("{MARK}{number}z/{MARK}{number}zn")
    }
}

/// Whether a word is one of the names, with or without a tag or digest.
fn is_named(word: &str, names: &[String]) -> bool {
    let is_it = |name: &String| {
        let rest = word.strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
    };
    names.iter().any(is_it)
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@')
}

/// Sets a value, with the maps that lead to it.
fn set(values: &mut Value, path: &[String], text: &str) {
    let Some((key, rest)) = path.split_first() else {
        *values = Value::String(text.to_string());
        return;
    };
    if !values.is_object() {
        *values = Value::Object(Map::new());
    }
    if let Value::Object(map) = values {
        set(map.entry(key.clone()).or_insert(Value::Null), rest, text);
    }
}
