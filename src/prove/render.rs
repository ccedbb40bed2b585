//! One thing after the other: what goes into a rendering is copied, the tools render it, and what comes out
//! is compared.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::closure::Closures;
use super::compare::{Difference, compare};
use super::engine::{self, Failed};
use super::images::{self, Image, Inputs, Moves, Origin};
use super::objects::objects;
use super::packages::{self, Packages};
use super::schemas;
use super::targets::{Kind, Layer, Source, Target};
use super::tree::{Changes, Side, Trees};
use super::unrendered::{Unrendered, Why};
use super::words::MALFORMED;
use super::{Options, Outcome, Render, Rendered};
use crate::helm::Wanted;
use crate::plan::values;
use crate::rules::RuleSet;
use crate::sites::ChartSource;

/// Charts that lie beside charts beside charts: further ones are left out.
const MAX_DEPTH: usize = 4;
/// The way to the key that lets Bitnami's charts render with other images.
const ALLOWANCE: [&str; 3] = ["global", "security", "allowInsecureImages"];
/// Why something differs that must not.
const FAILED_AFTER: &str = "it cannot be rendered any more";

/// What is to be rendered, copied.
pub(super) struct Prepared<'p> {
    trees: Trees<'p>,
    changes: &'p Changes,
    pub(super) jobs: Vec<Job<'p>>,
    /// Where values are written that move images.
    scratch: Mutex<usize>,
    folder: tempfile::TempDir,
    tools: engine::Ready<'p>,
}

/// Something to render, with what goes into it.
pub(super) struct Job<'p> {
    target: &'p Target,
    /// The real files that go into it, and the folders that do as a whole.
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    way: Result<Way, Vec<Unrendered>>,
    /// What decides the images that go into it.
    rules: Vec<Arc<RuleSet>>,
}

/// How something is rendered.
enum Way {
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
enum Chart {
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
    fn is_changed(&self, job: &Job<'_>) -> bool {
        self.changes.keys().any(|path| job.is_input(path))
    }

    pub(super) fn render(
        &self,
        job: &Job<'_>,
        notes: &images::Notes,
        options: &Options<'_>,
    ) -> Render {
        let target = job.target;
        let outcome = match &job.way {
            Err(blocked) => Outcome::Not(blocked.clone()),
            Ok(way) => match self.rendered(job, way, notes, options) {
                Ok(rendered) => Outcome::Rendered(rendered),
                Err(failed) => Outcome::Not(vec![Unrendered::of(&failed)]),
            },
        };
        Render {
            kind: target.kind,
            path: target.shown.clone(),
            line: target.line,
            name: target.name.clone(),
            values: target
                .layers
                .iter()
                .map(|layer| layer.shown.clone())
                .collect(),
            outcome,
        }
    }

    fn rendered(
        &self,
        job: &Job<'_>,
        way: &Way,
        notes: &images::Notes,
        options: &Options<'_>,
    ) -> Result<Rendered, Failed> {
        let run = |side| self.run(job, way, side, None, options);
        let before = run(Side::Before)?;
        let mut rendered = Rendered {
            objects: objects(&before).len(),
            ..Rendered::default()
        };
        let after = if self.is_changed(job) {
            match run(Side::After) {
                Ok(after) => after,
                Err(Failed::Stopped) => return Err(Failed::Stopped),
                Err(failed) => {
                    rendered.differences.push(cannot_any_more(&failed));
                    return Ok(rendered);
                }
            }
        } else {
            // The same bytes give the same.
            before.clone()
        };
        let mut compared = compare(&before, &after, None, &job.rules);
        if !compared.differences.is_empty() {
            match run(Side::Before) {
                Ok(again) => compared = compare(&before, &after, Some(&again), &job.rules),
                Err(Failed::Stopped) => return Err(Failed::Stopped),
                // What differs, differs.
                Err(_) => {}
            }
        }
        rendered.changed = compared.changed;
        rendered.differences = compared.differences;
        rendered.derived = compared.derived;
        rendered.unstable = compared.unstable;
        let shown = images::images(&after, options.scan);
        rendered
            .differences
            .extend(self.malformed(&before, &after, &shown, options));
        let mut outside = self.outside(job, &shown, notes, options);
        self.try_moves(job, way, &mut outside, options);
        let rules = &job.target.rules;
        let is_ecr = |image: &&Image| rules.text_is_ecr(&image.reference);
        let in_ecr = shown
            .iter()
            .filter(is_ecr)
            .map(|image| image.reference.clone());
        rendered.in_ecr = in_ecr.collect();
        let found: BTreeSet<images::Outside> = outside.into_iter().map(|(one, _)| one).collect();
        rendered.outside = found.into_iter().collect();
        Ok(rendered)
    }

