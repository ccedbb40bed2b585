//! What goes into a rendering is found; what is missing is said before a tool runs. Then it is laid out, for
//! each rendering alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::Options;
use super::closure::Closures;
use super::engine;
use super::packages::{self, Packages};
use super::schemas;
use super::targets::{Layer, Source, Target};
use super::tree::{Changes, Side, Step, Store, Trees};
use super::unrendered::{Unrendered, Why};
use crate::helm::Wanted;
use crate::helm::local::Listed;
use crate::link::given::values;
use crate::rules::RuleSet;
use crate::sites::ChartSource;

/// Charts that lie beside charts beside charts: further ones are left out.
const MAX_DEPTH: usize = 4;
/// How a dependency says that it lies in a folder beside.
const BESIDE: &str = "file://";

/// What is to be rendered.
pub(super) struct Prepared<'p> {
    pub(super) store: Store<'p>,
    pub(super) changes: &'p Changes,
    pub(super) jobs: Vec<Job<'p>>,
    /// How many files of values were written that move images.
    pub(super) tried: AtomicUsize,
    pub(super) tools: engine::Ready<'p>,
}

/// Something to render, with what goes into it.
pub(super) struct Job<'p> {
    pub(super) target: &'p Target,
    /// The real files that go into it, and the folders that do as a whole.
    pub(super) files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    /// How they are laid out.
    steps: Vec<Step>,
    pub(super) way: Result<Way, Vec<Unrendered>>,
    /// What decides the images that go into it.
    pub(super) rules: Vec<Arc<RuleSet>>,
    /// Whether a name in one of the files meets its image again.
    pub(super) heals: bool,
}

/// How something is rendered.
pub(super) enum Way {
    Build { folder: PathBuf, has_charts: bool },
    Template(Chart),
}

/// A chart to render.
pub(super) enum Chart {
    /// In the copies.
    Folder(PathBuf),
    /// Packed, wherever it lies.
    Package(PathBuf),
}

/// The copies for one rendering, and what is made of them alone.
pub(super) struct Laid<'l> {
    pub(super) trees: Trees<'l>,
    /// The files of values, on either side.
    pub(super) values: Vec<[PathBuf; 2]>,
    /// Whether the schemas of the chart name others elsewhere, which Helm would fetch.
    pub(super) skips_schema: bool,
}

type Blocked = Vec<Unrendered>;

