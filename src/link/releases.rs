//! Releases: which values files other objects put together.
//!
//! Files of one folder are merged in the order given. Where a release takes files of several
//! folders, or adds values of its own, the merge is not followed yet, and everything that it may be
//! merged with is held: the files, the defaults of the chart, and those of the charts it brings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::normalise;
use super::stacks::Charts;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use crate::sites::{Fact, Release};

/// Values files that one release merges, the earliest first; all in one folder.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    /// The files.
    pub files: Vec<usize>,
}

/// What the releases of a repository say about its values files.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// The merges inside single folders.
    pub combined: Vec<Combined>,
    /// Files of which not every merge is followed, and why.
    pub held: BTreeMap<usize, (Reason, String)>,
    /// Which file, by its place in the list, uses which: its target is theirs.
    pub uses: BTreeSet<(usize, usize)>,
}

/// Files that some release names as its values: they are values whatever they are called.
pub(super) fn named(files: &[ScannedFile]) -> BTreeSet<usize> {
    let known = Known::of(files);
    let all = releases(files);
    let taken = all
        .iter()
        .flat_map(|(file, release)| known.files_of(file, release).files);
    taken.collect()
}

pub(super) fn read(files: &[ScannedFile], charts: &Charts<'_>) -> Releases {
    let known = Known::of(files);
    let all = releases(files);
    let mut result = Releases::default();
    for (file, release) in &all {
        if release.has_chart {
            known.add(charts, file, release, &mut result);
        }
        // A patch belongs to the release of its name; a reference to the chart of that name.
        let others = all.iter().filter(|(_, other)| other.has_chart);
        for (place, other) in others {
            let is_patched = !release.has_chart && other.name == release.name;
            let is_named = release.chart_object.is_some() && release.chart_object == other.name;
            if is_patched || is_named {
                let mut whole = (*other).clone();
                whole.files.extend(release.files.iter().cloned());
                whole.maps.extend(release.maps.iter().cloned());
                whole.inline |= release.inline;
                known.add(charts, place, &whole, &mut result);
            }
        }
    }
    result
}

fn releases(files: &[ScannedFile]) -> Vec<(&ScannedFile, &Release)> {
    let all = files.iter().flat_map(|file| {
        let facts = file.scan.facts.iter();
        facts.filter_map(move |fact| match fact {
            Fact::Release(release) => Some((file, release)),
            _ => None,
        })
    });
    all.collect()
}

/// The values files of a release.
#[derive(Default)]
struct Taken {
    files: Vec<usize>,
    /// Whether it names some that are not known.
    is_partial: bool,
    /// Whether it names some that cannot be read as values.
    is_unreadable: bool,
}

/// The files of the repository by path, and those behind each generated config map.
struct Known<'a> {
    files: &'a [ScannedFile],
    paths: HashMap<&'a Path, usize>,
    /// By name, each with the folder of its kustomization.
    generated: HashMap<&'a str, Vec<(&'a Path, Vec<usize>)>>,
}

impl<'a> Known<'a> {
    fn of(files: &'a [ScannedFile]) -> Self {
        let paths = files.iter().enumerate();
        let paths = paths.map(|(index, file)| (file.source.real.as_path(), index));
        let mut known = Self {
            files,
            paths: paths.collect(),
            generated: HashMap::new(),
        };
        for file in files {
            for fact in &file.scan.facts {
                let Fact::Generated(generated) = fact else {
                    continue;
                };
                let found = generated
                    .files
                    .iter()
                    .flat_map(|path| known.find(file, &[], path));
                let found: Vec<usize> = found.collect();
                let folder = file.source.real.parent().unwrap_or(Path::new(""));
                let all = known.generated.entry(&generated.name).or_default();
                all.push((folder, found));
            }
        }
        known
    }

    /// Adds what a release merges, or holds it.
    fn add(
        &self,
        charts: &Charts<'_>,
        place: &ScannedFile,
        release: &Release,
        result: &mut Releases,
    ) {
        let taken = self.files_of(place, release);
        let folders = charts_of(charts, place, release);
        if let Some(&by) = self.paths.get(place.source.real.as_path()) {
            let defaults = folders
                .iter()
                .flat_map(|folder| charts.all_defaults(folder));
            let used = taken.files.iter().copied().chain(defaults);
            result.uses.extend(used.map(|file| (by, file)));
        }
        if folders.is_empty() {
            let adds = release.inline || taken.is_unreadable;
            self.merge(place, taken.files.clone(), Vec::new(), adds, result);
        }
        // Where the chart is filled in, each that fits is merged with the files on its own.
        let adds = release.inline || taken.is_unreadable || taken.is_partial;
        for folder in folders {
            let brought = charts.all_defaults(&folder);
            let mut all: Vec<usize> = brought.clone();
            all.retain(|&file| self.is_in(file, &folder));
            all.extend(taken.files.iter().filter(|file| !brought.contains(file)));
            self.merge(place, all, brought, adds, result);
        }
    }

    /// Adds a merge of `all` inside of one folder; any other holds them, and the defaults of the charts
    /// that are `brought`.
    fn merge(
        &self,
        place: &ScannedFile,
        all: Vec<usize>,
        brought: Vec<usize>,
        adds: bool,
        result: &mut Releases,
    ) {
        let folders = all
            .iter()
            .map(|&file| self.files[file].source.real.parent());
        let folders: BTreeSet<Option<&Path>> = folders.collect();
        if !adds && folders.len() < 2 {
            if all.len() > 1 {
                result.combined.push(Combined { files: all });
            }
            return;
        }
        let how = if adds {
            "adds values of its own to it, or others that are not known"
        } else {
            "combines it with values of another folder"
        };
        let detail = format!(
            "{} {how}, which is not followed yet",
            place.source.path.display()
        );
        for file in brought.into_iter().chain(all) {
            let why = (Reason::GroupIncomplete, detail.clone());
            result.held.entry(file).or_insert(why);
        }
    }

