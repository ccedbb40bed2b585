//! Which values files are merged, in which order.
//!
//! The defaults of a chart count alone and with each other values file of a folder; what a chart says
//! of the charts it brings is merged over their own values.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::layers::{Combined, DEFAULTS, Layer, Releases, Root, folder_of};
use super::{normalise, objects};
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Chart, ChartSource, Dependency, Fact, is_values_name};

/// Where a chart keeps the charts it brings.
const CHARTS: &str = "charts";
/// Charts inside charts beyond this depth are not followed.
const MAX_DEPTH: usize = 8;
/// More merges than any repository has.
const MAX_STACKS: usize = 200_000;

/// Layers that are merged, the earliest first.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// The layers.
    pub layers: Vec<Layer>,
    /// How many of the first ones are those of a copy of a chart, which nobody changes.
    pub fixed: usize,
    /// What they are values of.
    pub root: Root,
    /// The files whose paths decide the target.
    pub targets: Vec<usize>,
    /// Whether nothing uses the merge as it is: it is the beginning of others.
    pub is_beginning: bool,
    /// The keys of the charts that it brings and that lie in the repository, too: what stands below
    /// them is merged over their values.
    pub brought: Vec<String>,
    /// Why not every layer is known.
    pub unreadable: Option<String>,
    /// Where the chart comes from, when a release says so.
    pub source: Option<ChartSource>,
    /// The values, by their dotted paths, that automation writes names of images to.
    pub written: Vec<String>,
    /// The folders of the charts that lead to this one, its own last.
    trail: Vec<PathBuf>,
}

impl Stack {
    /// Whether the chart is used as it is, and not brought by another one.
    pub(super) fn is_outermost(&self) -> bool {
        self.trail.len() == 1
    }
}

/// A chart that another one brings.
struct Brought {
    folder: PathBuf,
    key: String,
    /// Whether it is this one for sure, and not a published one of the same name.
    is_sure: bool,
}

/// The charts and values files of the repository by folder.
pub(super) struct Charts<'a> {
    files: &'a [ScannedFile],
    /// Charts by their folder.
    by_folder: BTreeMap<PathBuf, Vec<&'a Chart>>,
    /// The folders of charts by the name of the chart.
    by_name: BTreeMap<&'a str, BTreeSet<&'a Path>>,
    /// Values files by their folder, `values.yaml` first.
    values: BTreeMap<&'a Path, Vec<usize>>,
    /// The `Chart.yaml` of each chart.
    chart_files: BTreeMap<PathBuf, usize>,
    /// Why the values below a chart's folder, or in a folder, are not all known.
    unreadable: BTreeMap<PathBuf, String>,
}

impl<'a> Charts<'a> {
    pub(super) fn of(files: &'a [ScannedFile]) -> Self {
        let mut charts = Self {
            files,
            by_folder: BTreeMap::new(),
            by_name: BTreeMap::new(),
            values: BTreeMap::new(),
            chart_files: BTreeMap::new(),
            unreadable: BTreeMap::new(),
        };
        for (index, file) in files.iter().enumerate() {
            let folder = folder_of(file);
            for fact in &file.scan.facts {
                let Fact::Chart(chart) = fact else { continue };
                if let Some(name) = &chart.name {
                    charts.by_name.entry(name).or_default().insert(folder);
                }
                charts.chart_files.insert(folder.to_path_buf(), index);
                if chart.imports {
                    let why = "its chart imports values of others (`import-values`), which is not followed yet";
                    charts
                        .unreadable
                        .insert(folder.to_path_buf(), why.to_string());
                }
                let here = charts.by_folder.entry(folder.to_path_buf());
                here.or_default().push(chart);
            }
            if is_values(file) {
                charts.values.entry(folder).or_default().push(index);
            }
        }
        for list in charts.values.values_mut() {
            list.sort_by_key(|&file| (!is_defaults(&files[file]), file));
        }
        for file in files.iter().filter(|file| is_unreadable(file)) {
            let why = format!(
                "{} may be merged with it and cannot be read; mend that file",
                file.source.path.display()
            );
            let root = charts.root_of(folder_of(file));
            charts.unreadable.entry(root).or_insert(why);
        }
        charts
    }

