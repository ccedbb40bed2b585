//! Releases: which layers of values other objects put together, over which chart.
//!
//! Every way in which a release may be put together is a merge of its own: with each chart that it may
//! mean, each file that a path may stand for, and each patch of the object. Where a layer is not known,
//! the merge is blocked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::normalise;
use super::patched;
use super::stacks::{Charts, DEFAULTS, Layer, Root};
use super::tree::Tree;
use crate::scan::{Promoted, ScannedFile};
use crate::sites::{Base, ChartSource, ConfigMap, Fact, From, Given, Release, Tool};

/// More ways to put one release together than are followed.
const MAX_WAYS: usize = 256;

/// One merge that a release makes.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    /// Its layers, without the chart's own defaults, the earliest first.
    pub layers: Vec<Layer>,
    /// What they are values of.
    pub root: Root,
    /// Whether the chart's own defaults do not count.
    pub replaces_defaults: bool,
    /// Why not every layer is known.
    pub unreadable: Option<String>,
    /// The files whose paths decide the target.
    pub targets: Vec<usize>,
}

/// What the releases of a repository say about values.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// The merges.
    pub combined: Vec<Combined>,
    /// Files of which the releases tell how they are merged.
    pub told: BTreeSet<usize>,
    /// Which file, by its place in the list, uses which: its target is theirs.
    pub uses: BTreeSet<(usize, usize)>,
}

/// A release of a file.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// The file.
    pub file: usize,
    /// The release.
    pub release: Release,
    /// Its layers, each with the file that says so.
    pub layers: Vec<(usize, Given)>,
    /// The files of the patches that are merged into it.
    pub patches: Vec<usize>,
}

/// Files, and texts in them, that some release names as its values: they are values whatever they are
/// called.
pub(super) fn named(files: &[ScannedFile]) -> BTreeMap<usize, Promoted> {
    let known = Known::of(files);
    let mut named: BTreeMap<usize, Promoted> = BTreeMap::new();
    for Placed { file, release, .. } in placed(files) {
        for given in &release.layers {
            let charts = release.charts.iter();
            let charts: Vec<PathBuf> = charts
                .flat_map(|chart| known.folders(file, chart))
                .collect();
            let charts = charts.iter().map(|chart| Some(chart.as_path()));
            for chart in charts.chain([None]) {
                for layer in known.resolve(file, given, chart).layers() {
                    let named = named.entry(layer.file).or_default();
                    named.whole |= layer.block.is_none();
                    named.blocks.extend(layer.block);
                }
            }
        }
    }
    named
}

pub(super) fn read(files: &[ScannedFile], charts: &Charts<'_>, tree: &Tree<'_>) -> Releases {
    let known = Known::of(files);
    let mut result = Releases::default();
    let mut away = Away::default();
    for placed in patched::variants(files, &placed(files), tree) {
        known.add(charts, &placed, &mut result, &mut away);
    }
    away.settle(&mut result.combined, files);
    result
}

/// The releases of all files.
fn placed(files: &[ScannedFile]) -> Vec<Placed> {
    let all = files.iter().enumerate().flat_map(|(file, scanned)| {
        let facts = scanned.scan.facts.iter();
        facts.filter_map(move |fact| match fact {
            Fact::Release(release) => Some(Placed {
                file,
                release: release.clone(),
                layers: release
                    .layers
                    .iter()
                    .map(|given| (file, given.clone()))
                    .collect(),
                patches: Vec::new(),
            }),
            _ => None,
        })
    });
    all.collect()
}

/// What a layer of a release may be: each of these, which are files in their order, or nothing at all
/// where it may be missing.
#[derive(Debug, Default)]
struct Resolved {
    ways: Vec<Vec<Layer>>,
    /// Why that is not all.
    unknown: Option<String>,
}

impl Resolved {
    fn unknown(why: String) -> Self {
        Self {
            ways: Vec::new(),
            unknown: Some(why),
        }
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.ways.iter().flatten()
    }
}