    fn is_in(&self, file: usize, folder: &Path) -> bool {
        self.files[file].source.real.parent() == Some(folder)
    }

    /// The values files of a release, in its order.
    fn files_of(&self, place: &ScannedFile, release: &Release) -> Taken {
        let mut taken = Taken::default();
        for name in &release.maps {
            let generated = self.generated.get(name.as_str());
            taken.is_partial |= generated.is_none();
            let all = generated.map_or(&[][..], Vec::as_slice);
            // Kustomizations of the release's own folder, or the nearest above it, come first.
            let depth = |folder: &Path| {
                let is_above = place.source.real.starts_with(folder);
                is_above.then(|| folder.components().count())
            };
            let nearest = all.iter().filter_map(|(folder, _)| depth(folder)).max();
            let counts = |folder: &Path| nearest.is_none() || depth(folder) == nearest;
            let files = all.iter().filter(|(folder, _)| counts(folder));
            taken.files.extend(files.flat_map(|(_, files)| files));
        }
        for path in &release.files {
            let found = self.find(place, &release.charts, path);
            let is_values = |file: &usize| is_layer(&self.files[*file]);
            taken.is_partial |= found.is_empty();
            taken.is_unreadable |= !found.iter().all(is_values);
            taken.files.extend(found.into_iter().filter(is_values));
        }
        let mut seen = BTreeSet::new();
        taken.files.retain(|file| seen.insert(*file));
        taken
    }

    /// The files that `path` in the object of `file` may mean: relative to the object's folder, to
    /// any folder above it (one of them is the repository's), or to a chart's folder below one.
    fn find(&self, file: &ScannedFile, charts: &[String], path: &str) -> Vec<usize> {
        // `$name/…` is a path in another source of the Application, mostly this repository.
        let path = match path.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) => rest,
            None => path,
        };
        let path = path.trim_start_matches('/');
        if path.contains("://") {
            return Vec::new();
        }
        if let Some(pattern) = pattern(path) {
            if !has_folder(path) {
                return Vec::new();
            }
            let fits = |(path, _): &(&&Path, &usize)| pattern.is_match(path);
            let mut found: Vec<usize> = self
                .paths
                .iter()
                .filter(fits)
                .map(|(_, &index)| index)
                .collect();
            found.sort_by_key(|&file| &self.files[file].source.real);
            return found;
        }
        let folder = file.source.real.parent().unwrap_or(Path::new(""));
        let known = |path: PathBuf| self.paths.get(normalise(&path).as_path()).copied();
        // The chart's own folder comes first; then the nearest folder that has such a file.
        let in_charts = charts.iter().filter_map(|chart| {
            let chart = chart.trim_start_matches('/');
            let mut above = folder.ancestors();
            above.find_map(|above| known(above.join(chart).join(path)))
        });
        let found: BTreeSet<usize> = in_charts.collect();
        if found.is_empty() {
            let mut above = folder.ancestors();
            let plain = above.find_map(|above| known(above.join(path)));
            return plain.into_iter().collect();
        }
        found.into_iter().collect()
    }
}

/// The folders of the repository that may hold the chart of a release.
fn charts_of(charts: &Charts<'_>, place: &ScannedFile, release: &Release) -> BTreeSet<PathBuf> {
    let folder = place.source.real.parent().unwrap_or(Path::new(""));
    let mut found = BTreeSet::new();
    for chart in &release.charts {
        if let Some(pattern) = pattern(chart) {
            // A path that is filled in as a whole may be any chart. That matters only where an
            // application brings values of its own to it.
            if !(has_folder(chart) || chart == "*" && release.inline) {
                continue;
            }
            found.extend(
                charts
                    .folders()
                    .filter(|folder| pattern.is_match(folder))
                    .cloned(),
            );
            continue;
        }
        // A published chart may be made from the one of its name.
        found.extend(charts.named(chart).map(Path::to_path_buf));
        let chart = chart.trim_start_matches('/');
        let folders = folder
            .ancestors()
            .map(|above| normalise(&above.join(chart)));
        found.extend(folders.filter(|folder| charts.is_chart(folder)));
    }
    found
}

/// Whether a file can be merged: one without any word about images is, too.
fn is_layer(file: &ScannedFile) -> bool {
    let scan = &file.scan;
    let is_unread = scan.facts.iter().any(|fact| matches!(fact, Fact::Unread));
    scan.loose.is_some() || scan.documents == 0 && scan.broken.is_empty() && !is_unread
}

/// What fits a path of which a part is filled in: by a template, or as a glob.
fn pattern(path: &str) -> Option<GlobMatcher> {
    if !path.contains("{{") && !path.contains('*') {
        return None;
    }
    let mut pattern = String::from("**/");
    let mut rest = path;
    while let Some(shorter) = ["../", "./", "/"]
        .iter()
        .find_map(|up| rest.strip_prefix(up))
    {
        rest = shorter;
    }
    while let Some((before, after)) = rest.split_once("{{") {
        pattern.push_str(&literal(before));
        pattern.push('*');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    pattern.push_str(&literal(rest));
    let glob = GlobBuilder::new(&pattern).build().ok()?;
    Some(glob.compile_matcher())
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
