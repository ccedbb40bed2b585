//! What a kustomization takes in: its files, and what is not at hand.
//!
//! Everything that a kustomization names is looked for before kustomize runs, and one that names anything
//! which is not there, or may be remote, is not built: nothing is ever fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::unrendered::{Unrendered, Why};
use crate::helm::template::read_yaml;
use crate::walk::KUSTOMIZATIONS;

/// Lists of files and folders.
const LISTS: &[&str] = &[
    "resources",
    "bases",
    "components",
    "configurations",
    "crds",
    "patchesStrategicMerge",
];
/// Lists of files and folders whose files name others, from the folder of the kustomization.
const PLUGINS: &[&str] = &["generators", "transformers", "validators"];
/// Lists whose items may each name a file under `path`.
const PATH_LISTS: &[&str] = &["patches", "patchesJson6902", "replacements"];
/// Lists of config maps and secrets, and their keys for files.
const GENERATORS: &[&str] = &["configMapGenerator", "secretGenerator"];
const FILE_KEYS: &[&str] = &["files", "envs", "env"];
/// Lists of charts.
const CHARTS: &[&str] = &["helmCharts", "helmChartInflationGenerator"];
/// The plugin that inflates one.
const CHART_PLUGIN: &str = "HelmChartInflationGenerator";
/// The kind of a kustomization that others take in and that builds nothing itself.
const COMPONENT: &str = "Component";
/// Bases of bases beyond this depth are not followed.
const MAX_DEPTH: usize = 64;
/// Larger kustomizations are none.
const MAX_BYTES: u64 = 10 << 20;
/// Texts in kustomizations that begin so name something elsewhere, or something that kustomize would look
/// for elsewhere.
const REMOTE: &[&str] = &[
    "git@",
    "git::",
    "gh:",
    "github.com/",
    "github.com:",
    "gitlab.com/",
    "bitbucket.org/",
];

/// What a kustomization takes in, directly or through others.
#[derive(Clone, Debug, Default)]
pub(super) struct Closure {
    /// The places of files, and of folders of charts, which count as a whole.
    pub(super) places: BTreeSet<PathBuf>,
    /// The places of folders with kustomizations: links may lead to them.
    pub(super) ways: BTreeSet<PathBuf>,
    /// Why it is not built.
    pub(super) blocked: Vec<Unrendered>,
    /// Whether it takes in charts.
    pub(super) has_charts: bool,
    /// Whether it is built by what takes it in alone.
    pub(super) is_component: bool,
}

impl Closure {
    fn extend(&mut self, other: &Self) {
        self.places.extend(other.places.iter().cloned());
        self.ways.extend(other.ways.iter().cloned());
        for blocked in &other.blocked {
            self.block(blocked.clone());
        }
        self.has_charts |= other.has_charts;
    }

    fn block(&mut self, why: Unrendered) {
        if !self.blocked.contains(&why) {
            self.blocked.push(why);
        }
    }
}

/// Reads kustomizations, each once.
pub(super) struct Closures<'c> {
    roots: &'c [PathBuf],
    known: BTreeMap<PathBuf, Arc<Closure>>,
    /// Those that are being read: one that takes itself in is not.
    pending: BTreeSet<PathBuf>,
}

impl<'c> Closures<'c> {
    pub(super) fn new(roots: &'c [PathBuf]) -> Self {
        Self {
            roots,
            known: BTreeMap::new(),
            pending: BTreeSet::new(),
        }
    }

    /// What the kustomization in a folder (a real path) takes in.
    pub(super) fn of(&mut self, folder: &Path) -> Arc<Closure> {
        if let Some(known) = self.known.get(folder) {
            return Arc::clone(known);
        }
        let mut closure = Closure::default();
        if self.pending.len() >= MAX_DEPTH {
            closure.block(Unrendered::new(Why::Limit, "bases of bases nest too deep"));
        } else if self.pending.insert(folder.to_path_buf()) {
            self.read(folder, &mut closure);
            self.pending.remove(folder);
        } else {
            closure.block(Unrendered::new(Why::Refused, "it takes itself in"));
        }
        let closure = Arc::new(closure);
        // Those that take themselves in are not built, so that it does not matter what else they lack.
        self.known
            .insert(folder.to_path_buf(), Arc::clone(&closure));
        closure
    }

    fn read(&mut self, folder: &Path, closure: &mut Closure) {
        let mut files = KUSTOMIZATIONS.iter().map(|name| folder.join(name));
        let Some(file) = files.find(|file| file.is_file()) else {
            let detail = format!("there is no kustomization in {}", shown(folder));
            return closure.block(Unrendered::new(Why::MissingFile, &detail));
        };
        closure.places.insert(file.clone());
        let value = match text_of(&file).map(|text| read_yaml(&text)) {
            Some(Ok(value)) if value.is_object() => value,
            _ => {
                let detail = format!("{} is not YAML", shown(&file));
                return closure.block(Unrendered::new(Why::NotYaml, &detail));
            }
        };
        if let Some(why) = text_of(&file).and_then(|text| untold(&text, &value)) {
            closure.block(Unrendered::new(Why::Refused, &why));
        }
        closure.is_component = value.get("kind").and_then(Value::as_str) == Some(COMPONENT);
        let mut reader = Reader {
            closures: self,
            folder,
            closure,
        };
        reader.kustomization(&value);
    }
}

