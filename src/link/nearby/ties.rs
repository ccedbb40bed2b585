//! What a file that was read says of others: which of them it hangs together with.
//!
//! Paths are followed generously: from every folder above, whatever the tool does. One tie too many costs a
//! file to read; one too few, an image whose other half nobody sees.

use super::glance::hash;
use super::places::{Places, joined};
use crate::link::filled::{Pattern, is_filled, pattern};
use crate::link::placeholder::{Known, known};
use crate::scan::ScannedFile;
use crate::sites::{Acts, Fact, From, Kustomization, Release};

/// What a file says of others.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// The files that it names.
    pub(super) files: Vec<usize>,
    /// The files that it takes in as a kustomization does.
    pub(super) taken: Vec<usize>,
    /// What fits the paths that it names and of which a part is filled in.
    pub(super) globs: Vec<Pattern>,
    /// The folders in which it acts on everything.
    pub(super) folders: Vec<String>,
    /// What it is known by, as hashes of kind and name.
    pub(super) is: Vec<u64>,
    /// What it asks for by name, in the same way.
    pub(super) wants: Vec<u64>,
    /// The charts that it is, brings or uses, by their names: files of charts with the same names go along.
    pub(super) charts: Vec<u64>,
    /// The objects of which it holds parts: files with the same objects are looked at, too.
    pub(super) objects: Vec<u64>,
    /// Whether it acts on what lists it, and on anything when nothing does.
    pub(super) is_part: bool,
    /// How far it reaches by itself.
    pub(super) reach: Reach,
}

/// How far what a file says reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// To what it names.
    #[default]
    Named,
    /// To what is built with it, which it may act on wherever that is named.
    Built,
    /// To any file.
    Anywhere,
}

/// What a name is the name of.
const RELEASE: &str = "release";
const MAP: &str = "map";
const CHART: &str = "chart";
const CHART_OBJECT: &str = "chart object";

impl Ties {
    /// The ties of a file.
    pub(super) fn of(file: &ScannedFile, places: &Places<'_>) -> Self {
        let mut ties = Self::default();
        for fact in &file.scan.facts {
            ties.add(fact, file, places);
        }
        if !file.scan.keyed.is_empty() {
            // It asks what becomes of images anywhere.
            ties.reach(Reach::Anywhere);
        }
        ties
    }

    fn reach(&mut self, reach: Reach) {
        self.reach = self.reach.max(reach);
    }

    fn add(&mut self, fact: &Fact, file: &ScannedFile, places: &Places<'_>) {
        match fact {
            Fact::Kustomization(kustomization) => self.kustomization(kustomization, file, places),
            Fact::Release(release) => self.release(release, file, places),
            Fact::Chart(chart) => self
                .is
                .extend(chart.name.as_deref().map(|name| of(CHART, name))),
            Fact::ConfigMap(map) => self.is.push(of(MAP, &map.name)),
            Fact::Generated(generated) => self.is.push(of(MAP, &generated.name)),
            // Without an object it is a patch, which acts on what is built with it.
            Fact::Piece { object, .. } => {
                let name = object.as_ref().and_then(|object| object.split_once('/'));
                self.objects.extend(name.map(|(_, name)| hash(name)));
            }
            Fact::PatchPiece(_)
            | Fact::Operation(_)
            | Fact::Tested(_)
            | Fact::UnclearPatch(_)
            | Fact::ImageFields
            | Fact::InflatedCharts { .. } => self.reach(Reach::Built),
            // These are told of the whole repository by the files that are read anyway.
            Fact::ChartsPatched
            | Fact::ChartHome { .. }
            | Fact::FixedImages(_)
            | Fact::Deploys { .. } => {}
            Fact::Unread => self.reach(Reach::Anywhere),
        }
    }

    fn kustomization(&mut self, fact: &Kustomization, file: &ScannedFile, places: &Places<'_>) {
        let mut names = fact.names.iter();
        if names.any(|name| known(&name.pattern) == Known::Nothing) {
            self.reach(Reach::Built);
        }
        let own = places.above(&file.source.real).next().unwrap_or_default();
        let own = [String::from_utf8_lossy(own).into_owned()];
        let folders: Vec<String> = match &fact.folder {
            Some((folder, _)) => from_above(file, folder, places)
                .filter(|folder| places.is_folder(folder))
                .collect(),
            None => own.to_vec(),
        };
        let paths = fact.takes_in.iter().flat_map(|taking| {
            let paths = folders.iter().map(|folder| joined(folder, &taking.path));
            paths.collect::<Vec<_>>()
        });
        let taken = paths.flat_map(|path| places.at(&path).collect::<Vec<_>>());
        if fact.folder.is_some() {
            self.files.extend(taken);
        } else {
            self.taken.extend(taken);
        }
        let acts = !fact.names.is_empty()
            || !fact.takes_in.is_empty()
            || !fact.inline_patches.is_empty()
            || fact.unclear.is_some();
        match fact.acts {
            Acts::Anywhere if acts => self.reach(Reach::Anywhere),
            Acts::Last => self.reach(Reach::Built),
            Acts::OnItsParents => self.is_part |= acts,
            _ if fact.folder.is_some() && acts && folders.is_empty() => self.reach(Reach::Anywhere),
            _ if fact.folder.is_some() && acts => self.folders.extend(folders),
            _ => {}
        }
    }

    fn release(&mut self, release: &Release, file: &ScannedFile, places: &Places<'_>) {
        self.is
            .extend(release.name.as_deref().map(|name| of(RELEASE, name)));
        self.wants
            .extend(release.name.as_deref().map(|name| of(RELEASE, name)));
        self.is.extend(
            release
                .chart_name
                .as_deref()
                .map(|name| of(CHART_OBJECT, name)),
        );
        self.wants.extend(
            release
                .chart_object
                .as_deref()
                .map(|name| of(CHART_OBJECT, name)),
        );
        if !release.has_chart {
            self.reach(Reach::Built);
        }
        for chart in &release.charts {
            if is_filled(chart) {
                self.globs.extend(pattern(&format!("{chart}/Chart.yaml")));
                continue;
            }
            self.wants
                .push(of(CHART, chart.rsplit('/').next().unwrap_or(chart)));
            self.name(file, chart, places);
        }
        for given in &release.layers {
            match &given.from {
                From::File { path, .. } => {
                    let path = match path.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
                        Some((_, rest)) => rest,
                        None => path,
                    };
                    if is_filled(path) {
                        self.globs.extend(pattern(path));
                    } else {
                        self.name(file, path, places);
                        for chart in &release.charts {
                            self.name(file, &format!("{chart}/{path}"), places);
                        }
                    }
                }
                From::Map { name, .. } => self.wants.push(of(MAP, name)),
                From::Block { .. } | From::Unknown(_) => {}
            }
        }
    }

    /// Takes what stands at a path, from any folder above.
    fn name(&mut self, file: &ScannedFile, path: &str, places: &Places<'_>) {
        for path in from_above(file, path, places) {
            self.files.extend(places.at(&path));
        }
    }
}

/// A path as seen from each folder above a file.
fn from_above<'p>(
    file: &'p ScannedFile,
    path: &'p str,
    places: &'p Places<'_>,
) -> impl Iterator<Item = String> + 'p {
    let above = places.above(&file.source.real);
    above.map(move |folder| joined(&String::from_utf8_lossy(folder), path))
}

fn of(kind: &str, name: &str) -> u64 {
    hash(&format!("{kind} {name}"))
}