    /// The images of the second rendering that are none, and were not so in the first.
    fn malformed(
        &self,
        before: &str,
        after: &str,
        shown: &BTreeSet<Image>,
        options: &Options<'_>,
    ) -> Vec<Difference> {
        let bad = shown
            .iter()
            .filter(|image| images::is_malformed(&image.reference));
        let bad: Vec<&Image> = bad.collect();
        if bad.is_empty() || before == after {
            return Vec::new();
        }
        let known = images::images(before, options.scan);
        let new = bad.into_iter().filter(|image| {
            let mut known = known.iter();
            !known.any(|one| one.reference == image.reference)
        });
        let difference = |image: &Image| Difference {
            object: image.template.clone(),
            at: "image".to_string(),
            before: None,
            after: Some(image.reference.clone()),
            why: MALFORMED,
        };
        new.map(difference).collect()
    }

    /// Renders one side, perhaps with values over all others.
    fn run(
        &self,
        job: &Job<'_>,
        way: &Way,
        side: Side,
        more: Option<&Path>,
        options: &Options<'_>,
    ) -> Result<String, Failed> {
        match way {
            Way::Build { folder, has_charts } => {
                let folder = self.trees.place(side, folder);
                self.tools.build(&folder, *has_charts, options.stop)
            }
            Way::Template {
                chart,
                values,
                skips_schema,
            } => {
                let own = values.iter().map(|sides| sides[side as usize].clone());
                let values: Vec<PathBuf> = own.chain(more.map(Path::to_path_buf)).collect();
                let path = match chart {
                    Chart::Folder(folder) => self.trees.place(side, folder),
                    Chart::Package(package) => package.clone(),
                };
                let name = match job.target.kind {
                    Kind::Release => job.target.name.as_deref(),
                    Kind::Kustomization | Kind::Chart => None,
                };
                let chart = engine::Chart {
                    path: &path,
                    skips_schema: *skips_schema,
                    name: name.unwrap_or("release-name"),
                    values: &values,
                };
                self.tools.template(&chart, options.stop)
            }
        }
    }

    fn outside(
        &self,
        job: &Job<'_>,
        shown: &BTreeSet<Image>,
        notes: &images::Notes,
        options: &Options<'_>,
    ) -> Vec<(images::Outside, Vec<Moves>)> {
        let chart = match &job.way {
            Ok(Way::Template { chart, .. }) => Some(match chart {
                Chart::Folder(folder) => folder.as_path(),
                Chart::Package(package) => package.as_path(),
            }),
            _ => None,
        };
        let layers = job.target.layers.iter();
        let inputs = Inputs {
            files: &job.files,
            is_input: &|path| job.is_input(path),
            shown: &|path| (options.shown)(path),
            chart,
            layers: layers
                .map(|layer| (layer.file.clone(), layer.shown.clone()))
                .collect(),
        };
        images::outside(shown, &job.target.rules, notes, &inputs)
    }

