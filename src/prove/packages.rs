//! Packages of charts that are at hand: in the repository, and in Helm's cache.
//!
//! The name of a package does not say where it comes from. One of the cache counts only when the index of the
//! wanted repository publishes just that one. One that somebody has put into the repository counts for its
//! name and version, unless there are several, or the index of the wanted repository, where that is at hand,
//! does not know it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::helm::local::{self, Listed};
use crate::helm::template::newest;
use crate::helm::{HelmCache, Wanted, package};

/// How the names of packages end.
const PACKAGE: &str = "tgz";
/// More packages than any repository has.
const MAX_PACKAGES: usize = 50_000;

/// The packages, by the name and version in their file names.
#[derive(Debug, Default)]
pub(super) struct Packages<'p> {
    /// The part before the version, and after it, at every `-`: names hold some, too.
    by_name: BTreeMap<String, Vec<Packed>>,
    cache: Option<&'p HelmCache>,
}

#[derive(Clone, Debug)]
struct Packed {
    version: String,
    path: PathBuf,
    is_cached: bool,
}

impl<'p> Packages<'p> {
    /// Looks below these folders, and into the cache.
    pub(super) fn of(roots: &[PathBuf], cache: Option<&'p HelmCache>) -> Self {
        let mut packages = Self {
            cache,
            ..Self::default()
        };
        for root in roots {
            let mut walk = WalkBuilder::new(root);
            walk.standard_filters(false)
                .sort_by_file_path(Path::cmp)
                .filter_entry(|entry| entry.file_name() != ".git");
            let entries = walk.build().filter_map(Result::ok);
            for entry in entries {
                if entry.file_type().is_some_and(|kind| kind.is_file()) {
                    packages.add(entry.path(), false);
                }
            }
        }
        for path in cache.iter().flat_map(|cache| cache.packages()) {
            packages.add(&path, true);
        }
        packages
    }

    fn add(&mut self, path: &Path, is_cached: bool) {
        let is_package = path.extension().is_some_and(|ending| ending == PACKAGE);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.filter(|_| is_package && self.by_name.len() < MAX_PACKAGES) else {
            return;
        };
        for (at, _) in stem.match_indices('-') {
            let (name, version) = (&stem[..at], &stem[at + 1..]);
            let begins = |c: char| c.is_ascii_digit() || c == 'v';
            if version.starts_with(begins) {
                let all = self.by_name.entry(name.to_string()).or_default();
                all.push(Packed {
                    version: version.to_string(),
                    path: path.to_path_buf(),
                    is_cached,
                });
            }
        }
    }

    /// The package of a chart: of the newest version that will do.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<PathBuf> {
        let all = self.by_name.get(wanted.name())?.iter();
        let all: Vec<&Packed> = all.filter(|packed| self.is_it(packed, wanted)).collect();
        let versions = all.iter().map(|packed| packed.version.as_str());
        let found = all[newest(wanted.version.unwrap_or(""), versions)?];
        let same: Vec<&&Packed> = all
            .iter()
            .filter(|packed| packed.version == found.version)
            .collect();
        // Which of several others is meant cannot be told.
        let is_clear = || {
            let bytes = |packed: &&&Packed| fs::read(&packed.path).ok();
            let first = same.first().and_then(bytes);
            first.is_some() && same.iter().all(|packed| bytes(packed) == first)
        };
        (same.len() == 1 || is_clear()).then(|| found.path.clone())
    }

    /// Whether a package is what the wanted repository publishes, as far as that can be told.
    fn is_it(&self, packed: &Packed, wanted: &Wanted<'_>) -> bool {
        let published = wanted
            .repository
            .and_then(|repository| self.cache?.publishes(repository, &packed.path));
        published.unwrap_or(!packed.is_cached)
    }
}

/// The charts that the one in a folder lists and that are not in its `charts/`.
pub(super) fn missing(chart: &Path) -> Vec<Listed> {
    let files = package::read_folder(chart);
    files.map_or(Vec::new(), |files| local::missing(&files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_will_do_is_found() {
        let mut packages = Packages::default();
        for name in [
            "a-b-1.2.0",
            "a-b-1.10.0",
            "a-b-2.0.0",
            "a-b-v3.0.0-rc.1",
            "a-1.0.0",
        ] {
            packages.add(Path::new(&format!("/x/{name}.tgz")), false);
        }
        packages.add(Path::new("/x/a-b-9.0.0.zip"), false);
        packages.add(Path::new("/cache/a-b-2.1.0.tgz"), true);
        let find = |name, version| {
            let wanted = Wanted {
                repository: None,
                chart: name,
                version,
            };
            let found = packages.find(&wanted);
            found.and_then(|path| path.file_stem()?.to_str().map(str::to_string))
        };
        assert_eq!(find("a-b", Some("1.2.0")).as_deref(), Some("a-b-1.2.0"));
        assert_eq!(find("a-b", Some("v1.2.0")).as_deref(), Some("a-b-1.2.0"));
        assert_eq!(find("a-b", Some("1.x")).as_deref(), Some("a-b-1.10.0"));
        assert_eq!(find("a-b", None).as_deref(), Some("a-b-2.0.0"));
        assert_eq!(find("a-b", Some("7.0.0")), None);
        assert_eq!(find("b", None), None);
    }

    #[test]
    fn several_packages_of_one_name_are_told_apart_by_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("repository/one/web-1.0.0.tgz", "one");
        put("repository/two/web-1.0.0.tgz", "two");
        put("cache/web-1.0.0.tgz", "three");
        // `printf two | sha256sum`
        let digest = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";
        put(
            "cache/acme-index.yaml",
            &format!("entries: {{web: [{{digest: {digest}}}]}}\n"),
        );
        put(
            "cache/repositories.yaml",
            "repositories:\n- {name: acme, url: 'https://charts.example'}\n",
        );
        let cache = folder.path().join("cache");
        let list = cache.join("repositories.yaml");
        let cache = HelmCache::new(cache, list);
        let roots = [folder.path().join("repository")];
        let packages = Packages::of(&roots, Some(&cache));
        let find = |repository| {
            let wanted = Wanted {
                repository: Some(repository),
                chart: "web",
                version: Some("1.0.0"),
            };
            packages.find(&wanted)
        };
        assert_eq!(find("https://other.example"), None);
        let two = folder.path().join("repository/two/web-1.0.0.tgz");
        assert_eq!(find("https://charts.example"), Some(two));
    }
}
