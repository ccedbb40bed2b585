//! Helm's local cache: packages that Helm has fetched before, each counted only when the index of the
//! wanted repository says that it publishes that very package.
//!
//! Helm keeps packages as `NAME-VERSION.tgz` and the index of each repository as `REPOSITORY-index.yaml`
//! in its repository cache, and the URLs of repositories in `repositories.yaml`
//! (<https://helm.sh/docs/helm/helm/>, "Environment variables"). The name of a package does not say where
//! it comes from: another repository may publish a chart of that name and version.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::known::Wanted;
use super::table::comparable;

/// More bytes than packages of charts and indexes of repositories have.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where Helm keeps what it has fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmCache {
    /// The folder of packages and indexes.
    folder: PathBuf,
    /// The file that gives the repositories their URLs.
    repositories: PathBuf,
}

/// A package of the cache.
#[derive(Debug)]
pub(super) struct Cached {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) package: Vec<u8>,
}

#[derive(Deserialize)]
struct Repositories {
    #[serde(default)]
    repositories: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    name: String,
    url: String,
}

impl HelmCache {
    /// The cache in these places.
    pub fn new(folder: PathBuf, repositories: PathBuf) -> Self {
        Self {
            folder,
            repositories,
        }
    }

    /// The cache of the user, where Helm's variables and the platform's customs say.
    pub fn of_user() -> Option<Self> {
        Self::of(&|name| env::var_os(name))
    }

    /// The same with these variables. Folders that are not absolute are none: what is looked at may lie there.
    fn of(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let own = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let home = own("HOME");
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let (cache, config) = if cfg!(target_os = "macos") {
            (
                below_home("Library/Caches"),
                below_home("Library/Preferences"),
            )
        } else if cfg!(windows) {
            (own("TEMP"), own("APPDATA"))
        } else {
            (below_home(".cache"), below_home(".config"))
        };
        let helm = |base: Option<PathBuf>| base.map(|base| base.join("helm"));
        let cache = own("HELM_CACHE_HOME").or_else(|| helm(own("XDG_CACHE_HOME").or(cache)));
        let config = own("HELM_CONFIG_HOME").or_else(|| helm(own("XDG_CONFIG_HOME").or(config)));
        let packages = || cache.map(|cache| cache.join("repository"));
        let list = || config.map(|config| config.join("repositories.yaml"));
        let is_absolute = |path: &PathBuf| path.is_absolute();
        let folder = own("HELM_REPOSITORY_CACHE").or_else(packages);
        let repositories = own("HELM_REPOSITORY_CONFIG").or_else(list);
        Some(Self::new(
            folder.filter(is_absolute)?,
            repositories.filter(is_absolute)?,
        ))
    }

    /// The packages that it holds, whatever they are, in order.
    pub fn packages(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut paths: Vec<PathBuf> = paths.collect();
        paths.sort();
        paths
    }

    /// Whether the repository with a URL publishes a package; nothing when its index is not at hand.
    pub fn publishes(&self, repository: &str, package: &Path) -> Option<bool> {
        let indexes = self.indexes(repository);
        let indexes: Vec<Vec<u8>> = indexes.iter().filter_map(|index| read(index)).collect();
        let package = read(package).filter(|_| !indexes.is_empty())?;
        Some(is_in(&indexes, &package))
    }

    /// The package of a chart, when the repository that it is wanted from publishes just that one.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<Cached> {
        let indexes = self.indexes(wanted.repository?);
        let indexes: Vec<Vec<u8>> = indexes.iter().filter_map(|index| read(index)).collect();
        if indexes.is_empty() {
            return None;
        }
        let name = format!("{}-{}.tgz", wanted.name(), wanted.version?);
        // Names come from the repository: they stay in the folder.
        if name.contains(['/', '\\']) {
            return None;
        }
        let path = self.folder.join(name);
        let package = read(&path)?;
        is_in(&indexes, &package).then_some(Cached { path, package })
    }

    /// The indexes of the repositories with that URL.
    fn indexes(&self, url: &str) -> Vec<PathBuf> {
        let list = read(&self.repositories).and_then(|bytes| String::from_utf8(bytes).ok());
        let list = list.and_then(|text| serde_saphyr::from_str::<Repositories>(&text).ok());
        let all = list.map_or(Vec::new(), |list| list.repositories);
        let of_url = all.into_iter().filter(|one| {
            comparable(&one.url) == comparable(url) && !one.name.contains(['/', '\\'])
        });
        let path = |one: Repository| self.folder.join(format!("{}-index.yaml", one.name));
        of_url.map(path).collect()
    }
}

/// Whether one of these indexes has the digest of a package.
fn is_in(indexes: &[Vec<u8>], package: &[u8]) -> bool {
    let digest = format!("{:x}", Sha256::digest(package));
    let has = |index: &Vec<u8>| memmem::find(index, digest.as_bytes()).is_some();
    indexes.iter().any(has)
}

/// A file, unless it cannot be read or is too big.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= MAX_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://charts.example.com/stable";
    /// `printf package | sha256sum`
    const DIGEST: &str = "bc4a71180870f7945155fbb02f4b0a2e3faa2a62d6d31b7039013055ed19869a";

    fn cache(digest: &str) -> (tempfile::TempDir, HelmCache) {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("web-1.2.3.tgz", "package");
        put(
            "acme-index.yaml",
            &format!("entries:\n  web:\n  - digest: {digest}\n"),
        );
        put(
            "repositories.yaml",
            &format!("repositories:\n- name: acme\n  url: {URL}/\n- name: ../acme\n  url: {URL}\n"),
        );
        let list = folder.path().join("repositories.yaml");
        let cache = HelmCache::new(folder.path().to_path_buf(), list);
        (folder, cache)
    }

    fn is_found(cache: &HelmCache, repository: &str, chart: &str, version: &str) -> bool {
        let wanted = Wanted {
            repository: Some(repository),
            chart,
            version: Some(version),
        };
        cache.find(&wanted).is_some()
    }

    #[test]
    fn the_cache_is_where_helm_says() {
        let with = |set: &[(&str, &str)]| {
            let variable = |name: &str| {
                let mut all = set.iter().chain(&[("HOME", "/home/u")]);
                let found = all.find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            HelmCache::of(&variable).map(|cache| cache.folder)
        };
        let cache = |path: &str| Some(PathBuf::from(path));
        assert_eq!(with(&[("HELM_REPOSITORY_CACHE", "/r")]), cache("/r"));
        assert_eq!(with(&[("HELM_CACHE_HOME", "/c")]), cache("/c/repository"));
        assert_eq!(
            with(&[("XDG_CACHE_HOME", "/x")]),
            cache("/x/helm/repository")
        );
        assert_eq!(with(&[("HELM_REPOSITORY_CACHE", "r")]), None);
        assert_eq!(with(&[("HELM_REPOSITORY_CONFIG", "r.yaml")]), None);
    }

    #[test]
    fn a_package_counts_when_the_repository_publishes_it() {
        let (_folder, known) = cache(DIGEST);
        assert!(is_found(&known, URL, "web", "1.2.3"));
        assert!(is_found(&known, URL, "acme/web", "1.2.3"));
        assert!(!is_found(&known, URL, "web", "1.2.4"));
        assert!(!is_found(
            &known,
            "https://other.example.com",
            "web",
            "1.2.3"
        ));
        assert!(!is_found(&known, URL, "x", "/../web-1.2.3"));
        let (_folder, other) = cache(&DIGEST.replace('a', "b"));
        assert!(!is_found(&other, URL, "web", "1.2.3"), "another package");
    }
}
