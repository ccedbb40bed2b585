//! Charts that lie in the repository: read once, and rendered with the texts that a rewrite would give
//! their files.

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

use super::package::{self, ChartFile};
use super::template::{Chart, read_yaml};

/// How a dependency says that it lies in a folder beside.
const FILE: &str = "file://";
/// Charts in folders beside charts beside charts: further ones are left out.
const MAX_DEPTH: usize = 4;

/// The files of a chart, with those of the charts that it brings.
#[derive(Debug)]
pub struct AtHand {
    files: Vec<ChartFile>,
    /// Where the files lie of which the paths begin with a text, the longest first.
    folders: Vec<(String, PathBuf)>,
}

impl AtHand {
    /// Reads the chart in `folder`. Charts that it names by `file://` and that are not in its `charts/`
    /// are taken from where they lie, when `is_chart` knows the folder. Nothing for what cannot be read.
    pub fn read(folder: &Path, is_chart: &dyn Fn(&Path) -> bool) -> Option<Self> {
        let mut chart = Self {
            files: Vec::new(),
            folders: Vec::new(),
        };
        chart.take(folder, "", is_chart, 0)?;
        chart.folders.reverse();
        Some(chart)
    }

    fn take(
        &mut self,
        folder: &Path,
        prefix: &str,
        is_chart: &dyn Fn(&Path) -> bool,
        depth: usize,
    ) -> Option<()> {
        let files = package::read_folder(folder).ok()?;
        let beside = folders_beside(folder, &files);
        let files = files.into_iter();
        self.files
            .extend(files.map(|(path, text)| (format!("{prefix}{path}"), text)));
        self.folders
            .push((prefix.to_string(), folder.to_path_buf()));
        for (name, folder) in beside {
            if depth < MAX_DEPTH && is_chart(&folder) {
                self.take(
                    &folder,
                    &format!("{prefix}charts/{name}/"),
                    is_chart,
                    depth + 1,
                );
            }
        }
        Some(())
    }

    /// The path of a file in the repository, also where there is none: a packed chart's files are known by
    /// the paths that they would have unpacked.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let mut folders = self.folders.iter();
        folders.find_map(|(prefix, folder)| Some(folder.join(path.strip_prefix(prefix.as_str())?)))
    }

    /// The chart when its files have the texts that `text_of` knows of their paths; without its own
    /// values, when others replace them.
    ///
    /// # Errors
    ///
    /// Why it is no chart.
    pub fn chart(
        &self,
        has_values: bool,
        text_of: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Chart, String> {
        let files = self.files.iter();
        let files = files.filter(|(path, _)| has_values || path != "values.yaml");
        let files = files.map(|(path, text)| {
            let new = self.place(path).and_then(|place| text_of(&place));
            (path.clone(), new.unwrap_or_else(|| text.clone()))
        });
        Chart::from_files(files.collect())
    }

    /// Whether a file is one of the chart's.
    pub fn holds(&self, file: &Path) -> bool {
        let mut folders = self.folders.iter();
        folders.any(|(_, folder)| file.starts_with(folder))
    }
}

/// The charts that a chart names by `file://` and that are not in its `charts/`, with their folders.
fn folders_beside(folder: &Path, files: &[ChartFile]) -> Vec<(String, PathBuf)> {
    let lists = ["Chart.yaml", "requirements.yaml"].map(|name| yaml_of(files, name));
    let listed = lists
        .iter()
        .filter_map(|list| list.get("dependencies")?.as_array());
    let beside = listed.flatten().filter_map(|item| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let name = text("name")?;
        let path = text("repository")?.strip_prefix(FILE)?;
        let is_there = || {
            let mut paths = files.iter();
            let own = |path: &str| {
                let rest = path.strip_prefix("charts/")?.strip_prefix(name)?;
                rest.starts_with(['/', '-']).then_some(())
            };
            paths.any(|(path, _)| own(path).is_some())
        };
        (!is_there()).then(|| (name.to_string(), joined(folder, path)))
    });
    beside.collect()
}

/// `path` below `folder`, with its `..` taken out.
fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut result = folder.to_path_buf();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => result.push(part),
            Component::ParentDir => drop(result.pop()),
            _ => {}
        }
    }
    result
}

/// A file of a chart as a map; an empty one when it is none.
pub(super) fn yaml_of(files: &[ChartFile], path: &str) -> Value {
    let text = files.iter().find(|(known, _)| known == path);
    let value = text.and_then(|(_, text)| read_yaml(text).ok());
    value
        .filter(Value::is_object)
        .unwrap_or_else(|| Value::Object(Map::new()))
}
