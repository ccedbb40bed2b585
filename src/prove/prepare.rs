//! What goes into a rendering is found and copied; what is missing is said before a tool runs.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::Options;
use super::closure::Closures;
use super::engine;
use super::packages::{self, Packages};
use super::schemas;
use super::targets::{Layer, Source, Target};
use super::tree::{Changes, Side, Trees};
use super::unrendered::{Unrendered, Why};
use crate::helm::Wanted;
use crate::link::given::values;
use crate::rules::RuleSet;
use crate::sites::ChartSource;

/// Charts that lie beside charts beside charts: further ones are left out.
const MAX_DEPTH: usize = 4;

/// What is to be rendered, copied.
pub(super) struct Prepared<'p> {
    pub(super) trees: Trees<'p>,
    changes: &'p Changes,
    pub(super) jobs: Vec<Job<'p>>,
    /// Where values are written that move images.
    pub(super) scratch: Mutex<usize>,
    pub(super) folder: tempfile::TempDir,
    pub(super) tools: engine::Ready<'p>,
}

/// Something to render, with what goes into it.
pub(super) struct Job<'p> {
    pub(super) target: &'p Target,
    /// The real files that go into it, and the folders that do as a whole.
    pub(super) files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    pub(super) way: Result<Way, Vec<Unrendered>>,
    /// What decides the images that go into it.
    pub(super) rules: Vec<Arc<RuleSet>>,
    /// Whether a name in one of the files meets its image again.
    pub(super) heals: bool,
}

/// How something is rendered.
pub(super) enum Way {
    Build {
        folder: PathBuf,
        has_charts: bool,
    },
    Template {
        chart: Chart,
        /// The files of values, on either side.
        values: Vec<[PathBuf; 2]>,
        /// Whether its schemas name others elsewhere, which Helm would fetch.
        skips_schema: bool,
    },
}

/// A chart to render.
pub(super) enum Chart {
    /// In the copies.
    Folder(PathBuf),
    /// Packed, wherever it lies.
    Package(PathBuf),
}

type Blocked = Vec<Unrendered>;

impl<'p> Prepared<'p> {
    pub(super) fn of(
        targets: &'p [Target],
        changes: &'p Changes,
        options: &Options<'p>,
    ) -> io::Result<Self> {
        let mut prepared = Self {
            trees: Trees::new(options.roots, changes)?,
            changes,
            jobs: Vec::new(),
            scratch: Mutex::new(0),
            folder: tempfile::Builder::new()
                .prefix("ecr-rewrite-prove.")
                .tempdir()?,
            tools: options.engines.ready()?,
        };
        let mut preparer = Preparer {
            closures: Closures::new(options.roots),
            packages: Packages::of(options.roots, options.caches),
            options,
        };
        for target in targets {
            if (options.stop)() {
                break;
            }
            let mut job = Job {
                target,
                files: BTreeSet::new(),
                folders: BTreeSet::new(),
                way: Err(Vec::new()),
                rules: vec![Arc::clone(&target.rules)],
                heals: false,
            };
            job.way = preparer.way(&mut prepared.trees, changes, &mut job);
            job.rules_of(changes);
            if target.is_selected || prepared.is_changed(&job) {
                prepared.jobs.push(job);
            }
        }
        Ok(prepared)
    }

    /// Whether anything that goes into it changes.
    pub(super) fn is_changed(&self, job: &Job<'_>) -> bool {
        self.changes.keys().any(|path| job.is_input(path))
    }
}

impl Job<'_> {
    pub(super) fn is_input(&self, path: &Path) -> bool {
        self.files.contains(path) || self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Takes over what decides the images of the files that change.
    fn rules_of(&mut self, changes: &Changes) {
        for (path, texts) in changes {
            if !self.is_input(path) {
                continue;
            }
            self.heals |= texts.heals;
            if !self
                .rules
                .iter()
                .any(|known| Arc::ptr_eq(known, &texts.rules))
            {
                self.rules.push(Arc::clone(&texts.rules));
            }
        }
    }

    fn take(&mut self, trees: &mut Trees<'_>, place: &Path) -> Result<(), Blocked> {
        let cannot = |error: io::Error| {
            let detail = format!("{}: {error}", place.display());
            vec![Unrendered::new(Why::MissingFile, &detail)]
        };
        trees.add(place).map_err(cannot)?;
        let real = place.canonicalize().map_err(cannot)?;
        if real.is_dir() {
            self.folders.insert(real);
        } else {
            self.files.insert(real);
        }
        Ok(())
    }
}

/// Finds out how things are rendered.
struct Preparer<'o, 'p> {
    closures: Closures<'p>,
    packages: Packages,
    options: &'o Options<'p>,
}

impl Preparer<'_, '_> {
    fn way(
        &mut self,
        trees: &mut Trees<'_>,
        changes: &Changes,
        job: &mut Job<'_>,
    ) -> Result<Way, Blocked> {
        match &job.target.source {
            Source::Kustomization(folder) => self.build(trees, folder, job),
            Source::Chart(folder) => {
                let values = layers(trees, changes, job)?;
                self.chart(trees, folder, job, 0)?;
                Ok(Way::Template {
                    chart: Chart::Folder(folder.clone()),
                    values,
                    skips_schema: schemas::are_remote(&trees.place(Side::After, folder)),
                })
            }
            Source::Elsewhere(source) => {
                let package = self.package(source)?;
                let values = layers(trees, changes, job)?;
                Ok(Way::Template {
                    skips_schema: schemas::are_remote(&package),
                    chart: Chart::Package(package),
                    values,
                })
            }
        }
    }

