//! The values of a chart that may be pieces of the name of an image, and the switches beside them.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value};

use super::super::join::{Join, ValuePath};
use super::{ChartTexts, Subchart};

/// A value that may be a piece of the name of an image.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Where it stands.
    pub(super) path: ValuePath,
    /// Whether it names the image, or only the registry or namespace.
    pub(super) is_name: bool,
    /// Whether it stands in the default values; else only the templates know it.
    pub(super) is_given: bool,
    /// Its default as text; empty when there is none.
    pub(super) default: String,
    /// The values that are set and emptied together: same key, or a place of its own.
    pub(super) class: String,
}

impl Place {
    /// Whether it names an image in the default values.
    pub(super) fn is_given_name(&self) -> bool {
        self.is_name && self.is_given
    }
}

const REGISTRY_KEYS: [&str; 5] = [
    "registry",
    "hub",
    "imageregistry",
    "containerregistry",
    "imagenamespace",
];
const NAME_KEYS: [&str; 8] = [
    "repository",
    "repo",
    "image",
    "name",
    "imagename",
    "imagerepository",
    "override",
    "overriderepository",
];
const SIGNS: [&str; 9] = [
    "tag",
    "digest",
    "imagetag",
    "pullpolicy",
    "imagepullpolicy",
    "sha",
    "version",
    "pullsecrets",
    "imagepullsecrets",
];
/// Istio's charts keep their defaults below this key and lay those of the user over them.
const ISTIO_DEFAULTS: &str = "_internal_defaults_do_not_set";
const SWITCHES: [&str; 5] = ["enabled", "enable", "create", "install", "deploy"];

/// The default values of a chart with those of its subcharts below their keys.
pub(super) fn merged(chart: &ChartTexts) -> Value {
    let mut all = Value::Object(Map::new());
    for Subchart { key, chart, .. } in &chart.subcharts {
        let below = BTreeMap::from([(key.clone(), merged(chart))]);
        overlay(&mut all, &serde_json::json!(below));
    }
    overlay(&mut all, &chart.values);
    if let Some(inner) = all
        .as_object_mut()
        .and_then(|map| map.remove(ISTIO_DEFAULTS))
    {
        overlay(&mut all, &inner);
    }
    all
}

/// Lays `over` over `under`, map by map.
pub(super) fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                overlay(under.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (under, Value::Null) if under.is_object() => {}
        (under, over) => *under = over.clone(),
    }
}

/// Sets a value, making the maps on the way.
pub(super) fn put(values: &mut Value, path: &ValuePath, value: Value) {
    let mut at = values;
    for key in &path.0 {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(key.clone()).or_insert(Value::Null);
    }
    *at = value;
}

/// The value at a path.
pub(super) fn get<'v>(values: &'v Value, path: &ValuePath) -> Option<&'v Value> {
    path.0.iter().try_fold(values, |at, key| at.get(key))
}

/// The map whose values make one image together: for a value under a usual key the map around it.
pub(super) fn map_of(path: &ValuePath) -> ValuePath {
    match path.0.split_last() {
        Some((last, above)) if is_one_of(last, &NAME_KEYS) || is_one_of(last, &REGISTRY_KEYS) => {
            ValuePath(above.to_vec())
        }
        _ => path.clone(),
    }
}

