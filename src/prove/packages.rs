//! Packages of charts that are at hand: in the repository, and in Helm's cache.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde_json::Value;

use super::closure::text_of;
use crate::helm::template::{newest, read_yaml};

/// How the names of packages end.
const PACKAGE: &str = "tgz";
/// More packages than any repository has.
const MAX_PACKAGES: usize = 50_000;

/// The packages, by the name and version in their file names.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// The part before the version, and after it, at every `-`: names hold some, too.
    by_name: BTreeMap<String, Vec<(String, PathBuf)>>,
}

impl Packages {
    /// Looks below these folders.
    pub(super) fn of(roots: &[PathBuf], caches: &[PathBuf]) -> Self {
        let mut packages = Self::default();
        for root in roots {
            let mut walk = WalkBuilder::new(root);
            walk.standard_filters(false)
                .filter_entry(|entry| entry.file_name() != ".git");
            let entries = walk.build().filter_map(Result::ok);
            for entry in entries {
                if entry.file_type().is_some_and(|kind| kind.is_file()) {
                    packages.add(entry.path());
                }
            }
        }
        for cache in caches {
            let entries = fs::read_dir(cache).into_iter().flatten();
            let mut paths: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            paths.sort();
            paths.iter().for_each(|path| packages.add(path));
        }
        packages
    }

    fn add(&mut self, path: &Path) {
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
                all.push((version.to_string(), path.to_path_buf()));
            }
        }
    }

    /// The package of a chart: of the newest version that will do.
    pub(super) fn find(&self, name: &str, version: Option<&str>) -> Option<&Path> {
        let all = self.by_name.get(name)?;
        let versions = all.iter().map(|(version, _)| version.as_str());
        let index = newest(version.unwrap_or(""), versions)?;
        Some(&all[index].1)
    }
}

/// Where Helm keeps what it has fetched, as its documentation says (`helm env`).
pub fn caches(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let own = folder("HELM_CACHE_HOME");
    let shared = || folder("XDG_CACHE_HOME").map(|cache| cache.join("helm"));
    let home = || {
        let home = folder("HOME")?;
        let below = if cfg!(target_os = "macos") {
            "Library/Caches/helm"
        } else {
            ".cache/helm"
        };
        Some(home.join(below))
    };
    let cache = own.or_else(shared).or_else(home);
    let cache = cache.map(|cache| cache.join("repository"));
    let cache = folder("HELM_REPOSITORY_CACHE").or(cache);
    cache
        .into_iter()
        .filter(|cache| cache.is_absolute())
        .collect()
}

/// A chart that another one lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) repository: String,
}

/// The charts that the one in a folder lists and that are not in its `charts/`.
pub(super) fn missing(chart: &Path) -> Vec<Listed> {
    let read = |name: &str| {
        let text = text_of(&chart.join(name))?;
        read_yaml(&text).ok()
    };
    let lists = ["Chart.yaml", "requirements.yaml"].map(read);
    let lists = lists.iter().flatten();
    let listed = lists
        .filter_map(|list| list.get("dependencies")?.as_array())
        .flatten();
    let listed = listed.filter_map(|item| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_string);
        Some(Listed {
            name: text("name")?,
            version: text("version"),
            repository: text("repository").unwrap_or_default(),
        })
    });
    let present: Vec<String> = fs::read_dir(chart.join("charts"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let is_there = |listed: &Listed| {
        let own = |name: &String| {
            let rest = name.strip_prefix(listed.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        present.iter().any(own)
    };
    listed.filter(|listed| !is_there(listed)).collect()
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
            packages.add(Path::new(&format!("/x/{name}.tgz")));
        }
        packages.add(Path::new("/x/a-b-9.0.0.zip"));
        let find = |name, version| {
            let found = packages.find(name, version);
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
    fn the_cache_is_where_helm_says() {
        let with = |set: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            caches(&variable)
        };
        let cache = |path: &str| vec![PathBuf::from(path)];
        assert_eq!(with(&[("HELM_REPOSITORY_CACHE", "/r")]), cache("/r"));
        assert_eq!(with(&[("HELM_CACHE_HOME", "/c")]), cache("/c/repository"));
        assert_eq!(
            with(&[("XDG_CACHE_HOME", "/x")]),
            cache("/x/helm/repository")
        );
        assert_eq!(
            with(&[("HELM_REPOSITORY_CACHE", "r")]),
            cache("").split_off(1)
        );
    }
}
