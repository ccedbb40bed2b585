//! The ways in which the charts of the repository are used: each with the values that it combines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::layers::{Combined, DEFAULTS, Layer};
use super::stacks::{Charts, Stack};
use crate::scan::ScannedFile;
use crate::sites::{BlockId, ChartSource, Deployed};
use crate::source::Span;

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

/// A release of a chart, in one of the ways in which it may be put together.
#[derive(Clone, Debug)]
pub struct ReleaseUse {
    /// The file that says so.
    pub file: usize,
    /// Where to point at it.
    pub span: Option<Span>,
    /// Its name, when it is told.
    pub name: Option<String>,
    /// How it is deployed.
    pub deployed: Deployed,
    /// Where the chart comes from.
    pub source: ChartSource,
    /// The folder of the chart, when it lies in the repository.
    pub chart: Option<PathBuf>,
    /// The values beside the chart's own, the earliest first: files, or parts of files.
    pub layers: Vec<(usize, Option<BlockId>)>,
    /// Whether they take the place of the chart's own.
    pub replaces_defaults: bool,
    /// Why not every layer is known.
    pub unknown: Option<String>,
    /// The file whose path decides the target.
    pub target: usize,
}

/// Every release of a chart, in each of its ways.
pub(super) fn releases(charts: &Charts<'_>, all: &[Combined]) -> Vec<ReleaseUse> {
    let releases = all.iter().filter(|combined| combined.is_of_chart);
    let uses = releases.map(|combined| {
        let chart = combined.root.folder();
        ReleaseUse {
            file: combined.by,
            span: combined.span,
            name: combined.name.clone(),
            deployed: combined.deployed.clone(),
            source: combined.source.clone(),
            chart: chart
                .filter(|root| charts.is_chart(root))
                .map(Path::to_path_buf),
            layers: combined
                .layers
                .iter()
                .map(|layer| (layer.file, layer.block))
                .collect(),
            replaces_defaults: combined.replaces_defaults,
            unknown: combined.unreadable.clone(),
            target: combined.targets.first().copied().unwrap_or(combined.by),
        }
    });
    uses.collect()
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