struct Reader<'r, 'c> {
    closures: &'r mut Closures<'c>,
    folder: &'r Path,
    closure: &'r mut Closure,
}

impl Reader<'_, '_> {
    fn kustomization(&mut self, value: &Value) {
        for list in LISTS {
            texts(value, list).for_each(|text| self.path(text));
        }
        for list in PLUGINS {
            for text in texts(value, list) {
                self.plugin(text);
            }
        }
        for list in PATH_LISTS {
            let paths = items(value, list).filter_map(|item| item.get("path")?.as_str());
            paths.for_each(|path| self.path(path));
        }
        let schema = value.get("openapi").and_then(|api| api.get("path"));
        schema
            .and_then(Value::as_str)
            .into_iter()
            .for_each(|path| self.path(path));
        for item in GENERATORS.iter().flat_map(|list| items(value, list)) {
            self.generator(item);
        }
        let globals = value.get("helmGlobals");
        if globals.is_some_and(|all| all.get("configHome").is_some()) {
            let detail = "`helmGlobals.configHome` is where Helm looks for plugins";
            self.closure.block(Unrendered::new(Why::Plugin, detail));
        }
        let home = globals.and_then(|all| all.get("chartHome"));
        let home = home.and_then(Value::as_str);
        for chart in CHARTS.iter().flat_map(|list| items(value, list)) {
            self.chart(chart, home);
        }
    }

    fn generator(&mut self, item: &Value) {
        for text in FILE_KEYS.iter().flat_map(|key| texts(item, key)) {
            // Whatever a key may be made of: a URL may hold the sign itself.
            if is_remote(text) {
                self.closure.block(Unrendered::new(Why::RemoteBase, text));
            }
            let is_file = self.folder.join(text).is_file();
            let path = text.split_once('=').filter(|_| !is_file);
            self.path(path.map_or(text, |(_, path)| path));
        }
    }

    /// Takes in a file or folder.
    fn path(&mut self, path: &str) {
        self.place(path);
    }

    /// Takes in a file or folder; gives the place of a file.
    fn place(&mut self, path: &str) -> Option<PathBuf> {
        if path.contains('\n') {
            // A patch that is written out.
            return None;
        }
        if is_remote(path) {
            self.closure.block(Unrendered::new(Why::RemoteBase, path));
            return None;
        }
        let place = self.folder.join(path);
        let Ok(real) = place.canonicalize() else {
            self.closure.block(Unrendered::new(Why::MissingFile, path));
            return None;
        };
        if !self
            .closures
            .roots
            .iter()
            .any(|root| real.starts_with(root))
        {
            self.closure.block(Unrendered::new(Why::OutsideFile, path));
            return None;
        }
        if real.is_dir() {
            self.closure.ways.insert(place);
            let below = self.closures.of(&real);
            self.closure.extend(&below);
            return None;
        }
        self.closure.places.insert(place);
        Some(real)
    }

    /// Takes in a generator or transformer: what it names counts from here. It may be written out, or be one
    /// of several that a folder holds.
    fn plugin(&mut self, text: &str) {
        if text.contains('\n') {
            return self.plugins(text);
        }
        let file = self.place(text);
        let folder = self.folder.join(text).canonicalize();
        let folder = folder
            .ok()
            .filter(|folder| folder.is_dir() && !is_remote(text));
        let below = folder.map(|folder| self.closures.of(&folder));
        let inside = below.iter().flat_map(|below| below.places.iter().cloned());
        let files: Vec<PathBuf> = file.into_iter().chain(inside).collect();
        for text in files.iter().filter_map(|file| text_of(file)) {
            self.plugins(&text);
        }
    }

    /// Takes in what the generators or transformers of a text name.
    fn plugins(&mut self, text: &str) {
        let objects = super::compare::objects(text).into_iter();
        let values: Vec<Value> = objects
            .filter_map(|object| read_yaml(object.text).ok())
            .collect();
        if has_tags(text)
            || values
                .iter()
                .any(|value| !value.is_object() && !value.is_array())
        {
            let detail = "a generator or transformer is written in a way that is not followed";
            self.closure.block(Unrendered::new(Why::Refused, detail));
        }
        for value in &values {
            if let Some(key) = odd_key(value) {
                let detail = format!("the key `{key}` is written in another case than kustomize's");
                self.closure.block(Unrendered::new(Why::Refused, &detail));
            }
            let is_chart = value.get("kind").and_then(Value::as_str) == Some(CHART_PLUGIN);
            if is_chart {
                let home = value.get("chartHome").and_then(Value::as_str);
                self.chart(value, home);
            } else {
                self.named(value);
            }
        }
    }

