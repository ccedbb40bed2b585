//! Releases: which layers of values other objects put together, over which chart.
//!
//! Every way in which a release may be put together is a merge of its own: with each chart that it may
//! mean, each file that a path may stand for, and each patch of the object. Where a layer is not known,
//! the merge is blocked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::away::Away;
use super::charted::value_path;
use super::filled::{has_folder, pattern};
use super::homes::{Homes, wanted};
use super::layer_files::{Known, Resolved};
use super::layers::{Combined, Layer, Placed, Releases, Root, Silent, folder_of};
use super::patched;
use super::stacks::Charts;
use super::tree::Tree;
use super::values::below;
use crate::helm::{self, Join, Wanted};
use crate::scan::{Promoted, ScannedFile, Spare};
use crate::sites::{Chart, ChartSource, Fact, Given, Release, Site, Tool, is_values_name};

/// More ways to put one release together than are followed.
const MAX_WAYS: usize = 256;

/// Files, and texts in them, that some release names as its values: they are values whatever they are
/// called. With the values in them that nothing but its chart shows to be parts of names.
pub(super) fn named(
    files: &[ScannedFile],
    charts_known: &dyn helm::Charts,
) -> BTreeMap<usize, Promoted> {
    let known = Known::of(files);
    let homes = Homes::of(files);
    let mut named: BTreeMap<usize, Promoted> = BTreeMap::new();
    for Placed { file, release, .. } in placed(files) {
        let source = homes.resolved(&release.source);
        let joins = joins(charts_known, wanted(&source));
        for given in &release.layers {
            let charts = release.charts.iter();
            let charts: Vec<PathBuf> = charts
                .flat_map(|chart| known.folders(file, chart))
                .collect();
            let charts = charts.iter().map(|chart| Some(chart.as_path()));
            for chart in charts.chain([None]) {
                for layer in known.resolve(file, given, chart).layers() {
                    let named = named.entry(layer.file).or_default();
                    named.whole |= layer.block.is_none();
                    named.blocks.extend(layer.block);
                    named.spare.extend(spare(&files[layer.file], layer, &joins));
                }
            }
        }
    }
    add_beside_charts(files, charts_known, &mut named);
    named
}

/// Adds the values beside a chart that only the charts it brings from elsewhere show to be parts of
/// names.
fn add_beside_charts(
    files: &[ScannedFile],
    known: &dyn helm::Charts,
    named: &mut BTreeMap<usize, Promoted>,
) {
    let mut by_folder: HashMap<&Path, Vec<Join>> = HashMap::new();
    for file in files {
        for fact in &file.scan.facts {
            let Fact::Chart(chart) = fact else { continue };
            let joins: Vec<Join> = brought(known, chart).collect();
            if !joins.is_empty() {
                by_folder.entry(folder_of(file)).or_default().extend(joins);
            }
        }
    }
    if by_folder.is_empty() {
        return;
    }
    let values = files.iter().enumerate();
    let values = values.filter(|(_, file)| is_values_name(&file.source.real));
    for (index, file) in values {
        let Some(joins) = by_folder.get(folder_of(file)) else {
            continue;
        };
        let layer = Layer::whole(index);
        let spare: Vec<Spare> = spare(file, &layer, joins).collect();
        if !spare.is_empty() {
            named.entry(index).or_default().spare.extend(spare);
        }
    }
}

/// How the charts that one brings from elsewhere make names, as its own values see them.
fn brought<'c>(known: &'c dyn helm::Charts, chart: &'c Chart) -> impl Iterator<Item = Join> + 'c {
    chart.dependencies.iter().flat_map(move |dependency| {
        let wanted = Wanted {
            repository: dependency.repository.as_deref(),
            chart: &dependency.name,
            version: dependency.version.as_deref(),
        };
        let joins = joins(known, Some(wanted)).into_iter();
        joins.map(move |join| join.below(dependency.key()))
    })
}

/// How the chart makes names, when it is known; what is only said of charts in general shows nothing.
fn joins(known: &dyn helm::Charts, chart: Option<Wanted<'_>>) -> Vec<Join> {
    let known = chart.map_or(Vec::new(), |chart| known.elsewhere(&chart));
    let joins = known.iter().flat_map(|known| known.joins.iter().cloned());
    let is_general = |join: &Join| join.reads().iter().any(|path| path.is_general());
    joins.filter(|join| !is_general(join)).collect()
}

