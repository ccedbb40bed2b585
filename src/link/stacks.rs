//! Which values files are merged, in which order.
//!
//! The defaults of a chart count alone and with each other values file of a folder; what a chart says
//! of the charts it brings is merged over their own values.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::normalise;
use super::releases::Combined;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Chart, Dependency, Fact, is_values_name};

/// The values that a chart itself brings.
const DEFAULTS: &str = "values.yaml";
/// Where a chart keeps the charts it brings.
const CHARTS: &str = "charts";
/// Charts inside charts beyond this depth are not followed.
const MAX_DEPTH: usize = 8;

/// A file of values, and the keys below which the values of the chart in question stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Layer {
    /// The file.
    pub file: usize,
    /// The keys below which the chart's values stand in it.
    pub at: Vec<String>,
}

/// Layers that are merged, the earliest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stack {
    /// The layers.
    pub layers: Vec<Layer>,
    /// The folder of the chart, or of the files where no chart is known.
    pub root: PathBuf,
    /// Whether the chart lies in the repository, so that its defaults are known.
    pub is_chart: bool,
    /// The keys of the charts that it brings and that lie in the repository, too: what stands below
    /// them is merged over their values.
    pub brought: Vec<String>,
    /// The keys of the charts that it brings from elsewhere: their defaults are not known.
    pub foreign: Vec<String>,
}

/// The charts and values files of the repository by folder.
pub(super) struct Charts<'a> {
    files: &'a [ScannedFile],
    /// Charts by their folder.
    by_folder: BTreeMap<PathBuf, Vec<&'a Chart>>,
    /// Values files by their folder, `values.yaml` first.
    values: BTreeMap<&'a Path, Vec<usize>>,
}