/// Every place of a chart.
pub(super) fn of(chart: &ChartTexts, probes: &Value) -> Vec<Place> {
    let mut values = merged(chart);
    overlay(&mut values, probes);
    let mut found = BTreeMap::new();
    walk(&values, &ValuePath::default(), &mut found);
    for path in read_by_templates(chart, &ValuePath::default()) {
        let is_free = get(&values, &path).is_none_or(|value| value.is_null() || is_text(value));
        let above = ValuePath(
            path.0
                .split_last()
                .map_or(Vec::new(), |(_, above)| above.to_vec()),
        );
        let has_room =
            get(&values, &above).is_none_or(|value| value.is_object() || value.is_null());
        if is_free
            && has_room
            && let Some(is_name) = kind_by_path(&path)
        {
            found.entry(path).or_insert(is_name);
        }
    }
    let names: BTreeSet<ValuePath> = found
        .iter()
        .filter(|(_, name)| **name)
        .map(|(path, _)| map_of(path))
        .collect();
    let place = |(path, is_name): (ValuePath, bool)| {
        let value = get(&values, &path);
        let is_shared =
            path.0.first().is_some_and(|key| key == "global") || !names.contains(&map_of(&path));
        let class = match path.0.last() {
            Some(key) if !is_shared => key.clone(),
            _ => path.to_string(),
        };
        Place {
            is_name,
            is_given: value.is_some(),
            default: value.map(text).unwrap_or_default(),
            class,
            path,
        }
    };
    // What a subchart has of its own under `global` is that of the parent, as soon as that sets it.
    let is_own_global = |path: &ValuePath| path.0.iter().skip(1).any(|key| key == "global");
    found.retain(|path, _| {
        !is_own_global(path) || path.0.first().is_some_and(|key| key == "global")
    });
    let is_sayable = |path: &ValuePath| {
        Join::parse(&path.to_string()).is_some_and(|join| join.reads() == [path])
    };
    found
        .into_iter()
        .filter(|(path, _)| is_sayable(path))
        .map(place)
        .collect()
}

/// A scalar as the text that a template makes of it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => String::new(),
    }
}

fn is_text(value: &Value) -> bool {
    value.is_string()
}

fn is_one_of(key: &str, keys: &[&str]) -> bool {
    keys.contains(&key.to_ascii_lowercase().as_str())
}

fn walk(values: &Value, path: &ValuePath, found: &mut BTreeMap<ValuePath, bool>) {
    let Value::Object(map) = values else { return };
    let is_imagey = is_imagey(map, path);
    for (key, value) in map {
        let here = path.child(key);
        if value.is_null() || is_text(value) {
            if let Some(is_name) = kind(key, is_imagey, map) {
                found.insert(here, is_name);
            }
        } else {
            walk(value, &here, found);
        }
    }
    let has = |wanted: &str| map.keys().any(|key| key.eq_ignore_ascii_case(wanted));
    let is_bare = map.is_empty() && path.0.last().is_some_and(|key| ends_with_image(key));
    if is_bare
        || (is_imagey && (has("repository") || has("name") || has("image")) && !has("registry"))
    {
        found.entry(path.child("registry")).or_insert(false);
    }
    if is_bare {
        found.entry(path.child("repository")).or_insert(true);
    }
    // Charts that name the image in two values read a `repository` that their values may not show.
    if is_imagey && (has("name") || has("image")) && has("tag") && !has("repository") {
        found.entry(path.child("repository")).or_insert(true);
    }
}

/// Whether a map is one of an image, by its name or by what stands in it.
fn is_imagey(map: &Map<String, Value>, path: &ValuePath) -> bool {
    let named = path.0.last().is_some_and(|key| ends_with_image(key));
    let above = path
        .0
        .iter()
        .rev()
        .nth(1)
        .is_some_and(|key| ends_with_image(key));
    named || above || map.keys().any(|key| is_one_of(key, &SIGNS))
}

fn ends_with_image(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("image") || key.ends_with("images")
}

/// Whether a scalar under `key` may be a name (`true`) or a registry (`false`).
fn kind(key: &str, is_imagey: bool, map: &Map<String, Value>) -> Option<bool> {
    let lower = key.to_ascii_lowercase();
    let has = |wanted: &str| map.keys().any(|key| key.eq_ignore_ascii_case(wanted));
    match lower.as_str() {
        "image" => Some(true),
        "registry" | "hub" => Some(false),
        "repository" | "repo" | "override" | "overriderepository"
            if is_imagey || has("registry") =>
        {
            Some(true)
        }
        "name" if is_imagey && (has("tag") || has("repository") || has("registry")) => Some(true),
        _ if lower.ends_with("imagename") || lower.ends_with("imagerepository") => Some(true),
        _ if lower.ends_with("registry")
            || lower.ends_with("imagenamespace")
            || lower.ends_with("hub") =>
        {
            Some(false)
        }
        _ if lower.ends_with("image") || key.starts_with("image") && is_camel_image(key) => {
            Some(true)
        }
        _ => None,
    }
}

