//! What is known of one chart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::at_hand::AtHand;
use super::join::{Join, ValuePath};

/// The keys that lead to what lets Bitnami's charts render with images of other registries, and its own.
pub const ALLOWS_INSECURE: [&str; 3] = ["global", "security", "allowInsecureImages"];

/// What is known of one chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Known {
    /// How it makes the names of its images.
    pub joins: Vec<Join>,
    /// The texts of its own values, by their paths; a path that is not here is empty.
    pub defaults: BTreeMap<ValuePath, String>,
    /// Whether it refuses to render with other registries or repositories than its own unless
    /// `global.security.allowInsecureImages` is true.
    pub refuses_others: bool,
    /// Whether nothing else, also of what it brings, makes names: a value that several images read may change.
    pub is_complete: bool,
    /// Whether the prefix of a rule goes into the registry, which is what the config says for charts
    /// whose repositories are to stay.
    pub prefix_in_registry: bool,
    /// What tells all that, for people: `the built-in table (wordpress 24.1.0)`.
    pub told_by: String,
}

impl Known {
    /// The default of a value: that of its path, or of the pattern that means it; empty when there is
    /// none.
    pub fn default_of(&self, path: &ValuePath) -> &str {
        let own = self.defaults.get(path);
        let meant = || {
            let mut defaults = self.defaults.iter();
            let found = defaults.find(|(known, _)| known.matched(path).is_some());
            found.map(|(_, text)| text)
        };
        own.or_else(meant).map_or("", String::as_str)
    }

    /// Whether the names of several images read a value.
    pub fn is_shared(&self, path: &ValuePath) -> bool {
        let reads = |join: &&Join| {
            join.reads()
                .into_iter()
                .any(|read| read.matched(path).is_some())
        };
        self.joins.iter().filter(reads).count() > 1
    }

    /// The same chart as another one sees it that keeps its values under `key`.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        let defaults = self.defaults.iter();
        let defaults = defaults.map(|(path, text)| (path.below(key), text.clone()));
        Self {
            joins: self.joins.iter().map(|join| join.below(key)).collect(),
            defaults: defaults.collect(),
            ..self.clone()
        }
    }
}

/// Where a release's chart comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'w> {
    /// The repository's URL, or what stands for it.
    pub repository: Option<&'w str>,
    /// The name of the chart.
    pub chart: &'w str,
    /// The version.
    pub version: Option<&'w str>,
}

impl Wanted<'_> {
    /// The name of the chart without what may stand in front of it (helmfile's `repository/name`).
    pub fn name(&self) -> &str {
        let chart = self.chart.trim_end_matches('/');
        chart.rsplit('/').next().unwrap_or(chart)
    }
}

/// What is supposed of a chart.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// What a chart says that may be another one.
    pub known: Arc<Known>,
    /// Why that is not certain, as the end of a sentence.
    pub but: &'static str,
}

/// What tells how charts make names.
pub trait Charts: Sync {
    /// The chart whose directory is `folder`, and those that it brings. Costs time: it is rendered, with the
    /// first of the `given` values that it takes, where it takes none of its own alone.
    fn in_folder(&self, folder: &Path, given: &dyn Fn() -> Vec<Value>) -> Vec<Arc<Known>>;
    /// The files of the chart in `folder`, to render it; `is_chart` knows the folders of others. Nothing
    /// where charts are not rendered.
    fn at_hand(&self, folder: &Path, is_chart: &dyn Fn(&Path) -> bool) -> Option<AtHand>;
    /// The text of a file of values.
    fn text_of(&self, file: &Path) -> Option<String>;
    /// A chart that is somewhere else.
    fn elsewhere(&self, wanted: &Wanted<'_>) -> Vec<Arc<Known>>;
    /// What is only supposed of a chart of which nothing is known for certain.
    fn supposed(&self, wanted: &Wanted<'_>) -> Option<Supposed>;
}

/// No chart is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCharts;

impl Charts for NoCharts {
    fn in_folder(&self, _: &Path, _: &dyn Fn() -> Vec<Value>) -> Vec<Arc<Known>> {
        Vec::new()
    }

    fn at_hand(&self, _: &Path, _: &dyn Fn(&Path) -> bool) -> Option<AtHand> {
        None
    }

    fn text_of(&self, _: &Path) -> Option<String> {
        None
    }

    fn elsewhere(&self, _: &Wanted<'_>) -> Vec<Arc<Known>> {
        Vec::new()
    }

    fn supposed(&self, _: &Wanted<'_>) -> Option<Supposed> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_images_read_is_shared() {
        let joins = [
            "[web.registry|registry]/web.repository",
            "apps.*.registry/registry",
        ];
        let known = Known {
            joins: joins.iter().filter_map(|join| Join::parse(join)).collect(),
            ..Known::default()
        };
        for (path, shared) in [
            ("registry", true),
            ("web.registry", false),
            ("apps.api.registry", false),
            ("other", false),
        ] {
            let path = ValuePath::parse(path).unwrap();
            assert_eq!(known.is_shared(&path), shared, "{path}");
        }
    }
}
