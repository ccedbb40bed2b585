//! Charts that lie in the repository: read once, and rendered with the texts that a rewrite would give
//! their files.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

use super::package::{self, ChartFile};
use super::template::{Chart, Release, read_yaml};

/// How a dependency says that it lies in a folder beside.
const FILE: &str = "file://";
/// The files that every render of a chart reads, and the folder of its templates; others only where a
/// template asks for them.
const READ: &[&str] = &[
    "Chart.yaml",
    "requirements.yaml",
    "values.yaml",
    "values.schema.json",
];
const TEMPLATES: &str = "templates";
const FILES: &str = ".Files";
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

    /// Whether a render of the chart reads the file that stands at a path: its values and templates, and
    /// whatever else lies beside them when a template asks for files.
    pub fn renders(&self, place: &Path) -> bool {
        let mut own = self.files.iter().map(|(path, _)| path);
        let own = own.find(|path| self.place(path).is_some_and(|known| known == place));
        let Some(path) = own else { return false };
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_read = READ.contains(&name) || path.split('/').any(|part| part == TEMPLATES);
        is_read || self.files.iter().any(|(_, text)| text.contains(FILES))
    }

    /// The chart when its files have the texts that `text_of` knows of their paths; without its own
    /// values, when others replace them. `like`: the same chart, read before.
    ///
    /// # Errors
    ///
    /// Why it is no chart.
    pub fn chart(
        &self,
        has_values: bool,
        text_of: &dyn Fn(&Path) -> Option<String>,
        like: Option<&Chart>,
    ) -> Result<Chart, String> {
        let files = self.files.iter();
        let files = files.filter(|(path, _)| has_values || path != "values.yaml");
        let files = files.map(|(path, text)| {
            let new = self.place(path).and_then(|place| text_of(&place));
            (path.clone(), new.unwrap_or_else(|| text.clone()))
        });
        Chart::from_files_like(files.collect(), like)
    }

    /// The releases that its templates tell apart: the usual one, and one for each name, namespace or
    /// version that stands beside a question for one.
    pub fn releases(&self) -> Vec<Release> {
        let mut names: BTreeSet<(&str, bool)> = BTreeSet::new();
        let mut versions: BTreeSet<&str> = BTreeSet::new();
        let lines = self.files.iter().flat_map(|(_, text)| text.lines());
        for line in lines.filter(|line| line.contains(RELEASE) || line.contains(VERSIONS)) {
            // Quotes of YAML around those of the template: every piece between two may be a text.
            let words = line.split(['"', '`']).filter(|word| is_name(word));
            if line.contains(VERSIONS) {
                versions.extend(words);
            } else if asks(line) {
                let is_namespace = line.contains(NAMESPACE);
                names.extend(words.map(|word| (word, is_namespace)));
            }
        }
        let usual = Release::default();
        let named = names
            .into_iter()
            .take(MAX_RELEASES)
            .map(|(word, is_namespace)| {
                let mut release = usual.clone();
                let field = if is_namespace {
                    &mut release.namespace
                } else {
                    &mut release.name
                };
                *field = word.to_string();
                release
            });
        let newer = Release {
            api_versions: versions.into_iter().map(str::to_string).collect(),
            ..usual.clone()
        };
        let newer = (newer != usual).then_some(newer);
        let others = named.chain(newer);
        std::iter::once(usual.clone()).chain(others).collect()
    }
}

/// Whether a text may be a name, or a version of an API: not a piece of one.
fn is_name(word: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/');
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_end(word.chars().next()) && is_end(word.chars().next_back()) && word.chars().all(is_of_name)
}

/// Whether a line of a template has a function that may tell one text from another.
fn asks(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| QUESTIONS.contains(&word))
}

/// More releases than these are not told apart.
const MAX_RELEASES: usize = 8;
/// How templates ask for the namespace.
const NAMESPACE: &str = ".Release.Namespace";
/// How templates ask what release it is, and what the cluster offers.
const RELEASE: &str = ".Release.Name";
const VERSIONS: &str = ".Capabilities.APIVersions.Has";

/// Functions that tell texts apart.
const QUESTIONS: &[&str] = &[
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "contains",
    "has",
    "hasPrefix",
    "hasSuffix",
    "hasKey",
    "get",
    "index",
    "dig",
    "ternary",
    "regexMatch",
    "mustRegexMatch",
    "regexFind",
    "mustRegexFind",
    "without",
    "mustHas",
    "mustWithout",
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_beside_are_taken_from_where_they_lie() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put(
            "web/Chart.yaml",
            "apiVersion: v2\nname: web\ndependencies:\n- {name: db, repository: 'file://../db'}\n- {name: far, repository: 'file://../../../far'}\n",
        );
        put("web/values.yaml", "a: 1\n");
        put("db/Chart.yaml", "apiVersion: v2\nname: db\n");
        put("db/values.yaml", "b: 1\n");
        let own = root.path().canonicalize().unwrap();
        let db = own.join("db");
        let chart = AtHand::read(&own.join("web"), &|folder| folder == db).unwrap();
        let values = |text_of: &dyn Fn(&Path) -> Option<String>| {
            let chart = chart.chart(true, text_of, None).unwrap();
            (
                chart.values().clone(),
                chart.subcharts()[0].values().clone(),
            )
        };
        let json = |text: &str| read_yaml(text).unwrap();
        assert_eq!(values(&|_| None), (json("a: 1"), json("b: 1")));
        let new = |path: &Path| (path == db.join("values.yaml")).then(|| "b: 2".to_string());
        assert_eq!(values(&new), (json("a: 1"), json("b: 2")));
        assert_eq!(
            chart.chart(false, &|_| None, None).unwrap().values(),
            &json("{}")
        );
    }

    #[test]
    fn what_templates_ask_of_a_release_is_given_to_one() {
        let of = |text: &str| AtHand {
            files: vec![("templates/a.yaml".to_string(), text.to_string())],
            folders: Vec::new(),
        };
        assert_eq!(of("{{ .Release.Name }}-x").releases().len(), 1);
        let asked = of(
            "{{ if eq .Release.Namespace \"prod\" }}\n{{ if .Capabilities.APIVersions.Has \"a/v1\" }}",
        );
        let releases = asked.releases();
        assert_eq!(releases[1].namespace, "prod");
        assert_eq!(releases[2].api_versions, ["a/v1"]);
    }
}
