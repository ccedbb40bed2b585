//! Releases: which values files other objects put together.
//!
//! Files of one folder are merged in the order given. Where a release takes files of several
//! folders, or adds values of its own, the merge is not followed yet, and its files are held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::normalise;
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
}

/// Files that some release names as its values: they are values whatever they are called.
pub(super) fn named(files: &[ScannedFile]) -> BTreeSet<usize> {
    let known = Known::of(files);
    let releases = releases(files).flat_map(|(file, release)| known.files_of(file, release));
    releases.collect()
}

pub(super) fn read(files: &[ScannedFile]) -> Releases {
    let known = Known::of(files);
    let mut result = Releases::default();
    for (file, release) in releases(files) {
        let mut taken = known.files_of(file, release);
        let defaults = release.chart.as_ref().into_iter().flat_map(|chart| {
            let chart = format!("{}/values.yaml", chart.trim_end_matches('/'));
            known.find(file, None, &chart)
        });
        let mut all: Vec<usize> = defaults.filter(|file| !taken.contains(file)).collect();
        all.append(&mut taken);
        let folders: BTreeSet<Option<&Path>> = all
            .iter()
            .map(|&file| files[file].source.real.parent())
            .collect();
        if all.len() + usize::from(release.inline) < 2 {
            continue;
        }
        if folders.len() == 1 && !release.inline {
            result.combined.push(Combined { files: all });
            continue;
        }
        let place = file.source.path.display();
        let how = if release.inline {
            "adds values of its own to it"
        } else {
            "combines it with values of another folder"
        };
        let detail = format!("{place} {how}, which is not followed yet");
        for file in all {
            result
                .held
                .entry(file)
                .or_insert((Reason::GroupIncomplete, detail.clone()));
        }
    }
    result
}

fn releases(files: &[ScannedFile]) -> impl Iterator<Item = (&ScannedFile, &Release)> {
    files.iter().flat_map(|file| {
        file.scan.facts.iter().filter_map(move |fact| match fact {
            Fact::Release(release) => Some((file, release)),
            _ => None,
        })
    })
}

/// The files that may be values, by path, and those behind each generated config map.
struct Known<'a> {
    files: &'a [ScannedFile],
    paths: HashMap<&'a Path, usize>,
    generated: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Known<'a> {
    fn of(files: &'a [ScannedFile]) -> Self {
        let paths: HashMap<&Path, usize> = files
            .iter()
            .enumerate()
            .filter(|(_, file)| file.scan.loose.is_some())
            .map(|(index, file)| (file.source.real.as_path(), index))
            .collect();
        let mut known = Self {
            files,
            paths,
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
                    .flat_map(|path| known.find(file, None, path));
                let found: Vec<usize> = found.collect();
                known
                    .generated
                    .entry(&generated.name)
                    .or_default()
                    .extend(found);
            }
        }
        known
    }

    /// The values files of a release, in its order.
    fn files_of(&self, file: &ScannedFile, release: &Release) -> Vec<usize> {
        let chart = release.chart.as_deref();
        let mut taken = Vec::new();
        let maps = release
            .maps
            .iter()
            .filter_map(|name| self.generated.get(name.as_str()));
        taken.extend(maps.flatten().copied());
        taken.extend(
            release
                .files
                .iter()
                .flat_map(|path| self.find(file, chart, path)),
        );
        let mut seen = BTreeSet::new();
        taken.retain(|file| seen.insert(*file));
        taken
    }

    /// The files that `path` in the object of `file` may mean: relative to the object's folder, to
    /// any folder above it (one of them is the repository's), or to the chart's folder below one.
    fn find(&self, file: &ScannedFile, chart: Option<&str>, path: &str) -> Vec<usize> {
        // `$name/…` is a path in another source of the Application, mostly this repository.
        let path = match path.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) => rest,
            None => path,
        };
        let path = path.trim_start_matches('/');
        if path.contains("://") {
            return Vec::new();
        }
        if path.contains("{{") {
            return self.like(path);
        }
        let folder = file.source.real.parent().unwrap_or(Path::new(""));
        let mut found = BTreeSet::new();
        for above in folder.ancestors() {
            let plain = normalise(&above.join(path));
            let in_chart =
                chart.map(|chart| normalise(&above.join(chart.trim_start_matches('/')).join(path)));
            let candidates: Vec<PathBuf> = in_chart.into_iter().chain([plain]).collect();
            found.extend(
                candidates
                    .iter()
                    .filter_map(|path| self.paths.get(path.as_path())),
            );
        }
        found.into_iter().collect()
    }

    /// The files whose path ends like `path`, whatever a template puts between braces.
    fn like(&self, path: &str) -> Vec<usize> {
        let mut pattern = String::from("**/");
        let mut rest = path.trim_start_matches("../").trim_start_matches("./");
        while let Some((before, after)) = rest.split_once("{{") {
            pattern.push_str(&globset::escape(before));
            pattern.push('*');
            rest = after.split_once("}}").map_or("", |(_, after)| after);
        }
        pattern.push_str(&globset::escape(rest));
        let Ok(glob) = GlobBuilder::new(&pattern).build() else {
            return Vec::new();
        };
        let glob = glob.compile_matcher();
        let mut found: Vec<usize> = self
            .paths
            .iter()
            .filter(|(path, _)| glob.is_match(path))
            .map(|(_, &index)| index)
            .collect();
        found.sort_by_key(|&file| &self.files[file].source.real);
        found
    }
}