    /// The defaults of the chart in `folder`, with those of every chart that it brings.
    pub(super) fn all_defaults(&self, folder: &Path) -> Vec<usize> {
        let mut pending = vec![folder.to_path_buf()];
        let mut seen = BTreeSet::new();
        let mut files = Vec::new();
        while let Some(folder) = pending.pop() {
            if seen.insert(folder.clone()) {
                let values = self.values.get(folder.as_path()).into_iter().flatten();
                files.extend(values.filter(|&&file| is_defaults(&self.files[file])));
                pending.extend(
                    self.brought_by(&folder)
                        .into_iter()
                        .map(|brought| brought.folder),
                );
            }
        }
        files
    }

    /// The folders of all charts.
    pub(super) fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.by_folder.keys()
    }

    /// The folder of the only chart of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Path> {
        let folders = self.by_name.get(name)?;
        folders.first().filter(|_| folders.len() == 1).copied()
    }

    /// Whether a chart lies in `folder`.
    pub(super) fn is_chart(&self, folder: &Path) -> bool {
        self.by_folder.contains_key(folder)
    }

    /// The keys of the charts that the one in `folder` brings and that do not lie in the repository.
    pub(super) fn missing(&self, folder: &Path) -> Vec<String> {
        let brought = self.brought_by(folder);
        let is_here = |key: &str| {
            brought
                .iter()
                .any(|brought| brought.is_sure && brought.key == key)
        };
        let listed = self.by_folder.get(folder).into_iter().flatten();
        let listed = listed.flat_map(|chart| &chart.dependencies);
        let keys = listed.map(Dependency::key);
        keys.filter(|key| !is_here(key))
            .map(str::to_string)
            .collect()
    }

    /// Whether the chart in `folder` has values of its own.
    pub(super) fn has_defaults(&self, folder: &Path) -> bool {
        let values = self.values.get(folder);
        values.is_some_and(|files| files.iter().any(|&file| is_defaults(&self.files[file])))
    }

    /// The chart that `folder` lies in, or the folder itself.
    pub(super) fn root_of(&self, folder: &Path) -> PathBuf {
        let chart = folder
            .ancestors()
            .find(|folder| self.by_folder.contains_key(*folder));
        chart.unwrap_or(folder).to_path_buf()
    }

    /// Every merge, an outer chart's before those of the charts it brings.
    pub(super) fn stacks(
        &self,
        releases: &Releases,
        held: &BTreeMap<usize, (Reason, String)>,
    ) -> Vec<Stack> {
        let mut stacks = Stacks::default();
        // A vendored chart is never used on its own.
        let is_vendored = |file: &usize| {
            let held = held.get(file);
            held.is_some_and(|(reason, _)| *reason == Reason::VendoredChart)
        };
        for (folder, files) in &self.values {
            if files.iter().all(is_vendored) {
                continue;
            }
            let root = self.root_of(folder);
            for layers in self.folder_layers(folder, &root, &releases.told) {
                stacks.push(self.stack(layers, Root::Folder(root.clone())));
            }
        }
        // A chart without values of its own hands the defaults of the charts it brings on as they are,
        // to its own target.
        let bare = self.chart_files.iter();
        for (root, &file) in bare.filter(|(root, _)| !self.values.contains_key(root.as_path())) {
            let root = Root::Folder(root.clone());
            stacks.push(self.stack(vec![Layer::whole(file)], root));
        }
        for (number, layer) in objects::layers(self.files).into_iter().enumerate() {
            // Releases that are not at hand are counted from the other end.
            let mut stack = self.stack(vec![layer], Root::Away(usize::MAX - number));
            stack.unreadable = None;
            stacks.push(stack);
        }
        for combined in &releases.combined {
            let whole = self.combined(combined);
            let beginnings: Vec<Stack> = (1..whole.layers.len())
                .map(|length| {
                    let mut beginning = whole.clone();
                    beginning.layers.truncate(length);
                    beginning.is_beginning = true;
                    beginning
                })
                .collect();
            stacks.push(whole);
            beginnings.into_iter().for_each(|stack| stacks.push(stack));
        }
        self.hand_on(&mut stacks, &is_vendored);
        stacks.list
    }

    /// The merge that a release makes, over the defaults of its chart.
    fn combined(&self, combined: &Combined) -> Stack {
        let mut layers = match combined.root.folder() {
            Some(chart) if self.is_chart(chart) && !combined.replaces_defaults => {
                self.defaults(chart, chart)
            }
            _ => Vec::new(),
        };
        layers.retain(|layer| !combined.layers.contains(layer));
        layers.extend(combined.layers.iter().cloned());
        let mut stack = self.stack(layers, combined.root.clone());
        stack.source = Some(combined.source.clone());
        stack.written.clone_from(&combined.deployed.written);
        if let Some(why) = &combined.unreadable {
            stack.unreadable = Some(why.clone());
        }
        if !combined.targets.is_empty() {
            stack.targets.clone_from(&combined.targets);
        }
        stack
    }

    /// Adds the merges of charts that other charts bring: what the outer ones say comes over their
    /// values.
    fn hand_on(&self, stacks: &mut Stacks, is_vendored: &dyn Fn(&usize) -> bool) {
        let mut next = 0;
        while next < stacks.list.len() {
            let outer = stacks.list[next].clone();
            next += 1;
            if outer.trail.len() > MAX_DEPTH {
                continue;
            }
            let brought = outer.root.folder().map(|root| self.brought_by(root));
            for Brought { folder, key, .. } in brought.into_iter().flatten() {
                if outer.trail.contains(&folder) {
                    continue;
                }
                let mut layers = self.defaults(&folder, &folder);
                let fixed = layers.iter().take_while(|layer| is_vendored(&layer.file));
                let fixed = fixed.count();
                layers.extend(outer.layers.iter().map(|layer| Layer {
                    file: layer.file,
                    block: layer.block,
                    at: layer.at.iter().cloned().chain([key.clone()]).collect(),
                }));
                let mut stack = self.stack(layers, Root::Folder(folder.clone()));
                stack.fixed = fixed;
                stack.targets.clone_from(&outer.targets);
                stack.is_beginning = outer.is_beginning;
                let below = |path: &String| path.strip_prefix(&format!("{key}.")).map(Into::into);
                stack.written = outer.written.iter().filter_map(below).collect();
                stack.trail = outer.trail.iter().cloned().chain([folder]).collect();
                stack.unreadable = stack.unreadable.or_else(|| outer.unreadable.clone());
                stacks.push(stack);
            }
            if stacks.list.len() > MAX_STACKS {
                let why = "there are more ways to merge its values than can be followed";
                for stack in &mut stacks.list {
                    stack.unreadable = Some(why.to_string());
                }
                return;
            }
        }
    }

    fn stack(&self, layers: Vec<Layer>, root: Root) -> Stack {
        let brought = root.folder().map(|root| self.brought_by(root));
        let folders = layers
            .iter()
            .map(|layer| folder_of(&self.files[layer.file]));
        let unreadable = root.folder().into_iter().chain(folders);
        let mut unreadable = unreadable.filter_map(|folder| self.unreadable.get(folder));
        Stack {
            unreadable: unreadable.next().cloned(),
            targets: layers.last().map(|layer| layer.file).into_iter().collect(),
            layers,
            fixed: 0,
            is_beginning: false,
            brought: brought
                .into_iter()
                .flatten()
                .filter(|brought| brought.is_sure)
                .map(|brought| brought.key)
                .collect(),
            trail: root.folder().map(Path::to_path_buf).into_iter().collect(),
            source: None,
            written: Vec::new(),
            root,
        }
    }

    /// The merges that the files of one folder make: the defaults alone, and with each other file. Where
    /// no chart lies, those of which releases tell how they are merged are left to these.
    fn folder_layers(&self, folder: &Path, root: &Path, told: &BTreeSet<usize>) -> Vec<Vec<Layer>> {
        let defaults = self.defaults(root, folder);
        let is_told = |file: &usize| !self.is_chart(folder) && told.contains(file);
        let mut here = defaults
            .iter()
            .filter(|layer| folder_of(&self.files[layer.file]) == folder);
        let mut all = Vec::new();
        if defaults.is_empty() || here.any(|here| !is_told(&here.file)) {
            all.push(defaults.clone());
        }
        let files = self.values[folder].iter().copied();
        for file in files.filter(|file| !is_defaults(&self.files[*file]) && !is_told(file)) {
            let file = Layer::whole(file);
            all.push(defaults.iter().cloned().chain([file]).collect());
        }
        all
    }

    /// The `values.yaml` of the chart, and that of the folder when it is another one.
    fn defaults(&self, root: &Path, folder: &Path) -> Vec<Layer> {
        let mut folders = vec![root];
        if folder != root {
            folders.push(folder);
        }
        let first = |folder: &Path| self.values.get(folder)?.first().copied();
        let files = folders.into_iter().filter_map(first);
        files
            .filter(|&file| is_defaults(&self.files[file]))
            .map(Layer::whole)
            .collect()
    }

    /// The charts that the one in `root` brings, as far as they lie in the repository, with the keys
    /// of their values. Helm knows them by the name in their `Chart.yaml`.
    fn brought_by(&self, root: &Path) -> Vec<Brought> {
        let Some(charts) = self.by_folder.get(root) else {
            return Vec::new();
        };
        let listed = charts.iter().flat_map(|chart| &chart.dependencies);
        let listed: Vec<&Dependency> = listed.collect();
        let mut brought: BTreeMap<(PathBuf, String), bool> = BTreeMap::new();
        let home = root.join(CHARTS);
        let inside = self.by_folder.range(home.clone()..);
        let inside = inside.take_while(|(folder, _)| folder.starts_with(&home));
        for (folder, charts) in inside.filter(|(folder, _)| folder.parent() == Some(&home)) {
            let name = charts.iter().find_map(|chart| chart.name.as_deref());
            let name = name.or(folder.file_name().and_then(|name| name.to_str()));
            let name = name.unwrap_or("");
            let mut keys: Vec<&str> = listed
                .iter()
                .filter(|dependency| dependency.name == name)
                .map(|dependency| dependency.key())
                .collect();
            if keys.is_empty() {
                keys.push(name);
            }
            for key in keys {
                brought.insert((folder.clone(), key.to_string()), true);
            }
        }
        for dependency in listed {
            let key = || dependency.key().to_string();
            if let Some(path) = &dependency.path {
                let folder = normalise(&root.join(path));
                if self.is_chart(&folder) {
                    brought.insert((folder, key()), true);
                }
                continue;
            }
            // A published chart may be made from one of this repository.
            let sources = self.by_name.get(dependency.name.as_str());
            let sources = sources.filter(|folders| folders.len() == 1);
            let known = brought.keys().any(|(_, known)| known == dependency.key());
            for folder in sources.into_iter().flatten().filter(|_| !known) {
                brought
                    .entry((folder.to_path_buf(), key()))
                    .or_insert(false);
            }
        }
        let brought = brought.into_iter();
        brought
            .filter(|((folder, _), _)| folder != root)
            .map(|((folder, key), is_sure)| Brought {
                folder,
                key,
                is_sure,
            })
            .collect()
    }
}

