//! The values a chart is rendered with: the caller's over the chart's own, and each subchart's
//! share of them, put together in the order Helm does.

use serde_json::{Map, Value};

use super::chart::{Chart, Dependency};
use super::semver::{self, Version};

type Table = Map<String, Value>;

/// A chart in its place: a subchart under its alias, without what its parent turned off.
pub(crate) struct Placed<'a> {
    pub(crate) chart: &'a Chart,
    pub(crate) name: String,
    pub(crate) children: Vec<Placed<'a>>,
    /// The dependency each child is there for.
    dependencies: Vec<(String, &'a Dependency)>,
    values: Table,
}

/// The chart with the subcharts the values turn on (or all of them), and its values.
pub(crate) fn place<'a>(
    chart: &'a Chart,
    values: &Value,
    all: bool,
) -> Result<(Placed<'a>, Value), String> {
    let mut placed = Placed::new(chart, chart.name.clone());
    let given = match values {
        Value::Object(table) => table.clone(),
        _ => Table::new(),
    };
    if !all {
        let everything = placed.coalesced(given.clone())?;
        placed.drop_disabled(&everything, "");
    }
    placed.import()?;
    let values = placed.coalesced(given)?;
    Ok((placed, Value::Object(values)))
}

impl<'a> Placed<'a> {
    fn new(chart: &'a Chart, name: String) -> Self {
        let mut children = Vec::new();
        let mut dependencies = Vec::new();
        for subchart in &chart.subcharts {
            if !chart
                .dependencies
                .iter()
                .any(|dependency| fits(dependency, subchart))
            {
                children.push(Placed::new(subchart, subchart.name.clone()));
            }
        }
        for dependency in &chart.dependencies {
            let name = dependency.alias.as_ref().unwrap_or(&dependency.name);
            dependencies.push((name.clone(), dependency));
            let subchart = chart
                .subcharts
                .iter()
                .find(|subchart| fits(dependency, subchart));
            children.extend(subchart.map(|subchart| Placed::new(subchart, name.clone())));
        }
        let values = match &chart.values {
            Value::Object(table) => table.clone(),
            _ => Table::new(),
        };
        Self {
            chart,
            name,
            children,
            dependencies,
            values,
        }
    }

    /// Removes the subcharts whose tags or conditions say so.
    fn drop_disabled(&mut self, values: &Table, path: &str) {
        let disabled: Vec<String> = self
            .dependencies
            .iter()
            .filter(|(_, dependency)| !is_enabled(dependency, values, path))
            .map(|(name, _)| name.clone())
            .collect();
        self.children
            .retain(|child| !disabled.contains(&child.name));
        self.dependencies
            .retain(|(name, _)| !disabled.contains(name));
        for child in &mut self.children {
            let path = format!("{path}{}.", child.name);
            child.drop_disabled(values, &path);
        }
    }

    /// `import-values`: takes over what subcharts offer, beneath the chart's own values.
    fn import(&mut self) -> Result<(), String> {
        for child in &mut self.children {
            child.import()?;
        }
        if self
            .dependencies
            .iter()
            .all(|(_, dependency)| dependency.import_values.is_empty())
        {
            return Ok(());
        }
        let mut own = self.merged(Table::new(), true)?;
        let mut imported = Table::new();
        for (name, dependency) in &self.dependencies {
            for import in &dependency.import_values {
                let (child, parent) = match import {
                    Value::String(export) => (format!("{name}.exports.{export}"), ".".to_owned()),
                    other => (
                        format!("{name}.{}", text_at(other, "child")),
                        text_at(other, "parent"),
                    ),
                };
                if let Some(Value::Object(table)) = at_path(&own, &child) {
                    let nested = nested(&parent, table.clone());
                    merge_tables(&mut imported, nested, true);
                }
            }
        }
        merge_tables(&mut own, imported, true);
        self.values = own;
        Ok(())
    }

    fn coalesced(&self, values: Table) -> Result<Table, String> {
        self.merged(values, false)
    }