    /// Renders once more with the values that may move images into ECR, and keeps those that do: what they
    /// are is guessed by the texts, whether they do is shown.
    fn try_moves(
        &self,
        job: &Job<'_>,
        way: &Way,
        outside: &mut [(images::Outside, Vec<Moves>)],
        options: &Options<'_>,
    ) {
        let rounds = outside.iter().map(|(_, moves)| moves.len()).max();
        for round in 0..rounds.unwrap_or(0) {
            let open = |(one, moves): &&(images::Outside, Vec<Moves>)| {
                let is_open = matches!(&one.origin, Origin::ChartDefault { moved_by, .. } if moved_by.is_empty());
                is_open
                    && one.verdict.is_ok()
                    && moves.get(round).is_some_and(|all| !all.is_empty())
            };
            let tried = outside.iter().filter(open);
            let tried: Moves = tried.flat_map(|(_, moves)| moves[round].clone()).collect();
            if tried.is_empty() {
                continue;
            }
            let Some((text, more)) = self.tried(job, way, &tried, options) else {
                continue;
            };
            let moved = images::images(&text, options.scan);
            for (one, moves) in outside.iter_mut() {
                let Ok(wanted) = &one.verdict else { continue };
                let is_there = |image: &Image| image.reference == *wanted;
                let is_gone = !moved.iter().any(|image| image.reference == one.image);
                if let Origin::ChartDefault { moved_by, .. } = &mut one.origin
                    && moved_by.is_empty()
                    && is_gone
                    && moved.iter().any(is_there)
                    && let Some(moves) = moves.get(round)
                {
                    let shown = moves.iter().chain(&more);
                    *moved_by = shown
                        .map(|(path, text)| (images::shown_path(path), text.clone()))
                        .collect();
                }
            }
        }
    }

    /// A rendering with some values over all others, and the values that it needed besides: charts of
    /// Bitnami refuse other images unless a key allows them, which they name.
    fn tried(
        &self,
        job: &Job<'_>,
        way: &Way,
        moves: &Moves,
        options: &Options<'_>,
    ) -> Option<(String, Moves)> {
        let run = |moves: &Moves| {
            let values = images::values_of(moves.iter());
            let file = self
                .write(&values)
                .map_err(|error| Failed::Broken(error.to_string()))?;
            self.run(job, way, Side::After, Some(&file), options)
        };
        match run(moves) {
            Ok(text) => Some((text, Vec::new())),
            Err(Failed::Refused(talk)) if talk.contains(ALLOWANCE[2]) => {
                let path = ALLOWANCE.map(str::to_string).to_vec();
                let more = vec![(path, "true".to_string())];
                let text = run(&[moves.as_slice(), &more].concat()).ok()?;
                Some((text, more))
            }
            Err(_) => None,
        }
    }

    fn write(&self, values: &Value) -> io::Result<PathBuf> {
        let number = {
            let mut number = self
                .scratch
                .lock()
                .map_err(|_| io::Error::other("poisoned"))?;
            *number += 1;
            *number
        };
        let path = self.folder.path().join(format!("{number}.json"));
        std::fs::write(&path, values.to_string())?;
        Ok(path)
    }
}

impl Job<'_> {
    fn is_input(&self, path: &Path) -> bool {
        self.files.contains(path) || self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Takes over what decides the images of the files that change.
    fn rules_of(&mut self, changes: &Changes) {
        let own = changes.iter().filter(|(path, _)| self.is_input(path));
        let rules: Vec<Arc<RuleSet>> = own.map(|(_, texts)| Arc::clone(&texts.rules)).collect();
        for rules in rules {
            if !self.rules.iter().any(|known| Arc::ptr_eq(known, &rules)) {
                self.rules.push(rules);
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

fn cannot_any_more(failed: &Failed) -> Difference {
    Difference {
        object: String::new(),
        at: String::new(),
        before: None,
        after: Some(Unrendered::of(failed).detail),
        why: FAILED_AFTER,
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
                let values = self.layers(trees, changes, job)?;
                self.chart(trees, folder, job, 0)?;
                Ok(Way::Template {
                    chart: Chart::Folder(folder.clone()),
                    values,
                    skips_schema: schemas::are_remote(&trees.place(Side::After, folder)),
                })
            }
            Source::Elsewhere(source) => {
                let package = self.package(source)?;
                let values = self.layers(trees, changes, job)?;
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

    /// The values of a release or chart, as files for either side.
    fn layers(
        &self,
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