/// What tells two merges apart: layers, root, what decides the target, whether all is known, whether it is
/// only a beginning, and what automation writes to.
type Same = (Vec<Layer>, Root, Vec<usize>, bool, bool, Vec<String>);

/// Merges, each once.
#[derive(Default)]
struct Stacks {
    list: Vec<Stack>,
    seen: HashSet<Same>,
}

impl Stacks {
    fn push(&mut self, stack: Stack) {
        let same = (
            stack.layers.clone(),
            stack.root.clone(),
            stack.targets.clone(),
            stack.unreadable.is_some(),
            stack.is_beginning,
            stack.written.clone(),
        );
        if !stack.layers.is_empty() && self.seen.insert(same) {
            self.list.push(stack);
        }
    }
}

fn is_defaults(file: &ScannedFile) -> bool {
    let name = file.source.real.file_name();
    name.is_some_and(|name| name == DEFAULTS)
}

/// Whether a file is merged with the others of its folder. One that is named like values and says
/// nothing of images is, too: it has a target of its own.
fn is_values(file: &ScannedFile) -> bool {
    let scan = &file.scan;
    let is_named =
        is_values_name(&file.source.real) && (scan.loose.is_some() || scan.documents == 0);
    let has_parts = scan.sites.iter().any(|site| site.parts().is_some());
    let has_loose = scan
        .loose
        .as_ref()
        .is_some_and(|loose| !loose.parts.is_empty());
    is_named || has_parts || has_loose
}

/// Whether a file that is named like values, or a template of them, cannot be read.
fn is_unreadable(file: &ScannedFile) -> bool {
    let name = file.source.real.file_name().and_then(|name| name.to_str());
    let is_unread = file
        .scan
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Unread));
    let is_named = name.is_some_and(|name| name.to_ascii_lowercase().contains("values"));
    let is_schema = name.is_some_and(|name| name.ends_with(".schema.json"));
    let mut parts = file.below.components();
    let in_templates = parts.any(|part| part.as_os_str() == "templates");
    is_named && !is_schema && !in_templates && (is_unread || file.scan.not_yaml)
}