/// The values of a layer that nothing but these joins shows to be parts of names.
fn spare<'s>(
    file: &'s ScannedFile,
    layer: &'s Layer,
    joins: &'s [Join],
) -> impl Iterator<Item = Spare> + 's {
    let sites = file.scan.unproven.iter().filter(|site| site.is_spare());
    let parts = sites.filter_map(Site::parts);
    let parts = parts.filter(|parts| parts.block == layer.block);
    parts.filter_map(|parts| {
        let path = value_path(&below(&parts.at, &layer.at)?, &parts.family)?;
        let mut reads = joins.iter().flat_map(Join::reads);
        reads
            .any(|read| read.matched(&path).is_some())
            .then(|| (parts.block, parts.at.clone(), parts.family.clone()))
    })
}

pub(super) fn read(files: &[ScannedFile], charts: &Charts<'_>, tree: &Tree<'_>) -> Releases {
    let known = Known::of(files);
    let homes = Homes::of(files);
    let mut result = Releases::default();
    let mut away = Away::default();
    for placed in patched::variants(files, &placed(files), tree) {
        known.add(charts, &placed, &mut result, &mut away);
    }
    let is_patched = |fact: &Fact| matches!(fact, Fact::ChartsPatched);
    let patched = files
        .iter()
        .any(|file| file.scan.facts.iter().any(is_patched));
    for combined in &mut result.combined {
        // Which of them is not followed.
        combined.source = if patched {
            ChartSource::default()
        } else {
            homes.resolved(&combined.source)
        };
    }
    away.settle(&mut result.combined, files);
    result
}

/// The releases of all files.
fn placed(files: &[ScannedFile]) -> Vec<Placed> {
    let all = files.iter().enumerate().flat_map(|(file, scanned)| {
        let facts = scanned.scan.facts.iter();
        facts.filter_map(move |fact| match fact {
            Fact::Release(release) => Some(Placed {
                file,
                release: release.clone(),
                layers: release
                    .layers
                    .iter()
                    .map(|given| (file, given.clone()))
                    .collect(),
                patches: Vec::new(),
            }),
            _ => None,
        })
    });
    all.collect()
}

/// A chart that a release may mean.
struct Candidate {
    folder: PathBuf,
    /// Whether it is this one, and not a published one of the same name.
    is_sure: bool,
}

impl Known<'_> {
    /// Adds the merges of a release.
    fn add(&self, charts: &Charts<'_>, placed: &Placed, result: &mut Releases, away: &mut Away) {
        let (by, release) = (placed.file, &placed.release);
        let candidates = self.candidates(charts, placed);
        let is_sure = candidates.iter().any(|candidate| candidate.is_sure);
        if !is_sure {
            result.silent.extend(self.silent(placed));
        }
        let folders = candidates
            .iter()
            .map(|candidate| Some(candidate.folder.as_path()));
        for folder in folders.chain((!is_sure).then_some(None)) {
            if let Some(folder) = folder {
                let defaults = charts.all_defaults(folder).into_iter();
                result.uses.extend(defaults.map(|file| (by, file)));
            }
            let layers = placed.layers.iter();
            let resolved = layers.map(|(by, given)| {
                let resolved = self.resolve(*by, given, folder);
                let files = resolved.layers().map(|layer| (*by, layer.file));
                result.uses.extend(files.filter(|(by, file)| by != file));
                let whole = resolved.layers().filter(|layer| layer.block.is_none());
                result.told.extend(whole.map(|layer| layer.file));
                resolved
            });
            let resolved: Vec<Resolved> = resolved.collect();
            let unknown = resolved.iter().find_map(|layer| layer.unknown.clone());
            let (ways, unknown) = ways(&resolved, unknown);
            for layers in ways {
                let root = match folder {
                    Some(folder) => Root::Folder(folder.to_path_buf()),
                    None => away.number(&release.source, placed, &layers),
                };
                let unreadable = unknown.as_ref().map(|why| {
                    format!(
                        "the release in {} merges it with values that are not known ({why}); write the image out there, or set it by hand",
                        self.files[by].source.path.display()
                    )
                });
                result.combined.push(Combined {
                    targets: deciding(&layers, placed),
                    layers,
                    root,
                    replaces_defaults: release.replaces_defaults,
                    unreadable,
                    source: release.source.clone(),
                    by,
                    name: release.name.clone(),
                    deployed: release.deployed(),
                    span: release.span,
                    is_of_chart: folder.is_some() || is_of_chart(release),
                });
            }
        }
    }

    /// The release, when it is one of a chart and no layer of it names an image.
    fn silent(&self, placed: &Placed) -> Option<Silent> {
        let release = &placed.release;
        let chart = release.source.chart.as_ref();
        let chart = chart.or(release.source.repository.as_ref())?;
        let names = |(by, given): &(usize, Given)| {
            let resolved = self.resolve(*by, given, None);
            let unknown = resolved.unknown.is_some();
            unknown
                || resolved
                    .layers()
                    .any(|layer| layer.names_images(self.files))
        };
        let is_silent = release.has_chart && !placed.layers.iter().any(names);
        Some(Silent {
            file: placed.file,
            span: release.span.filter(|_| is_silent)?,
            chart: chart.clone(),
        })
    }

    /// The charts of the repository that a release may mean.
    fn candidates(&self, charts: &Charts<'_>, placed: &Placed) -> Vec<Candidate> {
        let release = &placed.release;
        let mut found: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for chart in &release.charts {
            if let Some(pattern) = pattern(chart) {
                // A path that is filled in as a whole may be any chart. That matters only where values are
                // merged with its own.
                if !has_folder(chart) && placed.layers.is_empty() {
                    continue;
                }
                let fits = charts.folders().filter(|folder| pattern.fits(folder));
                found.extend(fits.map(|folder| (folder.clone(), has_folder(chart))));
                continue;
            }
            // A published chart may be made from the one of its name.
            let named = charts
                .named(chart)
                .map(|folder| (folder.to_path_buf(), false));
            named.into_iter().for_each(|(folder, sure)| {
                found.entry(folder).or_insert(sure);
            });
            let is_path =
                release.tool == Tool::Argo || chart.contains('/') || chart.starts_with('.');
            let folders = self.folders(placed.file, chart).into_iter();
            for folder in folders.filter(|folder| charts.is_chart(folder)) {
                *found.entry(folder).or_default() |= is_path;
            }
        }
        let found = found.into_iter();
        found
            .map(|(folder, is_sure)| Candidate { folder, is_sure })
            .collect()
    }
}

