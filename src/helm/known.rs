//! What is known of one chart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::join::{Join, ValuePath};

/// What is known of one chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How it makes the names of its images.
    pub joins: Vec<Join>,
    /// The texts of its own values, by their paths; a path that is not here is empty.
    pub defaults: BTreeMap<ValuePath, String>,
    /// Whether it refuses to render with other registries or repositories than its own unless
    /// `global.security.allowInsecureImages` is true.
    pub refuses_others: bool,
    /// Whether the prefix of a rule goes into the registry, which is what the config says for charts
    /// whose repositories are to stay.
    pub prefix_in_registry: bool,
    /// What tells all that, for people: `the built-in table (wordpress 24.1.0)`.
    pub told_by: String,
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

/// What tells how charts make names.
pub trait Charts: Sync {
    /// The chart whose directory is `folder`.
    fn in_folder(&self, folder: &Path) -> Option<Arc<Known>>;
    /// A chart that is somewhere else.
    fn elsewhere(&self, wanted: &Wanted<'_>) -> Option<Arc<Known>>;
}

/// No chart is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCharts;

impl Charts for NoCharts {
    fn in_folder(&self, _: &Path) -> Option<Arc<Known>> {
        None
    }

    fn elsewhere(&self, _: &Wanted<'_>) -> Option<Arc<Known>> {
        None
    }
}