/// A chart that a release may mean.
struct Candidate {
    folder: PathBuf,
    /// Whether it is this one, and not a published one of the same name.
    is_sure: bool,
}

/// A file of a repository under a key of a generated config map.
struct Source<'a> {
    folder: &'a Path,
    key: &'a str,
    file: Option<usize>,
    /// Whether it changes what another one of its name says.
    changes: bool,
}

/// The files of the repository by path, and those behind each generated config map.
struct Known<'a> {
    files: &'a [ScannedFile],
    paths: HashMap<&'a Path, usize>,
    generated: HashMap<&'a str, Vec<Source<'a>>>,
    /// The texts in config maps and secrets by name and key.
    texts: HashMap<(&'a str, &'a str), Vec<(usize, &'a ConfigMap)>>,
}

impl<'a> Known<'a> {
    fn of(files: &'a [ScannedFile]) -> Self {
        let paths = files.iter().enumerate();
        let paths = paths.map(|(index, file)| (file.source.real.as_path(), index));
        let mut known = Self {
            files,
            paths: paths.collect(),
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
        self.paths.get(normalise(path).as_path()).copied()
    }

    /// Adds the merges of a release.
    fn add(&self, charts: &Charts<'_>, placed: &Placed, result: &mut Releases, away: &mut Away) {
        let (by, release) = (placed.file, &placed.release);
        let candidates = self.candidates(charts, placed);
        let is_sure = candidates.iter().any(|candidate| candidate.is_sure);
        let folders = candidates
            .iter()
            .map(|candidate| Some(candidate.folder.as_path()));
        for folder in folders.chain((!is_sure).then_some(None)) {
            if let Some(folder) = folder {
                let defaults = charts.all_defaults(folder).into_iter();
                result.uses.extend(defaults.map(|file| (by, file)));
            }
            let layers = placed.layers.iter();
            let resolved = layers.map(|(by, given)| {
                let resolved = self.resolve(*by, given, folder);
                let files = resolved.layers().map(|layer| (*by, layer.file));
                result.uses.extend(files.filter(|(by, file)| by != file));
                let whole = resolved.layers().filter(|layer| layer.block.is_none());
                result.told.extend(whole.map(|layer| layer.file));
                resolved
            });
            let resolved: Vec<Resolved> = resolved.collect();
            let unknown = resolved.iter().find_map(|layer| layer.unknown.clone());
            let (ways, unknown) = ways(&resolved, unknown);
            for layers in ways {
                let root = match folder {
                    Some(folder) => Root::Folder(folder.to_path_buf()),
                    None => away.number(&release.source, placed, &layers),
                };
                let unreadable = unknown.as_ref().map(|why| {
                    format!(
                        "the release in {} merges it with values that are not known ({why}); write the image out there, or set it by hand",
                        self.files[by].source.path.display()
                    )
                });
                result.combined.push(Combined {
                    targets: deciding(&layers, placed),
                    layers,
                    root,
                    replaces_defaults: release.replaces_defaults,
                    unreadable,
                });
            }
        }
    }

    /// What a layer may be, when the chart is the one in `chart`.
    fn resolve(&self, by: usize, given: &Given, chart: Option<&Path>) -> Resolved {
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
            let inside = inside_of.and_then(|inside| pattern_in(inside, path));
            let found = inside
                .map(|pattern| self.fitting(&pattern))
                .unwrap_or_default();
            let anywhere = pattern(path).filter(|_| has_folder(path));
            let is_told = base == Base::Chart || base == Base::Here;
            return match anywhere {
                Some(anywhere) if found.is_empty() && !is_told => self.fitting(&anywhere),
                _ => found,
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

    /// The files that fit a pattern, in order.
    fn fitting(&self, pattern: &GlobMatcher) -> Vec<usize> {
        let fits = |(path, _): &(&&Path, &usize)| pattern.is_match(path);
        let all = self.paths.iter().filter(fits);
        let mut found: Vec<usize> = all.map(|(_, &index)| index).collect();
        found.sort_by_key(|&file| &self.files[file].source.real);
        found
    }

    /// The folders in which the chart `chart` of a release may lie, whether or not one does.
    fn folders(&self, by: usize, chart: &str) -> Vec<PathBuf> {
        let chart = chart.trim_start_matches('/');
        let above = folder_of(&self.files[by]).ancestors();
        above.map(|above| normalise(&above.join(chart))).collect()
    }

    /// The charts of the repository that a release may mean.
    fn candidates(&self, charts: &Charts<'_>, placed: &Placed) -> Vec<Candidate> {
        let release = &placed.release;
        let mut found: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for chart in &release.charts {
            if let Some(pattern) = pattern(chart) {
                // A path that is filled in as a whole may be any chart. That matters only where values are
                // merged with its own.
                if !has_folder(chart) && placed.layers.is_empty() {
                    continue;
                }
                let fits = charts.folders().filter(|folder| pattern.is_match(folder));
                found.extend(fits.map(|folder| (folder.clone(), has_folder(chart))));
                continue;
            }
            // A published chart may be made from the one of its name.
            let named = charts
                .named(chart)
                .map(|folder| (folder.to_path_buf(), false));
            named.into_iter().for_each(|(folder, sure)| {
                found.entry(folder).or_insert(sure);
            });
            let is_path =
                release.tool == Tool::Argo || chart.contains('/') || chart.starts_with('.');
            let folders = self.folders(placed.file, chart).into_iter();
            for folder in folders.filter(|folder| charts.is_chart(folder)) {
                *found.entry(folder).or_default() |= is_path;
            }
        }
        let found = found.into_iter();
        found
            .map(|(folder, is_sure)| Candidate { folder, is_sure })
            .collect()
    }
}

/// Every choice of one way for each layer; a layer that comes twice counts where it comes last.
fn ways(resolved: &[Resolved], unknown: Option<String>) -> (Vec<Vec<Layer>>, Option<String>) {
    let mut all: Vec<Vec<Layer>> = vec![Vec::new()];
    let mut unknown = unknown;
    for layer in resolved.iter().filter(|layer| !layer.ways.is_empty()) {
        let mut ways = &layer.ways[..];
        if all.len() * ways.len() > MAX_WAYS {
            unknown = Some("its paths may stand for too many files".to_string());
            ways = &ways[..1];
        }
        let more = all.iter().flat_map(|before| {
            ways.iter().map(|way| {
                let mut layers = before.clone();
                layers.retain(|layer| !way.contains(layer));
                layers.extend(way.iter().cloned());
                layers
            })
        });
        all = more.collect();
    }
    (all, unknown)
}

/// The files whose paths decide the target of a merge: that of its last layer, and where that stands in
/// an object, the last file of values, too.
fn deciding(layers: &[Layer], placed: &Placed) -> Vec<usize> {
    let Some(last) = layers.last() else {
        return vec![placed.file];
    };
    let mut targets = placed.patches.clone();
    if targets.is_empty() {
        targets.push(last.file);
    }
    if last.block.is_some() {
        let mut files = layers.iter().rev().filter(|layer| layer.block.is_none());
        targets.extend(files.next().map(|layer| layer.file));
    }
    targets.dedup();
    targets
}

/// Charts that are not in the repository: releases of the same one that share a layer are told together.
#[derive(Default)]
struct Away {
    /// The number of each layer of each chart.
    numbers: HashMap<(ChartSource, Option<usize>, Layer), usize>,
    /// What each number is the same as.
    same: Vec<usize>,
    /// How many there are.
    next: usize,
}

impl Away {
    fn number(&mut self, source: &ChartSource, placed: &Placed, layers: &[Layer]) -> Root {
        // Where nothing tells the chart, the object does.
        let own = (*source == ChartSource::default()).then_some(placed.file);
        let new = self.next;
        self.next += 1;
        self.same.push(new);
        for layer in layers {
            let key = (source.clone(), own, layer.clone());
            let known = *self.numbers.entry(key).or_insert(new);
            let (one, other) = (self.first(known), self.first(new));
            self.same[one.max(other)] = one.min(other);
        }
        Root::Away(new)
    }

    fn first(&self, mut number: usize) -> usize {
        while self.same[number] != number {
            number = self.same[number];
        }
        number
    }

    /// Gives merges that belong together the same root. Where the files of all of them lie in one folder
    /// with defaults, that folder is it.
    fn settle(&self, combined: &mut [Combined], files: &[ScannedFile]) {
        let mut folders: BTreeMap<usize, BTreeSet<Option<&Path>>> = BTreeMap::new();
        let mut defaults: BTreeSet<usize> = BTreeSet::new();
        for combined in combined.iter() {
            let Root::Away(number) = combined.root else {
                continue;
            };
            for layer in &combined.layers {
                let file = &files[layer.file];
                let is_file = layer.block.is_none();
                let folder = is_file.then(|| folder_of(file));
                let first = self.first(number);
                folders.entry(first).or_default().insert(folder);
                if is_file && file.source.real.ends_with(DEFAULTS) {
                    defaults.insert(first);
                }
            }
        }
        for combined in combined {
            let Root::Away(number) = combined.root else {
                continue;
            };
            let first = self.first(number);
            let mut all = folders.get(&first).into_iter().flatten().flatten();
            combined.root = match (all.next(), all.next()) {
                (Some(folder), None) if defaults.contains(&first) => {
                    Root::Folder(folder.to_path_buf())
                }
                _ => Root::Away(first),
            };
        }
    }
}

fn folder_of(file: &ScannedFile) -> &Path {
    file.source.real.parent().unwrap_or(Path::new(""))
}

/// Whether a file can be merged: one without any word about images is, too.
fn is_layer(file: &ScannedFile) -> bool {
    let scan = &file.scan;
    let is_unread = scan.facts.iter().any(|fact| matches!(fact, Fact::Unread));
    scan.loose.is_some() || scan.documents == 0 && scan.broken.is_empty() && !is_unread
}

/// Whether a part of a path is filled in: by a template, or as a glob.
fn is_filled(path: &str) -> bool {
    path.contains("{{") || path.contains('*')
}

/// What fits a path of which a part is filled in, from any folder.
fn pattern(path: &str) -> Option<GlobMatcher> {
    if !is_filled(path) {
        return None;
    }
    let mut rest = path;
    while let Some(shorter) = ["../", "./", "/"]
        .iter()
        .find_map(|up| rest.strip_prefix(up))
    {
        rest = shorter;
    }
    let glob = GlobBuilder::new(&format!("**/{}", starred(rest))).build();
    Some(glob.ok()?.compile_matcher())
}

/// What fits a path from one folder. A template may fill in several folders, a star is part of one name.
fn pattern_in(folder: &Path, path: &str) -> Option<GlobMatcher> {
    let first = path.find("{{").into_iter().chain(path.find('*')).min()?;
    let head = path[..first].rfind('/').map_or(0, |slash| slash + 1);
    let folder = normalise(&folder.join(&path[..head]));
    let folder = globset::escape(folder.to_str()?);
    let glob = GlobBuilder::new(&format!("{folder}/{}", starred(&path[head..])))
        .literal_separator(!path.contains("{{"))
        .build();
    Some(glob.ok()?.compile_matcher())
}

/// The path with a star for each template.
fn starred(path: &str) -> String {
    let mut pattern = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        pattern.push_str(&literal(before));
        pattern.push('*');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    pattern.push_str(&literal(rest));
    pattern
}

/// Whether a path of which a part is filled in names a folder.
fn has_folder(path: &str) -> bool {
    let mut outside = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("{{") {
        outside.push_str(before);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    outside.push_str(rest);
    let folders = outside.rsplit_once('/').map_or("", |(folders, _)| folders);
    let mut parts = folders.split('/');
    parts.any(|part| !part.trim_matches(['*', '.']).is_empty())
}

/// The text with nothing but its stars meaning more than themselves.
fn literal(text: &str) -> String {
    let parts: Vec<String> = text.split('*').map(globset::escape).collect();
    parts.join("*")
}
