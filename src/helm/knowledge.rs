//! Who is asked about a chart, in order: the config, the chart's own files, the built-in table.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::known::{Charts, Known, Wanted};

/// What a run knows of charts.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    stated: BTreeMap<String, Arc<Known>>,
}

impl Knowledge {
    /// What the config says, by the name of the chart.
    pub fn new(stated: BTreeMap<String, Arc<Known>>) -> Self {
        Self { stated }
    }
}

impl Charts for Knowledge {
    fn in_folder(&self, _: &Path) -> Option<Arc<Known>> {
        None
    }

    fn elsewhere(&self, wanted: &Wanted<'_>) -> Option<Arc<Known>> {
        let name = wanted.chart.trim_end_matches('/');
        let name = name.rsplit('/').next().unwrap_or(name);
        self.stated.get(name).cloned()
    }
}
