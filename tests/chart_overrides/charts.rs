//! The learned charts that are at hand: their rows, their values, and what switches their parts on.

use std::fs;
use std::path::{Path, PathBuf};

use ecr_rewrite::helm::ValuePath;
use ecr_rewrite::helm::learn::ChartTexts;
use ecr_rewrite::helm::table::{Published, Table};
use serde_json::{Value, json};

use super::common::helm::SWITCHES;
use super::learn_charts::{self, Source};

/// A chart that the table knows.
pub struct Chart {
    /// Its folder.
    pub folder: PathBuf,
    /// Its row.
    pub row: &'static Published,
    /// Values without which it does not render, or not all of its images.
    pub needed: Value,
    /// The values that it and those below it have.
    values: Value,
}

impl Chart {
    /// The chart in a folder, when the table has exactly that one.
    pub fn read(folder: &Path, sources: &[Source]) -> Option<Self> {
        let hash = learn_charts::hash(folder);
        let row = Table::built_in().all().find(|row| row.hash == hash)?;
        let about = fs::read_to_string(folder.join("Chart.yaml")).ok()?;
        let fits = |source: &&Source| source.chart == row.name && about.contains(&source.holds);
        let needed = sources.iter().find(fits).map(|source| &source.values);
        let needed = needed.filter(|values| values.is_object()).cloned();
        let mut needed = needed.unwrap_or_else(|| json!({}));
        if row.refuses_others {
            set(&mut needed, &leave(), json!(true));
        }
        Some(Self {
            folder: folder.to_path_buf(),
            row,
            needed,
            values: all_values(&learn_charts::read(folder).ok()?),
        })
    }

    /// The name of its folder.
    pub fn name(&self) -> String {
        let name = self.folder.file_name();
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its switches that are off.
    pub fn switches(&self) -> Vec<ValuePath> {
        let mut found = Vec::new();
        collect_switches(&self.values, &ValuePath::default(), &mut found);
        found
    }

    /// The switches above and beside a value.
    pub fn switches_of(&self, path: &ValuePath) -> Vec<ValuePath> {
        let above = (0..path.0.len()).map(|depth| ValuePath(path.0[..depth].to_vec()));
        let switch = |above: ValuePath| {
            let keys = SWITCHES.iter().map(move |key| above.child(key));
            keys.filter(|path| get(&self.values, path).is_some())
        };
        above.flat_map(switch).collect()
    }
}

fn all_values(chart: &ChartTexts) -> Value {
    let mut values = json!({});
    for sub in &chart.subcharts {
        merge(&mut values, &json!({ &sub.key: all_values(&sub.chart) }));
    }
    merge(&mut values, &chart.values);
    values
}

fn collect_switches(values: &Value, at: &ValuePath, found: &mut Vec<ValuePath>) {
    for (key, value) in values.as_object().into_iter().flatten() {
        // Certificates take seconds to make and bring no images.
        if key.to_ascii_lowercase().contains("tls") {
            continue;
        }
        if value == &Value::Bool(false) && SWITCHES.contains(&key.as_str()) {
            found.push(at.child(key));
        }
        collect_switches(value, &at.child(key), found);
    }
}

/// What charts that refuse other images ask for.
pub fn leave() -> ValuePath {
    let keys = ["global", "security", "allowInsecureImages"];
    ValuePath(keys.map(str::to_string).to_vec())
}

/// The value at a path.
pub fn get<'v>(values: &'v Value, path: &ValuePath) -> Option<&'v Value> {
    path.0
        .iter()
        .try_fold(values, |values, key| values.get(key))
}

/// Sets the value at a path.
pub fn set(values: &mut Value, path: &ValuePath, value: Value) {
    let nested = path
        .0
        .iter()
        .rev()
        .fold(value, |inner, key| json!({ key: inner }));
    merge(values, &nested);
}

/// Merges maps as Helm does; a list or text takes the place of what was there.
pub fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Values of several layers or overrides at once.
pub fn merged<'v>(all: impl IntoIterator<Item = &'v Value>) -> Value {
    let mut values = json!({});
    for one in all {
        merge(&mut values, one);
    }
    values
}
