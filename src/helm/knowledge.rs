//! Who is asked about a chart, in order: the config, the chart's own files, the built-in table. What Helm's
//! cache says is only supposed: unlike the charts of the repository, it is not rendered with the values of
//! the release.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::at_hand::AtHand;
use super::cache::HelmCache;
use super::known::{Charts, Known, Supposed, Wanted};
use super::local::{self, Local};
use super::package;
use super::table::Table;

/// Bytes of templates and values beyond which a chart takes longer to learn than a run may last.
const MAX_LEARNED: usize = 512 * 1024;

/// Tells where charts come from whose address is one of a cache, or another spelling.
pub type Upstream<'k> = Box<dyn Fn(&str) -> Option<String> + Sync + 'k>;

/// What a run knows of charts.
#[derive(Default)]
pub struct Knowledge<'k> {
    /// What the config says, by the name of the chart.
    stated: BTreeMap<String, Arc<Known>>,
    /// What charts at hand said, by their path.
    learned: Mutex<BTreeMap<PathBuf, Arc<Local>>>,
    /// What Helm has fetched before.
    cache: Option<HelmCache>,
    /// Charts are known by where they come from, also when they are fetched through a cache.
    upstream: Option<Upstream<'k>>,
}

impl fmt::Debug for Knowledge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("stated", &self.stated)
            .field("learned", &self.learned)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl<'k> Knowledge<'k> {
    /// What the config says, by the name of the chart.
    pub fn new(stated: BTreeMap<String, Arc<Known>>, cache: Option<HelmCache>) -> Self {
        Self {
            stated,
            learned: Mutex::default(),
            cache,
            upstream: None,
        }
    }

    /// The same for charts that may be fetched through a cache.
    #[must_use]
    pub fn with_upstream(mut self, upstream: Upstream<'k>) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// Where the charts of a repository come from.
    fn home<'w>(&self, wanted: &Wanted<'w>) -> Option<Cow<'w, str>> {
        let repository = wanted.repository?;
        let upstream = self.upstream.as_ref();
        let upstream = upstream.and_then(|upstream| upstream(repository));
        Some(upstream.map_or(repository.into(), Cow::Owned))
    }

    /// What the chart at `path` with these files says. One that cannot be read says nothing.
    fn learned(
        &self,
        path: &Path,
        files: impl FnOnce() -> Option<Vec<package::ChartFile>>,
        given: &dyn Fn() -> Vec<Value>,
    ) -> Arc<Local> {
        let learned = || self.learned.lock().ok();
        if let Some(known) = learned().and_then(|all| all.get(path).cloned()) {
            return known;
        }
        let files = files().filter(|files| size(files) <= MAX_LEARNED);
        let local = files.map(|files| local::read(files, given));
        let local = Arc::new(local.unwrap_or_default());
        if let Some(mut all) = learned() {
            all.insert(path.to_path_buf(), Arc::clone(&local));
        }
        local
    }

    /// What the package of a chart says that Helm has fetched before: the images that it does not refuse.
    fn cached(&self, wanted: &Wanted<'_>) -> Option<Arc<Known>> {
        let cached = self.cache.as_ref()?.find(wanted)?;
        let files = || package::unpack(&cached.package).ok();
        let local = self.learned(&cached.path, files, &Vec::new);
        let version = wanted.version.unwrap_or_default();
        let told_by = format!("the chart {} ({version}) in Helm's cache", wanted.name());
        let known = local.known.last()?.clone();
        Some(Arc::new(Known { told_by, ..known }))
    }

    /// A chart at hand, with those that it brings and that are known from elsewhere. Nothing else makes
    /// names where each of them is known to its end.
    fn with_brought(&self, local: &Local) -> Vec<Arc<Known>> {
        let brought = local.missing.iter().map(|missing| {
            let known = self.elsewhere(&Wanted {
                repository: Some(missing.repository.as_str()),
                chart: &missing.name,
                version: Some(missing.version.as_str()),
            });
            (missing.key.as_str(), known)
        });
        let brought: Vec<(&str, Vec<Arc<Known>>)> = brought.collect();
        let mut each = brought.iter().map(|(_, known)| known);
        let is_whole = |known: &Vec<Arc<Known>>| {
            !known.is_empty() && known.iter().all(|known| known.is_complete)
        };
        let is_complete = brought.is_empty() || local.is_bare && each.all(is_whole);
        let below = brought
            .iter()
            .flat_map(|(key, known)| known.iter().map(|known| known.below(key)));
        let all = local.known.iter().cloned().chain(below);
        let all = all.map(|known| Known {
            is_complete,
            ..known
        });
        all.map(Arc::new).collect()
    }
}

