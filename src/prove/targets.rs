//! What is rendered: every kustomization, every chart with its own values and with each set of values that
//! lies beside them, and every release with its layers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::remotes::Remotes;
use super::unrendered::{Unrendered, Why};
use crate::link::given::{Standing, standing};
use crate::link::{ChartUse, Links, ReleaseUse};
use crate::rules::RuleSet;
use crate::scan::ScannedFile;
use crate::sites::{BlockId, ChartSource, Deployed, Fact, Tool, is_chart_file};
use crate::source::{Lines, Span};
use crate::walk::{KUSTOMIZATIONS, Role};

/// Where a chart keeps the charts that it brings: these are rendered with it.
const CHARTS: &str = "charts";
/// Where it keeps its templates.
const TEMPLATES: &str = "templates";

/// What kind of thing is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder with a kustomization.
    Kustomization,
    /// A chart, with its own values or those beside them.
    Chart,
    /// A release of a chart, with its own values.
    Release,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kustomization, Self::Chart, Self::Release];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kustomization => "kustomization",
            Self::Chart => "chart",
            Self::Release => "release",
        }
    }
}

/// Something to render.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// The folder of the kustomization or chart, or the file of the release, as it is shown.
    pub shown: PathBuf,
    /// The line of the release.
    pub line: Option<usize>,
    /// The name of the release.
    pub name: Option<String>,
    /// Whether its own files are among the given paths.
    pub is_selected: bool,
    /// What decides its images.
    pub rules: Arc<RuleSet>,
    /// What is rendered.
    pub(super) source: Source,
    /// The values that lie over the chart's own.
    pub(super) layers: Vec<Layer>,
    /// Why not all of them are known.
    pub(super) unknown: Option<String>,
    /// Why it is not rendered whatever its values are.
    pub(super) blocked: Option<Unrendered>,
    /// How it is deployed.
    pub(super) release: Deployed,
    /// Whether what stands in braces in its values is filled in before Helm sees them.
    pub(super) is_filled: bool,
}

/// What is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The kustomization in a folder.
    Kustomization(PathBuf),
    /// The chart in a folder.
    Chart(PathBuf),
    /// A chart that does not lie in the repository unpacked.
    Elsewhere(ChartSource),
}

/// Values over a chart's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Layer {
    /// The file.
    pub(super) file: PathBuf,
    /// The same, as it is shown.
    pub(super) shown: PathBuf,
    /// Where they stand in it, when they are a part.
    pub(super) standing: Option<Standing>,
}

/// Everything there is to render.
pub fn targets(
    files: &[ScannedFile],
    links: &Links,
    remotes: &Remotes,
    rules_for: &dyn Fn(&Path) -> Arc<RuleSet>,
) -> Vec<Target> {
    let finder = Finder {
        files,
        remotes,
        rules_for,
        charts: files
            .iter()
            .filter(|file| is_chart_file(&file.source.real))
            .filter_map(|file| file.source.real.parent())
            .collect(),
    };
    let mut targets = finder.kustomizations();
    let releases = finder.releases(&links.releases(files));
    targets.extend(finder.charts(&links.uses, &releases));
    targets.extend(finder.changed_afterwards(&releases));
    targets.extend(releases);
    targets
}

struct Finder<'f> {
    files: &'f [ScannedFile],
    remotes: &'f Remotes,
    rules_for: &'f dyn Fn(&Path) -> Arc<RuleSet>,
    /// The folders of charts.
    charts: BTreeSet<&'f Path>,
}