/// Whether a release is one of a chart, wherever that lies. A folder of an Application without values may
/// hold anything.
fn is_of_chart(release: &Release) -> bool {
    let names_folder = release.tool == Tool::Argo && !release.charts.is_empty();
    release.has_chart && !(names_folder && release.layers.is_empty())
}

/// Every choice of one way for each layer; a layer that comes twice counts where it comes last.
fn ways(resolved: &[Resolved], unknown: Option<String>) -> (Vec<Vec<Layer>>, Option<String>) {
    let mut all: Vec<Vec<Layer>> = vec![Vec::new()];
    let mut unknown = unknown;
    for layer in resolved.iter().filter(|layer| !layer.ways.is_empty()) {
        let mut ways = &layer.ways[..];
        if all.len() * ways.len() > MAX_WAYS {
            unknown = Some("its paths may stand for too many files".to_string());
            ways = &ways[..1];
        }
        let more = all.iter().flat_map(|before| {
            ways.iter().map(|way| {
                let mut layers = before.clone();
                layers.retain(|layer| !way.contains(layer));
                layers.extend(way.iter().cloned());
                layers
            })
        });
        all = more.collect();
    }
    (all, unknown)
}

/// The files whose paths decide the target of a merge: that of its last layer, and where that stands in
/// an object, the last file of values, too.
fn deciding(layers: &[Layer], placed: &Placed) -> Vec<usize> {
    let Some(last) = layers.last() else {
        return vec![placed.file];
    };
    let mut targets = placed.patches.clone();
    if targets.is_empty() {
        targets.push(last.file);
    }
    if last.block.is_some() {
        let mut files = layers.iter().rev().filter(|layer| layer.block.is_none());
        targets.extend(files.next().map(|layer| layer.file));
    }
    targets.dedup();
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer that is one of these files.
    fn one_of(files: std::ops::Range<usize>) -> Resolved {
        Resolved {
            ways: files.map(|file| vec![Layer::whole(file)]).collect(),
            unknown: None,
        }
    }

    #[test]
    fn every_choice_is_a_way_up_to_a_limit() {
        let (all, unknown) = ways(&[one_of(0..16), one_of(16..32)], None);
        assert_eq!((all.len(), unknown), (MAX_WAYS, None));
        assert_eq!(all[1], [Layer::whole(0), Layer::whole(17)]);
        let (all, unknown) = ways(&[one_of(0..16), one_of(16..33)], None);
        assert_eq!(all.len(), 16, "beyond it, the first is taken");
        assert!(unknown.is_some());
    }

    #[test]
    fn a_layer_that_comes_twice_counts_where_it_comes_last() {
        let (all, _) = ways(&[one_of(0..1), one_of(1..2), one_of(0..1)], None);
        assert_eq!(all, [[Layer::whole(1), Layer::whole(0)]]);
    }
}