/// How many bytes the files of a chart have.
fn size(files: &[package::ChartFile]) -> usize {
    files.iter().map(|(_, text)| text.len()).sum()
}

impl Charts for Knowledge<'_> {
    fn in_folder(&self, folder: &Path, given: &dyn Fn() -> Vec<Value>) -> Vec<Arc<Known>> {
        let files = || package::read_folder(folder).ok();
        self.with_brought(&self.learned(folder, files, given))
    }

    fn at_hand(&self, folder: &Path, is_chart: &dyn Fn(&Path) -> bool) -> Option<AtHand> {
        AtHand::read(folder, is_chart)
    }

    fn text_of(&self, file: &Path) -> Option<String> {
        package::read_text(file).ok()
    }

    fn elsewhere(&self, wanted: &Wanted<'_>) -> Vec<Arc<Known>> {
        let name = wanted.name();
        if let Some(known) = self.stated.get(name) {
            return vec![Arc::clone(known)];
        }
        let Some(repository) = self.home(wanted) else {
            return Vec::new();
        };
        let version = wanted.version.unwrap_or("");
        let table = Table::built_in();
        let own = table.find(&repository, name);
        let own = own.filter(|row| is_same(&row.version, version));
        let row = own.or_else(|| table.family(&repository, name));
        row.map(|row| Arc::new(row.known())).into_iter().collect()
    }

    fn supposed(&self, wanted: &Wanted<'_>) -> Option<Supposed> {
        if !self.elsewhere(wanted).is_empty() {
            return None;
        }
        if let Some(known) = self.cached(wanted) {
            let but = "but nothing has rendered it with these values";
            return Some(Supposed { known, but });
        }
        let row = Table::built_in().find(&self.home(wanted)?, wanted.name())?;
        let known = Arc::new(row.known());
        let but = "but the release takes another version, of which nothing is known";
        Some(Supposed { known, but })
    }
}

/// Whether a release takes just the version that was learned. Charts change how they make names within
/// a major version, too (prometheus-node-exporter has a `registry` since 4.14.0).
fn is_same(learned: &str, wanted: &str) -> bool {
    plain(learned) == plain(wanted)
}

/// A version without what may stand in front of it: `v1.2.3`, `=1.2.3`, `= v1.2.3`.
fn plain(version: &str) -> &str {
    version
        .trim_start_matches(|c: char| matches!(c, 'v' | '=') || c.is_whitespace())
        .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_may_make_other_names() {
        for (wanted, same) in [
            ("10.5.3", true),
            ("v10.5.3", true),
            ("=10.5.3", true),
            ("= v10.5.3", true),
            ("10.5.4", false),
            ("10.x", false),
            ("^10.5.3", false),
            ("", false),
        ] {
            assert_eq!(is_same("10.5.3", wanted), same, "{wanted}");
            assert_eq!(is_same("v10.5.3", wanted), same, "{wanted}");
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

    #[test]
    fn a_chart_is_known_through_a_cache() {
        let upstream = |url: &str| {
            let path = url.strip_prefix("oci://cache/hub/")?;
            Some(format!("oci://registry-1.docker.io/{path}"))
        };
        let knowledge = Knowledge::default().with_upstream(Box::new(upstream));
        let told = |repository: &str| {
            let known = knowledge.elsewhere(&Wanted {
                repository: Some(repository),
                chart: "nginx",
                version: Some("1.0.0"),
            });
            known.first().map(|known| known.told_by.clone())
        };
        let bitnami = told("oci://registry-1.docker.io/bitnamicharts");
        assert!(bitnami.is_some());
        assert_eq!(told("oci://cache/hub/bitnamicharts"), bitnami);
        assert_eq!(told("oci://cache/bitnamicharts"), None);
    }

    #[test]
    fn another_version_of_a_known_chart_is_told_as_such() {
        let knowledge = Knowledge::default();
        let other = |repository: &str, version: &str| {
            let known = knowledge.supposed(&Wanted {
                repository: Some(repository),
                chart: "kube-state-metrics",
                version: Some(version),
            });
            known.map(|supposed| supposed.known.told_by.clone())
        };
        let home = "https://prometheus-community.github.io/helm-charts";
        let known = Some("the chart kube-state-metrics (8.4.0)".to_string());
        assert_eq!(other(home, "4.0.0"), known);
        assert_eq!(other(home, ""), known);
        assert_eq!(other(home, "v8.4.0"), None);
        assert_eq!(other("https://x.example", "4.0.0"), None);
    }
}