    /// The values over the chart's own, then the same for each subchart. Unless `keeps_null`, a
    /// null takes a default away.
    fn merged(&self, mut values: Table, keeps_null: bool) -> Result<Table, String> {
        self.merge_own(&mut values, keeps_null);
        for child in &self.children {
            let mut table = match values.remove(&child.name) {
                None => Table::new(),
                Some(Value::Object(table)) => table,
                Some(_) => {
                    return Err(format!(
                        "the values of the subchart `{}` are no mapping",
                        child.name
                    ));
                }
            };
            hand_down_globals(&mut table, &values);
            values.insert(
                child.name.clone(),
                Value::Object(child.merged(table, keeps_null)?),
            );
        }
        Ok(values)
    }

    fn merge_own(&self, values: &mut Table, keeps_null: bool) {
        for (key, default) in &self.values {
            match values.get_mut(key) {
                None => {
                    values.insert(key.clone(), default.clone());
                }
                Some(Value::Null) if !keeps_null => {
                    values.remove(key);
                }
                Some(Value::Object(table)) => {
                    if let Value::Object(defaults) = default {
                        let is_child = self.children.iter().any(|child| child.name == *key);
                        merge_tables(table, defaults.clone(), keeps_null || is_child);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

fn fits(dependency: &Dependency, chart: &Chart) -> bool {
    let in_range = || match Version::parse(&chart.version) {
        Some(version) => semver::satisfies(&dependency.version, &version).unwrap_or(true),
        None => true,
    };
    dependency.name == chart.name && (dependency.version.is_empty() || in_range())
}

/// The first condition that is a boolean decides; without one, the tags do.
fn is_enabled(dependency: &Dependency, values: &Table, path: &str) -> bool {
    for condition in dependency
        .condition
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty())
    {
        if let Some(Value::Bool(enabled)) = at_path(values, &format!("{path}{condition}")) {
            return *enabled;
        }
    }
    let tagged: Vec<bool> = dependency
        .tags
        .iter()
        .filter_map(|tag| values.get("tags")?.get(tag)?.as_bool())
        .collect();
    tagged.is_empty() || tagged.contains(&true)
}

fn at_path<'v>(values: &'v Table, path: &str) -> Option<&'v Value> {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = values.get(first)?;
    match (rest, value) {
        (None, value) => Some(value),
        (Some(rest), Value::Object(table)) => at_path(table, rest),
        (Some(_), _) => None,
    }
}

fn text_at(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn nested(path: &str, table: Table) -> Table {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |table, part| {
        let mut outer = Table::new();
        outer.insert(part.to_owned(), Value::Object(table));
        outer
    })
}

/// Fills a table with what it lacks of the defaults.
fn merge_tables(target: &mut Table, defaults: Table, keeps_null: bool) {
    for (key, default) in defaults {
        match target.get_mut(&key) {
            None => {
                target.insert(key, default);
            }
            Some(Value::Null) if !keeps_null && !default.is_null() => {
                target.remove(&key);
            }
            Some(Value::Object(table)) => {
                if let Value::Object(defaults) = default {
                    merge_tables(table, defaults, keeps_null);
                }
            }
            Some(_) => {}
        }
    }
}

const GLOBAL: &str = "global";

/// A subchart's globals: its parent's over its own.
fn hand_down_globals(table: &mut Table, parent: &Table) {
    let mut globals = match table.get(GLOBAL) {
        None => Table::new(),
        Some(Value::Object(globals)) => globals.clone(),
        Some(_) => return,
    };
    match parent.get(GLOBAL) {
        None => {}
        Some(Value::Object(given)) => given.iter().for_each(|(key, value)| {
            hand_down(&mut globals, key, value);
        }),
        Some(_) => return,
    }
    table.insert(GLOBAL.to_owned(), Value::Object(globals));
}

fn hand_down(globals: &mut Table, key: &str, value: &Value) {
    match (globals.get_mut(key), value) {
        (None, _) => {
            globals.insert(key.to_owned(), value.clone());
        }
        (Some(Value::Object(own)), Value::Object(given)) => {
            let mut merged = given.clone();
            merge_tables(&mut merged, std::mem::take(own), true);
            *own = merged;
        }
        (Some(Value::Object(_)), _) | (Some(_), Value::Object(_)) => {}
        (Some(slot), _) => *slot = value.clone(),
    }
}
