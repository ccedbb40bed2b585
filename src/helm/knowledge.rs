//! Who is asked about a chart, in order: the config, the chart's own files, Helm's cache, the built-in
//! table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::known::{Charts, Known, Wanted};
use super::local::{self, Local};
use super::package;
use super::table::Table;

/// What a run knows of charts.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// What the config says, by the name of the chart.
    stated: BTreeMap<String, Arc<Known>>,
    /// Where Helm keeps the packages that it has fetched.
    cache: Option<PathBuf>,
    /// What charts at hand said, by their path.
    learned: Mutex<BTreeMap<PathBuf, Arc<Local>>>,
}

impl Knowledge {
    /// What the config says, by the name of the chart, and the folder of Helm's cache of packages.
    pub fn new(stated: BTreeMap<String, Arc<Known>>, cache: Option<PathBuf>) -> Self {
        Self {
            stated,
            cache,
            learned: Mutex::default(),
        }
    }

    /// What a chart at `path` says, a folder or a package. One that cannot be read says nothing.
    fn local(&self, path: &Path) -> Arc<Local> {
        if let Some(known) = self
            .learned
            .lock()
            .ok()
            .and_then(|all| all.get(path).cloned())
        {
            return known;
        }
        let files = if path.is_dir() {
            package::read_folder(path)
        } else {
            fs::read(path).and_then(|bytes| package::unpack(&bytes))
        };
        let local = Arc::new(files.map(local::read).unwrap_or_default());
        if let Ok(mut all) = self.learned.lock() {
            all.insert(path.to_path_buf(), Arc::clone(&local));
        }
        local
    }

    /// A chart at hand with those that it brings and that are known from elsewhere.
    fn whole(&self, local: &Local) -> Vec<Arc<Known>> {
        let mut all: Vec<Arc<Known>> = local.known.clone().into_iter().map(Arc::new).collect();
        for missing in &local.missing {
            let wanted = Wanted {
                repository: Some(missing.repository.as_str()),
                chart: &missing.name,
                version: Some(missing.version.as_str()),
            };
            let brought = self.elsewhere(&wanted).into_iter();
            all.extend(brought.map(|known| {
                Arc::new(Known {
                    is_complete: false,
                    ..known.below(&missing.key)
                })
            }));
        }
        all
    }

    /// The package that Helm fetched, where the release says which version it is.
    fn cached(&self, chart: &str, version: &str) -> Option<Vec<Arc<Known>>> {
        let path = self.cache.as_ref()?.join(format!("{chart}-{version}.tgz"));
        let is_name = |text: &str| !text.contains(['/', '\\']);
        if !is_name(chart) || !is_name(version) || !path.is_file() {
            return None;
        }
        let whole = self.whole(&self.local(&path));
        (!whole.is_empty()).then_some(whole)
    }
}

impl Charts for Knowledge {
    fn in_folder(&self, folder: &Path) -> Vec<Arc<Known>> {
        self.whole(&self.local(folder))
    }

    fn elsewhere(&self, wanted: &Wanted<'_>) -> Vec<Arc<Known>> {
        let name = wanted.chart.trim_end_matches('/');
        let name = name.rsplit('/').next().unwrap_or(name);
        if let Some(known) = self.stated.get(name) {
            return vec![Arc::clone(known)];
        }
        let version = wanted.version.unwrap_or("");
        if let Some(known) = self.cached(name, version) {
            return known;
        }
        let Some(repository) = wanted.repository else {
            return Vec::new();
        };
        let table = Table::built_in();
        let own = table.find(repository, name);
        let own = own.filter(|row| is_like(&row.version, version));
        let row = own.or_else(|| table.family(repository, name));
        row.map(|row| Arc::new(row.known())).into_iter().collect()
    }
}

/// Whether versions for which `wanted` stands make names as the one that was learned: they have the same
/// first number that is not zero. A range without an upper end may mean charts that do not exist yet.
fn is_like(learned: &str, wanted: &str) -> bool {
    let wanted = wanted.trim().trim_start_matches(['v', '^', '~', '=', ' ']);
    if wanted.contains(['<', '>', '|', ' ', ',']) {
        return false;
    }
    let learned = learned.trim_start_matches('v');
    if learned == wanted {
        return true;
    }
    let mut pairs = learned.split('.').zip(wanted.split('.'));
    pairs
        .by_ref()
        .find(|(learned, wanted)| learned != wanted || *learned != "0")
        .is_some_and(|(learned, wanted)| learned == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_may_make_other_names_are_not_taken_for_the_learned_one() {
        for (learned, wanted, like) in [
            ("10.5.3", "10.5.3", true),
            ("10.5.3", "10.0.0", true),
            ("10.5.3", "10.x", true),
            ("10.5.3", "^10.1", true),
            ("10.5.3", "10", true),
            ("10.5.3", "v10.5.3", true),
            ("v10.5.3", "v10.5.3", true),
            ("v0.0.0", "v0.0.0", true),
            ("0.14.8", "0.14.1", true),
            ("0.14.8", "0.13.0", false),
            ("0.0.3", "0.0.4", false),
            ("10.5.3", "9.4.0", false),
            ("10.5.3", "1", false),
            ("10.5.3", "*", false),
            ("10.5.3", "", false),
            ("10.5.3", ">=10.0.0", false),
            ("10.5.3", ">=10.0.0 <11.0.0", false),
        ] {
            assert_eq!(is_like(learned, wanted), like, "{wanted}");
        }
    }

    #[test]
    fn the_config_speaks_first_then_the_table() {
        let stated = Arc::new(Known {
            told_by: "the config".to_string(),
            ..Known::default()
        });
        let stated = BTreeMap::from([("grafana".to_string(), stated)]);
        let knowledge = Knowledge::new(stated, None);
        let told = |repository: &str, chart: &str, version: &str| {
            let known = knowledge.elsewhere(&Wanted {
                repository: Some(repository),
                chart,
                version: Some(version),
            });
            known.first().map(|known| known.told_by.clone())
        };
        let bitnami = "oci://registry-1.docker.io/bitnamicharts";
        assert_eq!(
            told("https://x.example", "grafana", ""),
            Some("the config".into())
        );
        assert!(told(bitnami, "nginx", "1.0.0").is_some());
        assert_eq!(told("https://x.example", "nginx", "1.0.0"), None);
    }
}
