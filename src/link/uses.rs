//! The ways in which the charts of the repository are used: each with the values that it combines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layers::{DEFAULTS, Layer};
use super::stacks::{Charts, Stack};
use crate::scan::ScannedFile;
use crate::sites::BlockId;

/// Values that are combined over a chart of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartUse {
    /// The folder of the chart.
    pub chart: PathBuf,
    /// The values beside the chart's own, the earliest first: files, or parts of files.
    pub layers: Vec<(usize, Option<BlockId>)>,
    /// The values of the charts that it brings and that lie in the repository.
    pub brought: Vec<usize>,
    /// Whether the chart's own values count.
    pub has_defaults: bool,
    /// The file whose path decides the target.
    pub target: usize,
}

/// Every use of a chart whose layers are all known, each once.
pub(super) fn uses(files: &[ScannedFile], charts: &Charts<'_>, stacks: &[Stack]) -> Vec<ChartUse> {
    // Most stacks are of few charts.
    let mut brought: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    let uses = stacks.iter().filter_map(|stack| {
        let chart = stack.root.folder().filter(|root| charts.is_chart(root))?;
        let is_whole = !stack.is_beginning && stack.unreadable.is_none() && stack.is_outermost();
        let target = *stack.targets.first().filter(|_| is_whole)?;
        let is_own = |layer: &&Layer| {
            let path = files[layer.file].source.real.as_path();
            layer.block.is_none() && path.parent() == Some(chart) && !is_other_values(path)
        };
        let own = stack.layers.iter().take_while(is_own).count();
        let is_listed = stack.layers.iter().any(|layer| is_own(&layer));
        Some(ChartUse {
            chart: chart.to_path_buf(),
            layers: stack.layers[own..]
                .iter()
                .map(|layer| (layer.file, layer.block))
                .collect(),
            brought: brought
                .entry(chart)
                .or_insert_with(|| charts.all_defaults(chart))
                .clone(),
            has_defaults: is_listed || !charts.has_defaults(chart),
            target,
        })
    });
    let all: BTreeSet<ChartUse> = uses.collect();
    all.into_iter().collect()
}

/// Whether a file of a chart is neither its values nor its `Chart.yaml`.
fn is_other_values(path: &Path) -> bool {
    !path.ends_with(DEFAULTS) && !path.ends_with("Chart.yaml")
}