/// `imageK8S`, `imageEnvoy`: but not `imagePullPolicy` and the like.
fn is_camel_image(key: &str) -> bool {
    let rest = key.strip_prefix("image").unwrap_or_default();
    let is_other = [
        "Pull", "Tag", "Secret", "Version", "Digest", "Policy", "Type", "Sha", "Url", "URL",
    ];
    rest.starts_with(|c: char| c.is_ascii_uppercase())
        && !is_other.iter().any(|other| rest.starts_with(other))
}

/// The same for a path that only the templates know.
fn kind_by_path(path: &ValuePath) -> Option<bool> {
    let (last, above) = path.0.split_last()?;
    let named = above.last().is_some_and(|key| ends_with_image(key));
    let is_global = above.first().is_some_and(|key| key == "global");
    match last.to_ascii_lowercase().as_str() {
        "imageregistry" | "imagenamespace" => Some(false),
        lower if (named || is_global) && (lower.ends_with("registry") || lower == "hub") => {
            Some(false)
        }
        "repository" | "name" if named => Some(true),
        "image" => Some(true),
        lower if lower.ends_with("image") => Some(true),
        _ => None,
    }
}

/// The paths below `.Values` that the templates write out.
fn read_by_templates(chart: &ChartTexts, prefix: &ValuePath) -> BTreeSet<ValuePath> {
    let mut paths = BTreeSet::new();
    if let Ok(pattern) =
        Regex::new(r"\.Values((?:\.[A-Za-z0-9_]+)+)|\b(global(?:\.[A-Za-z0-9_]+)+)")
    {
        for (_, text) in &chart.templates {
            for found in pattern.captures_iter(text) {
                let written = found
                    .get(1)
                    .or(found.get(2))
                    .map_or("", |path| path.as_str());
                let keys: Vec<String> = written
                    .split('.')
                    .filter(|key| !key.is_empty())
                    .map(str::to_string)
                    .collect();
                let is_global = keys.first().is_some_and(|key| key == "global");
                let above = if is_global { &[][..] } else { &prefix.0[..] };
                paths.insert(ValuePath(above.iter().cloned().chain(keys).collect()));
            }
        }
    }
    for Subchart { key, chart, .. } in &chart.subcharts {
        paths.extend(read_by_templates(chart, &prefix.child(key)));
    }
    paths
}

/// Every switch of a chart that is off.
pub(super) fn all_switches(values: &Value, path: &ValuePath) -> Vec<ValuePath> {
    let Value::Object(map) = values else {
        return Vec::new();
    };
    let below = map.iter().flat_map(|(key, value)| match value {
        Value::Bool(false) if is_one_of(key, &SWITCHES) => vec![path.child(key)],
        value => all_switches(value, &path.child(key)),
    });
    below.collect()
}

/// The switches above and beside a place that are off.
pub(super) fn switches(chart: &ChartTexts, values: &Value, path: &ValuePath) -> Vec<ValuePath> {
    let mut off = Vec::new();
    for depth in 0..path.0.len() {
        let above = ValuePath(path.0.iter().take(depth).cloned().collect());
        let Some(Value::Object(map)) = get(values, &above) else {
            continue;
        };
        let is_off = |value: &Value| matches!(value, Value::Bool(false) | Value::Null);
        let keys = map
            .iter()
            .filter(|(key, value)| is_one_of(key, &SWITCHES) && is_off(value));
        off.extend(keys.map(|(key, _)| above.child(key)));
    }
    let mut at = (chart, ValuePath::default());
    for key in &path.0 {
        let Some(sub) = at.0.subcharts.iter().find(|sub| sub.key == *key) else {
            break;
        };
        let prefix = &at.1;
        let conditions = sub
            .conditions
            .iter()
            .map(|path| ValuePath(prefix.0.iter().chain(&path.0).cloned().collect()));
        off.extend(conditions.filter(|path| get(values, path) != Some(&Value::Bool(true))));
        at = (&sub.chart, prefix.child(key));
    }
    off.sort();
    off.dedup();
    off
}
