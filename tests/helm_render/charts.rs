//! The charts of a tree: where they are, and the values that they have.

use std::fs;
use std::path::Path;

use serde_yaml::Value;
use walkdir::WalkDir;

use super::common::helm::SWITCHES;

/// Every folder with a chart, as a path of the tree.
pub fn charts(tree: &Path) -> Vec<String> {
    let entries = WalkDir::new(tree).sort_by_file_name().into_iter();
    let files = entries.map(Result::unwrap);
    let charts = files.filter(|entry| entry.file_name() == "Chart.yaml");
    let folders = charts.filter_map(|entry| {
        let folder = entry.path().parent()?.strip_prefix(tree).ok()?;
        Some(folder.to_string_lossy().into_owned())
    });
    folders.collect()
}

/// The values files of a chart besides its defaults.
pub fn other_values(chart: &Path) -> Vec<String> {
    let names = fs::read_dir(chart)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    let is_yaml = |name: &str| {
        let path = Path::new(name);
        path.extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
    };
    names.retain(|name| name.contains("values") && name != "values.yaml" && is_yaml(name));
    names.sort();
    names
}

/// The paths of the chart's defaults that say `enabled: false` and the like.
pub fn switches(chart: &Path) -> Vec<String> {
    let text = fs::read_to_string(chart.join("values.yaml")).unwrap_or_default();
    let mut found = Vec::new();
    if let Ok(values) = serde_yaml::from_str(&text) {
        collect_switches(&values, "", &mut found);
    }
    found
}

fn collect_switches(values: &Value, at: &str, found: &mut Vec<String>) {
    for (key, value) in values.as_mapping().into_iter().flatten() {
        let Some(key) = key.as_str() else { continue };
        let path = format!("{at}{}", key.replace('.', "\\."));
        if value == &Value::Bool(false) && (SWITCHES.contains(&key) || key.ends_with("Enabled")) {
            found.push(path);
        } else {
            collect_switches(value, &format!("{path}."), found);
        }
    }
}