    fn build(
        &mut self,
        trees: &mut Trees<'_>,
        folder: &Path,
        job: &mut Job<'_>,
    ) -> Result<Way, Blocked> {
        let closure = self.closures.of(folder);
        for place in &closure.places {
            // What cannot be copied is missing: kustomize says so.
            if let Err(blocked) = job.take(trees, place)
                && closure.blocked.is_empty()
            {
                return Err(blocked);
            }
        }
        for way in &closure.ways {
            drop(trees.link(way));
        }
        if closure.is_component {
            return Err(vec![Unrendered::new(Why::Component, "")]);
        }
        if !closure.blocked.is_empty() {
            return Err(closure.blocked.clone());
        }
        let engines = self.options.engines;
        if !engines.has_kustomize() {
            return Err(vec![Unrendered::new(Why::NoTool, "kustomize")]);
        }
        if closure.has_charts && !engines.has_helm() {
            return Err(vec![Unrendered::new(Why::NoTool, "helm")]);
        }
        let charts = job
            .folders
            .iter()
            .map(|chart| trees.place(Side::After, chart));
        if closure.has_charts && charts.into_iter().any(|chart| schemas::are_remote(&chart)) {
            let why = "the schema of a chart";
            return Err(vec![Unrendered::new(Why::RemoteBase, why)]);
        }
        Ok(Way::Build {
            folder: folder.to_path_buf(),
            has_charts: closure.has_charts,
        })
    }

    /// Copies a chart with the charts that it brings.
    fn chart(
        &self,
        trees: &mut Trees<'_>,
        folder: &Path,
        job: &mut Job<'_>,
        depth: usize,
    ) -> Result<(), Blocked> {
        job.take(trees, folder)?;
        let mut blocked = Vec::new();
        for listed in packages::missing(folder) {
            let beside = listed.repository.strip_prefix("file://");
            let beside = beside.map(|path| super::tree::normalised(&folder.join(path)));
            let beside = beside.filter(|path| path.join("Chart.yaml").is_file());
            let package = || self.packages.find(&listed.name, listed.version.as_deref());
            let charts = folder.join("charts");
            let brought = match (&beside, package()) {
                (Some(beside), _) if depth < MAX_DEPTH => {
                    self.chart(trees, beside, job, depth + 1)?;
                    trees.bring(beside, &charts.join(&listed.name))
                }
                (None, Some(package)) => {
                    let name = package.file_name().unwrap_or_default();
                    trees.bring(package, &charts.join(name))
                }
                _ => Err(io::Error::other("it is not at hand")),
            };
            if brought.is_err() {
                let version = listed.version.as_deref().unwrap_or("");
                let detail = format!("{} {version} of {}", listed.name, listed.repository);
                blocked.push(Unrendered::new(Why::DependencyNotAtHand, &detail));
            }
        }
        if !self.options.engines.has_helm() {
            blocked = vec![Unrendered::new(Why::NoTool, "helm")];
        }
        if blocked.is_empty() {
            Ok(())
        } else {
            Err(blocked)
        }
    }

    /// The package of a chart that does not lie in the repository unpacked.
    fn package(&self, source: &ChartSource) -> Result<PathBuf, Blocked> {
        let wanted = Wanted {
            chart: source.chart.as_deref().unwrap_or(""),
            ..Wanted::default()
        };
        let found = self.packages.find(wanted.name(), source.version.as_deref());
        let Some(package) = found else {
            let version = source
                .version
                .as_deref()
                .map(|version| format!(" {version}"));
            let from = source
                .repository
                .as_deref()
                .map(|from| format!(" of {from}"));
            let detail = format!(
                "{}{}{}",
                source.chart.as_deref().unwrap_or("?"),
                version.unwrap_or_default(),
                from.unwrap_or_default()
            );
            return Err(vec![Unrendered::new(Why::ChartNotAtHand, &detail)]);
        };
        if !self.options.engines.has_helm() {
            return Err(vec![Unrendered::new(Why::NoTool, "helm")]);
        }
        Ok(package.to_path_buf())
    }
}

/// The values of a release or chart, as files for either side.
fn layers(
    trees: &mut Trees<'_>,
    changes: &Changes,
    job: &mut Job<'_>,
) -> Result<Vec<[PathBuf; 2]>, Blocked> {
    let unknown = |why: &str| vec![Unrendered::new(Why::ValuesUnknown, why)];
    if let Some(why) = &job.target.unknown {
        return Err(unknown(why));
    }
    let target = job.target;
    let mut files = Vec::new();
    for layer in &target.layers {
        job.take(trees, &layer.file)?;
        let Some(standing) = &layer.standing else {
            files.push([Side::Before, Side::After].map(|side| trees.place(side, &layer.file)));
            continue;
        };
        let texts = texts_of(layer, changes).map_err(|error| unknown(&error.to_string()))?;
        let mut sides = Vec::new();
        for (side, text) in [Side::Before, Side::After].into_iter().zip(texts) {
            let values = values(&text, standing)
                .ok_or_else(|| unknown("values in the object cannot be read"))?;
            let written = trees.write(side, &values.to_string());
            sides.push(written.map_err(|error| unknown(&error.to_string()))?);
        }
        files.extend(<[PathBuf; 2]>::try_from(sides).ok());
    }
    Ok(files)
}

/// The text of a layer's file before and after.
fn texts_of(layer: &Layer, changes: &Changes) -> io::Result<[String; 2]> {
    match changes.get(&layer.file) {
        Some(texts) => Ok([texts.before.clone(), texts.after.clone()]),
        None => {
            let text = std::fs::read_to_string(&layer.file)?;
            Ok([text.clone(), text])
        }
    }
}