    /// Takes in every file that a text of a plugin names.
    fn named(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.contains('\n') => {}
            Value::String(text) => {
                let path = text.split_once('=').map_or(text.as_str(), |(_, path)| path);
                let is_there = !path.is_empty() && self.folder.join(path).is_file();
                if is_remote(text) {
                    self.closure.block(Unrendered::new(Why::RemoteBase, text));
                } else if is_there {
                    self.path(path);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.named(item)),
            Value::Object(map) => map.values().for_each(|item| self.named(item)),
            _ => {}
        }
    }

    /// Takes in a chart that is unpacked where kustomize looks for it.
    fn chart(&mut self, chart: &Value, home: Option<&str>) {
        self.closure.has_charts = true;
        // kustomize hands them to Helm as they are.
        if let Some(option) = option(chart) {
            let detail = format!("`{option}` would be an option of Helm");
            self.closure.block(Unrendered::new(Why::Plugin, &detail));
        }
        let text = |key: &str| chart.get(key).and_then(Value::as_str);
        let name = text("name").or_else(|| text("chartName")).unwrap_or("");
        let (repository, version) = (text("repo"), text("version"));
        let repository = repository.or_else(|| text("chartRepo"));
        let version = version.or_else(|| text("chartVersion"));
        let home = self.folder.join(home.unwrap_or("charts"));
        // With both, kustomize keeps versions apart.
        let home = match (repository, version) {
            (Some(_), Some(version)) => home.join(format!("{name}-{version}")),
            _ => home,
        };
        let folder = home.join(name);
        let is_inside = |folder: &Path| {
            let real = folder.canonicalize();
            let mut roots = self.closures.roots.iter();
            real.is_ok_and(|real| roots.any(|root| real.starts_with(root)))
        };
        if !name.is_empty() && folder.join("Chart.yaml").is_file() && is_inside(&folder) {
            self.closure.places.insert(folder);
        } else {
            let from = repository.map_or(String::new(), |from| format!(" of {from}"));
            let version = version.map_or(String::new(), |version| format!(" {version}"));
            let detail = format!("{name}{version}{from}");
            self.closure
                .block(Unrendered::new(Why::ChartNotAtHand, &detail));
        }
        let files = ["valuesFile", "additionalValuesFiles"];
        for path in files.iter().flat_map(|key| texts(chart, key)) {
            self.path(path);
        }
    }
}

/// Keys of kustomizations that name files, or hold what does; kustomize reads them in any case.
const TELLING: &[&str] = &[
    "path",
    "paths",
    "openapi",
    "helmGlobals",
    "chartHome",
    "configHome",
    "valuesFile",
    "additionalValuesFiles",
    "name",
    "chartName",
    "repo",
    "chartRepo",
    "version",
    "chartVersion",
    "releaseName",
    "kind",
];

/// Why it is not told what a kustomization takes in; nothing when it is.
fn untold(text: &str, value: &Value) -> Option<String> {
    if has_tags(text) {
        return Some("tags of YAML are not followed in kustomizations".to_string());
    }
    let key = odd_key(value)?;
    Some(format!(
        "the key `{key}` is written in another case than kustomize's"
    ))
}

/// Whether a text may hold a tag of YAML (`!!binary`), by which a value is another one than it looks.
fn has_tags(text: &str) -> bool {
    text.contains("!!") || text.contains("!<") || text.contains("%TAG")
}

/// A key that is one of kustomize's but for its case.
fn odd_key(value: &Value) -> Option<&str> {
    match value {
        Value::Array(items) => items.iter().find_map(odd_key),
        Value::Object(map) => {
            let mut entries = map.iter();
            entries.find_map(|(key, value)| {
                if is_odd(key) {
                    Some(key.as_str())
                } else {
                    odd_key(value)
                }
            })
        }
        _ => None,
    }
}

fn is_odd(key: &str) -> bool {
    let lists = [
        LISTS, PLUGINS, PATH_LISTS, GENERATORS, FILE_KEYS, CHARTS, TELLING,
    ];
    let mut known = lists.into_iter().flatten();
    known.any(|own| own.eq_ignore_ascii_case(key))
        && !lists.into_iter().flatten().any(|own| *own == key)
}

/// A text of a chart that Helm would take for an option.
fn option(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| text.starts_with('-')),
        Value::Array(items) => items.iter().find_map(option),
        // Values are handed on in a file.
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "valuesInline")
            .find_map(|(_, value)| option(value)),
        _ => None,
    }
}

/// Whether kustomize may look for a path elsewhere.
fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.contains(":\\/\\/")
        || path.contains("?ref=")
        || REMOTE.iter().any(|start| path.starts_with(start))
}

/// The items of a list, or what stands in the place of one.
fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    let found = value.get(key);
    let list = found.and_then(Value::as_array);
    let single = found.filter(|found| !found.is_array());
    list.into_iter().flatten().chain(single)
}

fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    items(value, key).filter_map(Value::as_str)
}

/// The text of a file of a usual size.
pub(super) fn text_of(file: &Path) -> Option<String> {
    let size = file
        .metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)?
        .len();
    (size <= MAX_BYTES).then(|| fs::read_to_string(file).ok())?
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