impl<'p> Prepared<'p> {
    pub(super) fn of(
        targets: &'p [Target],
        changes: &'p Changes,
        options: &Options<'p>,
    ) -> io::Result<Self> {
        let mut prepared = Self {
            store: Store::new(options.roots, changes)?,
            changes,
            jobs: Vec::new(),
            tried: AtomicUsize::new(0),
            tools: options.engines.ready()?,
        };
        let mut preparer = Preparer {
            closures: Closures::new(options.roots),
            packages: Packages::of(options.roots, options.cache),
            missing: BTreeMap::new(),
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
                steps: Vec::new(),
                way: Err(Vec::new()),
                rules: vec![Arc::clone(&target.rules)],
                heals: false,
            };
            job.way = preparer.way(&mut job);
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

    /// Lays out the copies for a rendering.
    pub(super) fn lay(&self, job: &Job<'_>, way: &Way) -> Result<Laid<'_>, Blocked> {
        let cannot = |what: &Path, error: &io::Error| {
            let detail = format!("{}: {error}", what.display());
            vec![Unrendered::new(Why::MissingFile, &detail)]
        };
        let trees = Trees::new(&self.store);
        let mut trees = trees.map_err(|error| cannot(Path::new("a copy"), &error))?;
        for step in &job.steps {
            let put = trees.put(step);
            // What a link does not lead to is missing: the tool says so.
            if let (Step::Add(path) | Step::Bring(path, _), Err(error)) = (step, put) {
                return Err(cannot(path, &error));
            }
        }
        let mut laid = Laid {
            trees,
            values: Vec::new(),
            skips_schema: false,
        };
        match way {
            Way::Build { has_charts, .. } => {
                let mut charts = job.folders.iter();
                let is_remote =
                    |chart: &PathBuf| schemas::are_remote(&laid.trees.place(Side::After, chart));
                if *has_charts && charts.any(is_remote) {
                    let why = "the schema of a chart";
                    return Err(vec![Unrendered::new(Why::RemoteBase, why)]);
                }
            }
            Way::Template(chart) => {
                laid.values = layers(&mut laid.trees, self.changes, job)?;
                laid.skips_schema = match chart {
                    Chart::Folder(folder) => {
                        schemas::are_remote(&laid.trees.place(Side::After, folder))
                    }
                    Chart::Package(package) => schemas::are_remote(package),
                };
            }
        }
        Ok(laid)
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

    /// Takes in a file or folder.
    fn take(&mut self, place: &Path) -> Result<(), Blocked> {
        let real = place.canonicalize().map_err(|error| {
            let detail = format!("{}: {error}", place.display());
            vec![Unrendered::new(Why::MissingFile, &detail)]
        })?;
        self.steps.push(Step::Add(place.to_path_buf()));
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
    packages: Packages<'p>,
    /// The charts that those of folders lack.
    missing: BTreeMap<PathBuf, Vec<Listed>>,
    options: &'o Options<'p>,
}

impl Preparer<'_, '_> {
    fn way(&mut self, job: &mut Job<'_>) -> Result<Way, Blocked> {
        if let Some(unrendered) = &job.target.blocked {
            return Err(vec![unrendered.clone()]);
        }
        match &job.target.source {
            Source::Kustomization(folder) => self.build(folder, job),
            Source::Chart(folder) => {
                take_layers(job)?;
                self.chart(folder, job, 0)?;
                Ok(Way::Template(Chart::Folder(folder.clone())))
            }
            Source::Elsewhere(source) => {
                let package = self.package(source)?;
                take_layers(job)?;
                Ok(Way::Template(Chart::Package(package)))
            }
        }
    }

    fn build(&mut self, folder: &Path, job: &mut Job<'_>) -> Result<Way, Blocked> {
        let closure = self.closures.of(folder);
        for place in &closure.places {
            // What cannot be copied is missing: kustomize says so.
            if let Err(blocked) = job.take(place)
                && closure.blocked.is_empty()
            {
                return Err(blocked);
            }
        }
        job.steps
            .extend(closure.ways.iter().cloned().map(Step::Link));
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
        Ok(Way::Build {
            folder: folder.to_path_buf(),
            has_charts: closure.has_charts,
        })
    }

    /// Takes in a chart with the charts that it brings.
    fn chart(&mut self, folder: &Path, job: &mut Job<'_>, depth: usize) -> Result<(), Blocked> {
        job.take(folder)?;
        let mut blocked = Vec::new();
        let missing = self.missing.entry(folder.to_path_buf());
        let missing = missing.or_insert_with(|| packages::missing(folder)).clone();
        for listed in missing {
            let beside = listed.repository.strip_prefix(BESIDE);
            let beside = beside.map(|path| super::tree::normalised(&folder.join(path)));
            let beside = beside.filter(|path| path.join("Chart.yaml").is_file());
            let charts = folder.join("charts");
            if let Some(beside) = beside.filter(|_| depth < MAX_DEPTH) {
                self.chart(&beside, job, depth + 1)?;
                let to = charts.join(&listed.name);
                job.steps.push(Step::Bring(beside, to));
            } else if let Some(package) = self.packages.find(&wanted(&listed)) {
                let to = charts.join(package.file_name().unwrap_or_default());
                job.steps.push(Step::Bring(package, to));
            } else {
                let detail = format!(
                    "{} {} of {}",
                    listed.name, listed.version, listed.repository
                );
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
            repository: source.repository.as_deref(),
            chart: source.chart.as_deref().unwrap_or(""),
            version: source.version.as_deref(),
        };
        let Some(package) = self.packages.find(&wanted) else {
            let version = wanted.version.map(|version| format!(" {version}"));
            let from = wanted.repository.map(|from| format!(" of {from}"));
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
        Ok(package)
    }
}

/// What another chart wants.
fn wanted(listed: &Listed) -> Wanted<'_> {
    let text = |text: &'_ str| !text.is_empty();
    Wanted {
        repository: Some(listed.repository.as_str()).filter(|it| text(it)),
        chart: &listed.name,
        version: Some(listed.version.as_str()).filter(|it| text(it)),
    }
}

/// Takes in the files of the values of a release or chart.
fn take_layers(job: &mut Job<'_>) -> Result<(), Blocked> {
    let target = job.target;
    if let Some(why) = &target.unknown {
        return Err(vec![Unrendered::new(Why::ValuesUnknown, why)]);
    }
    target
        .layers
        .iter()
        .try_for_each(|layer| job.take(&layer.file))
}

/// The values of a release or chart, as files for either side.
fn layers(
    trees: &mut Trees<'_>,
    changes: &Changes,
    job: &Job<'_>,
) -> Result<Vec<[PathBuf; 2]>, Blocked> {
    let unknown = |why: &str| vec![Unrendered::new(Why::ValuesUnknown, why)];
    let target = job.target;
    let mut files = Vec::new();
    for layer in &target.layers {
        let texts = texts_of(layer, changes).map_err(|error| unknown(&error.to_string()))?;
        let shown = layer.shown.display();
        let is_template = layer
            .shown
            .extension()
            .is_some_and(|ending| ending == TEMPLATE);
        let Some(standing) = &layer.standing else {
            if is_template && texts[0].contains(FILLED) {
                return Err(unknown(&format!("`{shown}` is a template")));
            }
            files.push([Side::Before, Side::After].map(|side| trees.place(side, &layer.file)));
            continue;
        };
        let mut sides = Vec::new();
        for (side, text) in [Side::Before, Side::After].into_iter().zip(texts) {
            let values = values(&text, standing)
                .ok_or_else(|| unknown("values in the object cannot be read"))?;
            let values = values.to_string();
            if target.is_filled && values.contains(FILLED) {
                return Err(unknown(&format!("a template fills in values in `{shown}`")));
            }
            let written = trees.write(side, &values);
            sides.push(written.map_err(|error| unknown(&error.to_string()))?);
        }
        files.extend(<[PathBuf; 2]>::try_from(sides).ok());
    }
    Ok(files)
}

/// How the names of files end that helmfile fills in, and what it fills in.
const TEMPLATE: &str = "gotmpl";
const FILLED: &str = "{{";

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