impl Finder<'_> {
    fn kustomizations(&self) -> Vec<Target> {
        let mut folders = BTreeSet::new();
        let mut targets = Vec::new();
        for file in self.files {
            let is_one = |path: &&Path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| KUSTOMIZATIONS.contains(&name))
            };
            let place = file.source.places().find(is_one);
            let Some(folder) = place.and_then(Path::parent) else {
                continue;
            };
            if folders.insert(folder) {
                let source = Source::Kustomization(folder.to_path_buf());
                targets.push(self.target(Kind::Kustomization, file, source));
            }
        }
        targets
    }

    fn charts(&self, uses: &[ChartUse], releases: &[Target]) -> Vec<Target> {
        let mut targets = Vec::new();
        for file in self
            .files
            .iter()
            .filter(|file| is_chart_file(&file.source.real))
        {
            let Some(folder) = file.source.real.parent() else {
                continue;
            };
            if self.is_brought(folder) {
                continue;
            }
            let chart = self.target(Kind::Chart, file, Source::Chart(folder.to_path_buf()));
            let mut known: BTreeSet<Vec<Layer>> = releases
                .iter()
                .filter(|release| release.source == chart.source)
                .map(|release| release.layers.clone())
                .collect();
            known.insert(Vec::new());
            targets.push(chart.clone());
            for one in uses.iter().filter(|one| one.chart == folder) {
                let Some(layers) = self.layers(&one.layers) else {
                    continue;
                };
                let is_meant = layers.iter().all(|layer| is_values(layer, folder));
                if is_meant && one.has_defaults && known.insert(layers.clone()) {
                    let mut target = chart.clone();
                    target.layers = layers;
                    target.rules = (self.rules_for)(&self.files[one.target].source.real);
                    targets.push(target);
                }
            }
        }
        targets
    }

    /// Whether a chart lies in another one, which brings it.
    fn is_brought(&self, folder: &Path) -> bool {
        let mut above = folder.ancestors().skip(1);
        above.any(|above| {
            let is_charts = above.file_name().is_some_and(|name| name == CHARTS);
            is_charts
                && above
                    .parent()
                    .is_some_and(|chart| self.charts.contains(chart))
        })
    }

    fn releases(&self, releases: &[ReleaseUse]) -> Vec<Target> {
        let mut known = BTreeSet::new();
        let targets = releases.iter().filter_map(|release| {
            let file = &self.files[release.file];
            let source = match &release.chart {
                Some(folder) => Source::Chart(folder.clone()),
                None => Source::Elsewhere(release.source.clone()),
            };
            let mut target = self.target(Kind::Release, file, source);
            target.line = release.span.map(|span| line_of(file, span));
            target.name.clone_from(&release.name);
            target.rules = (self.rules_for)(&self.files[release.target].source.real);
            target.unknown.clone_from(&release.unknown);
            target.blocked = afterwards(&release.deployed);
            target.is_filled = release.deployed.is_filled;
            target.release = release.deployed.clone();
            if let Some(url) = self.remotes.elsewhere(&release.deployed.repositories) {
                let why = format!("it reads files of {url}, which is another repository");
                target.unknown.get_or_insert(why);
            }
            if release.replaces_defaults {
                let why = "its values take the place of the chart's own, which is not followed";
                target.unknown.get_or_insert(why.to_string());
            }
            match self.layers(&release.layers) {
                Some(layers) => target.layers = layers,
                None => {
                    let why = "where its values stand cannot be told";
                    target.unknown.get_or_insert(why.to_string());
                }
            }
            let same = (
                (release.file, release.span, release.chart.clone()),
                (release.layers.clone(), release.unknown.clone()),
            );
            known.insert(same).then_some(target)
        });
        targets.collect()
    }

    /// What Argo CD makes of folders that hold no charts, where it does more than to build them.
    fn changed_afterwards(&self, releases: &[Target]) -> Vec<Target> {
        let mut targets = Vec::new();
        for file in self.files {
            for fact in &file.scan.facts {
                let Fact::Release(release) = fact else {
                    continue;
                };
                let deployed = release.deployed();
                let Some(blocked) = afterwards(&deployed) else {
                    continue;
                };
                let line = release.span.map(|span| line_of(file, span));
                let is_known =
                    |target: &Target| target.line == line && target.shown == file.source.path;
                if release.tool != Tool::Argo || releases.iter().any(is_known) {
                    continue;
                }
                let source = Source::Elsewhere(release.source.clone());
                let mut target = self.target(Kind::Release, file, source);
                target.line = line;
                target.name = deployed.name;
                target.blocked = Some(blocked);
                targets.push(target);
            }
        }
        targets
    }

    fn layers(&self, layers: &[(usize, Option<BlockId>)]) -> Option<Vec<Layer>> {
        let layers = layers.iter().map(|&(file, block)| {
            let source = &self.files[file].source;
            let standing = match block {
                Some(block) => Some(standing(&source.text, Some(block))?),
                None => None,
            };
            Some(Layer {
                file: source.real.clone(),
                shown: source.path.clone(),
                standing,
            })
        });
        layers.collect()
    }

    fn target(&self, kind: Kind, file: &ScannedFile, source: Source) -> Target {
        let shown = match kind {
            Kind::Release => Some(file.source.path.as_path()),
            Kind::Kustomization | Kind::Chart => file.source.path.parent(),
        };
        let shown = shown.unwrap_or(&file.source.path);
        let is_here = shown.as_os_str().is_empty();
        Target {
            kind,
            shown: if is_here {
                PathBuf::from(".")
            } else {
                shown.to_path_buf()
            },
            line: None,
            name: match &source {
                Source::Chart(_) => chart_name(file),
                _ => None,
            },
            is_selected: file.role == Role::Selected,
            rules: (self.rules_for)(&file.source.real),
            source,
            layers: Vec::new(),
            unknown: None,
            blocked: None,
            release: Deployed::default(),
            is_filled: false,
        }
    }
}

/// Whether a file beside a chart's own values is there to be given to Helm: other files are merged with them
/// in a plan to be on the safe side.
fn is_values(layer: &Layer, chart: &Path) -> bool {
    let below = layer.file.strip_prefix(chart).unwrap_or(&layer.file);
    let name = below.file_stem().and_then(|name| name.to_str());
    let ending = below.extension().and_then(|ending| ending.to_str());
    let is_yaml = matches!(ending, Some("yaml" | "yml"));
    let mut parts = below.components();
    let is_named = name.is_some_and(|name| name.contains("values"));
    is_yaml && is_named && !parts.any(|part| part.as_os_str() == TEMPLATES)
}

/// Why a release is not rendered of which what the chart makes is changed afterwards.
fn afterwards(deployed: &Deployed) -> Option<Unrendered> {
    let key = deployed.afterwards.as_ref()?;
    let detail = format!("its `{key}` is not followed");
    Some(Unrendered::new(Why::Afterwards, &detail))
}

fn line_of(file: &ScannedFile, span: Span) -> usize {
    let text = &file.source.text;
    let lines = Lines::new(text);
    lines.position(span.start.min(text.len())).line
}

fn chart_name(file: &ScannedFile) -> Option<String> {
    let mut facts = file.scan.facts.iter();
    facts.find_map(|fact| match fact {
        Fact::Chart(chart) => chart.name.clone(),
        _ => None,
    })
}
