//! What the layers of a release may be: files by their paths, and the texts of config maps by their names.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::filled::{has_folder, is_filled, pattern, pattern_in};
use super::layers::{Layer, folder_of};
use super::normalise;
use crate::scan::ScannedFile;
use crate::sites::{Base, ConfigMap, Fact, From, Given};

/// What a layer of a release may be: each of these, which are files in their order, or nothing at all
/// where it may be missing.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) ways: Vec<Vec<Layer>>,
    /// Why that is not all.
    pub(super) unknown: Option<String>,
}

impl Resolved {
    fn unknown(why: String) -> Self {
        Self {
            ways: Vec::new(),
            unknown: Some(why),
        }
    }

    pub(super) fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.ways.iter().flatten()
    }
}

/// The files that fit a path, from one folder or from any.
type Fitting = BTreeMap<(Option<PathBuf>, String), Vec<usize>>;

/// A file of a repository under a key of a generated config map.
struct Source<'a> {
    folder: &'a Path,
    key: &'a str,
    file: Option<usize>,
    /// Whether it changes what another one of its name says.
    changes: bool,
}

/// The files of the repository by path, and those behind each generated config map.
pub(super) struct Known<'a> {
    pub(super) files: &'a [ScannedFile],
    paths: HashMap<&'a OsStr, usize>,
    /// The same, as bytes, in their order.
    sorted: Vec<(&'a [u8], usize)>,
    /// What fits which path, from which folder, as far as it was asked.
    fitting: RefCell<Fitting>,
    generated: HashMap<&'a str, Vec<Source<'a>>>,
    /// The texts in config maps and secrets by name and key.
    texts: HashMap<(&'a str, &'a str), Vec<(usize, &'a ConfigMap)>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(files: &'a [ScannedFile]) -> Self {
        let paths = files.iter().enumerate();
        let paths = paths.map(|(index, file)| (file.source.real.as_os_str(), index));
        let mut known = Self {
            files,
            paths: paths.collect(),
            sorted: sorted(files),
            fitting: RefCell::default(),
            generated: HashMap::new(),
            texts: HashMap::new(),
        };
        for (index, file) in files.iter().enumerate() {
            for fact in &file.scan.facts {
                if let Fact::ConfigMap(map) = fact {
                    let texts = known.texts.entry((&map.name, &map.key)).or_default();
                    texts.push((index, map));
                }
                let Fact::Generated(generated) = fact else {
                    continue;
                };
                let folder = folder_of(file);
                let sources = generated.files.iter().map(|(key, path)| Source {
                    folder,
                    key,
                    file: known.at(&folder.join(path)),
                    changes: generated.changes,
                });
                let sources: Vec<_> = sources.collect();
                let all = known.generated.entry(&generated.name).or_default();
                all.extend(sources);
            }
        }
        known
    }

    fn at(&self, path: &Path) -> Option<usize> {
        self.paths.get(normalise(path).as_os_str()).copied()
    }

    /// What a layer may be, when the chart is the one in `chart`.
    pub(super) fn resolve(&self, by: usize, given: &Given, chart: Option<&Path>) -> Resolved {
        match &given.from {
            From::Block { block, .. } => Resolved {
                ways: vec![vec![Layer {
                    file: by,
                    block: Some(*block),
                    at: Vec::new(),
                }]],
                unknown: None,
            },
            From::Unknown(why) => Resolved::unknown(why.clone()),
            From::Map {
                name,
                key,
                optional,
            } => self.map(by, name, key, *optional),
            From::File {
                path,
                base,
                optional,
            } => self.values_file(by, path, *base, *optional, chart),
        }
    }

    fn values_file(
        &self,
        by: usize,
        path: &str,
        base: Base,
        optional: bool,
        chart: Option<&Path>,
    ) -> Resolved {
        let found = self.find(by, path, base, chart);
        let mut resolved = self.layers(&found, path);
        // What cannot be found may lie in another repository, unless the chart is known to lie here.
        let is_here = base == Base::Chart && chart.is_some();
        if found.is_empty() {
            if !(optional && is_here) {
                return Resolved::unknown(format!("`{path}` is not found in this repository"));
            }
            resolved.ways.push(Vec::new());
        } else if optional && is_filled(path) {
            resolved.ways.push(Vec::new());
        }
        let is_list = path.contains('*') && !path.contains("{{") && base == Base::Here;
        if is_list {
            // helmfile takes all of them, in this order.
            resolved.ways = vec![resolved.ways.concat()];
        } else if path.contains('*')
            || base == Base::Anywhere
            || chart.is_none() && matches!(base, Base::Chart | Base::Source)
        {
            let why = format!("which files `{path}` stands for cannot be told");
            resolved.unknown.get_or_insert(why);
        }
        resolved
    }

    /// Files as ways of a layer.
    fn layers(&self, files: &[usize], name: &str) -> Resolved {
        let mut resolved = Resolved::default();
        for &file in files {
            if is_layer(&self.files[file]) {
                resolved.ways.push(vec![Layer::whole(file)]);
            } else {
                let why = format!("`{name}` cannot be read as values");
                resolved.unknown = Some(why);
            }
        }
        resolved
    }

    /// The values under a key of a config map or secret.
    fn map(&self, by: usize, name: &str, key: &str, optional: bool) -> Resolved {
        let all = self.generated.get(name).map_or(&[][..], Vec::as_slice);
        let place = &self.files[by].source.real;
        // Kustomizations of the release's own folder, or the nearest above it, come first.
        let depth = |source: &Source<'_>| {
            let is_above = place.starts_with(source.folder);
            is_above.then(|| source.folder.components().count())
        };
        let nearest = all.iter().filter_map(depth).max();
        let counts = |source: &&Source<'_>| {
            source.key == key && (nearest.is_none() || depth(source) == nearest || source.changes)
        };
        let sources: Vec<&Source<'_>> = all.iter().filter(counts).collect();
        let files: BTreeSet<usize> = sources.iter().filter_map(|source| source.file).collect();
        let files: Vec<usize> = files.into_iter().collect();
        let mut resolved = self.layers(&files, name);
        let texts = self.texts.get(&(name, key)).map_or(&[][..], Vec::as_slice);
        let is_read = |(file, map): &(usize, &ConfigMap)| {
            map.says_nothing || self.files[*file].scan.blocks.contains_key(&map.block)
        };
        let read = texts.iter().filter(|text| is_read(text));
        resolved.ways.extend(read.map(|&(file, map)| {
            vec![Layer {
                file,
                block: Some(map.block),
                at: Vec::new(),
            }]
        }));
        if resolved.ways.is_empty()
            || sources.iter().any(|source| source.file.is_none())
            || !texts.iter().all(is_read)
        {
            let why = format!(
                "`{key}` of the config map or secret `{name}` is not found in this repository"
            );
            resolved.unknown = Some(why);
        }
        if optional {
            resolved.ways.push(Vec::new());
        }
        resolved
    }

    /// The files that a path may stand for.
    fn find(&self, by: usize, path: &str, base: Base, chart: Option<&Path>) -> Vec<usize> {
        // `$name/…` is a path in another source of the Application, mostly this repository.
        let path = match path.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) => rest,
            None => path,
        };
        if path.contains("://") || path.contains("${") {
            return Vec::new();
        }
        let folder = folder_of(&self.files[by]);
        if is_filled(path) {
            let inside_of = match base {
                Base::Here => Some(folder),
                Base::Chart | Base::Anywhere => chart,
                Base::Root | Base::Source => None,
            };
            let found = inside_of.map(|inside| self.fitting(Some(inside), path));
            let found = found.unwrap_or_default();
            let is_told = base == Base::Chart || base == Base::Here || !has_folder(path);
            return if found.is_empty() && !is_told {
                self.fitting(None, path)
            } else {
                found
            };
        }
        let relative = path.trim_start_matches('/');
        let above = || {
            folder
                .ancestors()
                .filter_map(|above| self.at(&above.join(relative)))
        };
        match (base, chart) {
            (Base::Here, _) => self.at(&folder.join(path)).into_iter().collect(),
            (Base::Chart, Some(chart)) => self.at(&chart.join(path)).into_iter().collect(),
            (Base::Root | Base::Source, _) => above().collect(),
            // A chart that is elsewhere has its files there.
            (Base::Chart, None) if !path.contains('/') => Vec::new(),
            (Base::Chart | Base::Anywhere, _) => {
                let in_chart = chart.and_then(|chart| self.at(&chart.join(path)));
                in_chart.or_else(|| above().next()).into_iter().collect()
            }
        }
    }

    /// The files that fit a path of which a part is filled in, from one folder or from any, in order.
    fn fitting(&self, folder: Option<&Path>, path: &str) -> Vec<usize> {
        // Every release of a repository may name the same path, and is asked more than once.
        let key = (folder.map(Path::to_path_buf), path.to_string());
        if let Some(known) = self.fitting.borrow().get(&key) {
            return known.clone();
        }
        let pattern = match folder {
            Some(folder) => pattern_in(folder, path),
            None => pattern(path),
        };
        let found = pattern.map_or(Vec::new(), |pattern| {
            let head = pattern.head.as_bytes();
            let first = self.sorted.partition_point(|(bytes, _)| *bytes < head);
            let inside = self.sorted[first..].iter();
            let inside = inside.take_while(|(bytes, _)| bytes.starts_with(head));
            let fits = |index: &usize| pattern.fits(&self.files[*index].source.real);
            let mut found: Vec<usize> = inside.map(|(_, index)| *index).filter(fits).collect();
            found.sort_by_key(|&file| &self.files[file].source.real);
            found
        });
        self.fitting.borrow_mut().insert(key, found.clone());
        found
    }

    /// The folders in which the chart `chart` of a release may lie, whether or not one does.
    pub(super) fn folders(&self, by: usize, chart: &str) -> Vec<PathBuf> {
        let chart = chart.trim_start_matches('/');
        let above = folder_of(&self.files[by]).ancestors();
        above.map(|above| normalise(&above.join(chart))).collect()
    }
}

fn sorted(files: &[ScannedFile]) -> Vec<(&[u8], usize)> {
    let paths = files.iter().map(|file| file.source.real.as_os_str());
    let paths = paths.map(OsStr::as_encoded_bytes).enumerate();
    let mut sorted: Vec<(&[u8], usize)> = paths.map(|(index, path)| (path, index)).collect();
    sorted.sort_unstable();
    sorted
}

/// Whether a file can be merged: one without any word about images is, too.
fn is_layer(file: &ScannedFile) -> bool {
    let scan = &file.scan;
    let is_unread = scan.facts.iter().any(|fact| matches!(fact, Fact::Unread));
    scan.loose.is_some() || scan.documents == 0 && !scan.not_yaml && !is_unread
}