impl<'a> Charts<'a> {
    pub(super) fn of(files: &'a [ScannedFile]) -> Self {
        let mut charts: BTreeMap<PathBuf, Vec<&Chart>> = BTreeMap::new();
        let mut values: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let folder = file.source.real.parent().unwrap_or(Path::new(""));
            for fact in &file.scan.facts {
                if let Fact::Chart(chart) = fact {
                    charts.entry(folder.to_path_buf()).or_default().push(chart);
                }
            }
            // One without a word about images is merged with the others all the same: it has a
            // target of its own.
            let is_named = is_values_name(&file.source.real)
                && (file.scan.loose.is_some() || file.scan.documents == 0);
            let has_parts = file.scan.sites.iter().any(|site| site.parts().is_some());
            let loose = file.scan.loose.as_ref();
            let is_values =
                is_named || has_parts || loose.is_some_and(|loose| !loose.parts.is_empty());
            if is_values {
                values.entry(folder).or_default().push(index);
            }
        }
        for list in values.values_mut() {
            list.sort_by_key(|&file| (!is_defaults(&files[file]), file));
        }
        Self {
            files,
            by_folder: charts,
            values,
        }
    }

    /// Every merge, an outer chart's before those of the charts it brings.
    pub(super) fn stacks(
        &self,
        combined: &[Combined],
        held: &BTreeMap<usize, (Reason, String)>,
    ) -> Vec<Stack> {
        let mut stacks = Vec::new();
        let mut seen = HashSet::new();
        // A vendored chart is never used on its own.
        let is_vendored = |file: &usize| {
            held.get(file)
                .is_some_and(|(reason, _)| *reason == Reason::VendoredChart)
        };
        let own = self
            .values
            .iter()
            .filter(|(_, files)| !files.iter().all(is_vendored));
        for (folder, _) in own {
            let root = self.root_of(folder);
            for layers in self.folder_layers(folder, &root) {
                self.push(&mut stacks, &mut seen, layers, &root);
            }
        }
        // A chart without values of its own hands the defaults of the charts it brings on as they are.
        for root in self
            .by_folder
            .keys()
            .filter(|root| !self.values.contains_key(root.as_path()))
        {
            self.push(&mut stacks, &mut seen, Vec::new(), root);
        }
        for combination in combined {
            let Some(&last) = combination.files.last() else {
                continue;
            };
            let folder = self.files[last]
                .source
                .real
                .parent()
                .unwrap_or(Path::new(""));
            let root = self.root_of(folder);
            let mut layers = self.defaults(&root, folder);
            layers.retain(|layer| !combination.files.contains(&layer.file));
            layers.extend(combination.files.iter().map(|&file| Layer {
                file,
                at: Vec::new(),
            }));
            self.push(&mut stacks, &mut seen, layers, &root);
        }
        // Charts that other charts bring: what the outer ones say is merged over their values.
        let mut fresh = 0;
        for _ in 0..MAX_DEPTH {
            let outer: Vec<Stack> = stacks[fresh..].to_vec();
            fresh = stacks.len();
            for stack in outer {
                for (folder, key) in self.brought_by(&stack.root) {
                    let mut layers = self.defaults(&folder, &folder);
                    layers.extend(stack.layers.iter().map(|layer| {
                        let at = layer.at.iter().cloned().chain([key.clone()]).collect();
                        Layer {
                            file: layer.file,
                            at,
                        }
                    }));
                    self.push(&mut stacks, &mut seen, layers, &folder);
                }
            }
        }
        stacks
    }

    fn push(
        &self,
        stacks: &mut Vec<Stack>,
        seen: &mut HashSet<(Vec<Layer>, PathBuf)>,
        layers: Vec<Layer>,
        root: &Path,
    ) {
        if seen.insert((layers.clone(), root.to_path_buf())) {
            let brought: Vec<String> = self
                .brought_by(root)
                .into_iter()
                .map(|(_, key)| key)
                .collect();
            let charts = self.by_folder.get(root).into_iter().flatten();
            let listed = charts
                .flat_map(|chart| &chart.dependencies)
                .map(Dependency::key);
            stacks.push(Stack {
                layers,
                root: root.to_path_buf(),
                is_chart: self.by_folder.contains_key(root),
                foreign: listed
                    .filter(|key| !brought.iter().any(|known| known == key))
                    .map(Into::into)
                    .collect(),
                brought,
            });
        }
    }

    /// The merges that the files of one folder make: the defaults alone, and with each other file.
    fn folder_layers(&self, folder: &Path, root: &Path) -> Vec<Vec<Layer>> {
        let defaults = self.defaults(root, folder);
        let mut all = Vec::new();
        if defaults.is_empty() || self.is_in(&defaults, folder) {
            all.push(defaults.clone());
        }
        for &file in &self.values[folder] {
            if !is_defaults(&self.files[file]) {
                let own = Layer {
                    file,
                    at: Vec::new(),
                };
                all.push(defaults.iter().cloned().chain([own]).collect());
            }
        }
        all
    }

    fn is_in(&self, layers: &[Layer], folder: &Path) -> bool {
        let mut folders = layers
            .iter()
            .map(|layer| self.files[layer.file].source.real.parent());
        folders.any(|parent| parent == Some(folder))
    }

    /// The `values.yaml` of the chart, and that of the folder when it is another one.
    fn defaults(&self, root: &Path, folder: &Path) -> Vec<Layer> {
        let mut folders = vec![root];
        if folder != root {
            folders.push(folder);
        }
        let first = |folder: &Path| {
            self.values
                .get(folder)
                .and_then(|files| files.first().copied())
        };
        let files = folders.into_iter().filter_map(first);
        files
            .filter(|&file| is_defaults(&self.files[file]))
            .map(|file| Layer {
                file,
                at: Vec::new(),
            })
            .collect()
    }

    /// The chart that `folder` lies in, or the folder itself.
    fn root_of(&self, folder: &Path) -> PathBuf {
        let chart = folder
            .ancestors()
            .find(|folder| self.by_folder.contains_key(*folder));
        chart.unwrap_or(folder).to_path_buf()
    }

    /// The charts that the one in `root` brings, as far as they lie in the repository, with the keys
    /// of their values.
    fn brought_by(&self, root: &Path) -> Vec<(PathBuf, String)> {
        let Some(charts) = self.by_folder.get(root) else {
            return Vec::new();
        };
        let listed: Vec<&Dependency> = charts
            .iter()
            .flat_map(|chart| &chart.dependencies)
            .collect();
        let mut brought = BTreeSet::new();
        for dependency in &listed {
            let beside = dependency
                .path
                .as_ref()
                .map(|path| normalise(&root.join(path)));
            let inside = root.join(CHARTS).join(&dependency.name);
            for folder in beside.into_iter().chain([inside]) {
                if self.by_folder.contains_key(&folder) {
                    brought.insert((folder, dependency.key().to_string()));
                }
            }
        }
        let home = root.join(CHARTS);
        let inside = self
            .by_folder
            .range(home.clone()..)
            .take_while(|(folder, _)| folder.starts_with(&home));
        for (folder, charts) in inside {
            let name = charts.iter().find_map(|chart| chart.name.as_deref());
            let name = name.or(folder.file_name().and_then(|name| name.to_str()));
            if let Some(name) = name
                && folder.parent() == Some(&home)
                && !listed.iter().any(|dependency| dependency.name == name)
            {
                brought.insert((folder.clone(), name.to_string()));
            }
        }
        brought
            .into_iter()
            .filter(|(folder, _)| folder != root)
            .collect()
    }
}

fn is_defaults(file: &ScannedFile) -> bool {
    file.source
        .real
        .file_name()
        .is_some_and(|name| name == DEFAULTS)
}
