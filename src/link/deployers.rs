//! What brings files into a cluster: the target of an image is that of the files that deploy it.
//!
//! Only the steps are told here, one file from another; which target they lead to is the plan's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tree::Tree;
use crate::scan::ScannedFile;
use crate::sites::{Depth, Fact, is_kustomization_name, is_values_name};

/// A file that deploys another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deployer {
    /// The deploying file, by its place in the list of scanned files.
    pub by: usize,
    /// Where that one stands: it may be reached by links.
    pub from: Arc<Path>,
    /// Where the deployed file stands, as seen from there.
    pub place: Arc<Path>,
    /// In which way.
    pub how: How,
}

/// In which way a file deploys another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It takes it in: both are one build, and what takes in decides.
    TakesIn,
    /// It points at it, and may itself lie with those of quite another cluster.
    PointsAt,
}

/// What deploys each file, for the files that anything deploys.
pub type Deployers = BTreeMap<usize, Vec<Deployer>>;

/// Files, each with the place where it stands.
pub(super) type Standing = Vec<(usize, Arc<Path>)>;

/// Who deploys what: kustomizations what they take in, Flux Kustomizations and Argo CD Applications
/// the folder that they name.
pub(super) fn of(files: &[ScannedFile], tree: &Tree<'_>) -> Deployers {
    let mut deployers: BTreeMap<usize, BTreeSet<Deployer>> = BTreeMap::new();
    let mut known: HashMap<(PathBuf, Depth), Standing> = HashMap::new();
    let mut add = |to: usize, deployer: Deployer| {
        if to != deployer.by {
            deployers.entry(to).or_default().insert(deployer);
        }
    };
    for (by, file) in files.iter().enumerate() {
        for taken in tree.taken(by) {
            if builds_at(file, &taken.from) {
                add(
                    taken.to,
                    Deployer {
                        by,
                        from: taken.from.as_path().into(),
                        place: taken.place.as_path().into(),
                        how: How::TakesIn,
                    },
                );
            }
        }
        for fact in &file.scan.facts {
            let Fact::Deploys { folder, depth } = fact else {
                continue;
            };
            for from in file.source.places() {
                let Some(folder) = folder_of(tree, from, folder) else {
                    continue;
                };
                let from: Arc<Path> = from.into();
                let deployed = known
                    .entry((folder, *depth))
                    .or_insert_with_key(|(folder, depth)| deployed(tree, folder, *depth));
                for (to, place) in deployed {
                    let deployer = Deployer {
                        by,
                        from: Arc::clone(&from),
                        place: Arc::clone(place),
                        how: How::PointsAt,
                    };
                    add(*to, deployer);
                }
            }
        }
    }
    deployers
        .into_iter()
        .map(|(file, deployers)| (file, deployers.into_iter().collect()))
        .collect()
}

/// Adds what releases use: their values files and charts.
pub(super) fn add_uses(
    deployers: &mut Deployers,
    files: &[ScannedFile],
    uses: &BTreeSet<(usize, usize)>,
) {
    for &(by, to) in uses.iter().filter(|(by, to)| by != to) {
        let deployer = Deployer {
            by,
            from: files[by].source.real.as_path().into(),
            place: files[to].source.real.as_path().into(),
            how: How::PointsAt,
        };
        let known = deployers.entry(to).or_default();
        if !known.contains(&deployer) {
            known.push(deployer);
        }
    }
}

/// Whether a file is read as a kustomization where it stands, when only some of its names say that
/// it is one.
fn builds_at(file: &ScannedFile, place: &Path) -> bool {
    is_kustomization_name(place) || !file.source.places().any(is_kustomization_name)
}

/// The folder that a file at `from` names from the root of the repository.
pub(super) fn folder_of(tree: &Tree<'_>, from: &Path, folder: &str) -> Option<PathBuf> {
    let folder = Path::new(folder.trim_start_matches('/'));
    if folder.components().all(|part| part.as_os_str() == ".") {
        // Where the root is cannot be told from one file, and everything below it says little.
        return None;
    }
    let above: Vec<&Path> = from.ancestors().skip(1).collect();
    let mut folders = above
        .into_iter()
        .rev()
        .map(|above| tree.real(&above.join(folder)));
    folders.find(|folder| tree.below(folder).next().is_some())
}

/// What is deployed with a folder, and where it stands.
pub(super) fn deployed(tree: &Tree<'_>, folder: &Path, depth: Depth) -> Standing {
    let is_chart = !tree.at(&folder.join("Chart.yaml")).is_empty();
    let mut found: BTreeSet<(usize, Arc<Path>)> = BTreeSet::new();
    // Which of a chart's further values are merged is told by the releases, one by one.
    let is_layer = |place: &Path| {
        is_chart
            && is_values_name(place)
            && place.file_name().is_some_and(|name| name != "values.yaml")
    };
    for (file, place) in tree.below(folder) {
        if is_layer(place) {
            continue;
        }
        let inside = place
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(folder));
        let inside: Vec<&Path> = inside.collect();
        // What a kustomization further down builds comes from there.
        let mut outer_first = inside.iter().rev();
        let outermost = outer_first.find_map(|above| tree.kustomizations_of(above).next());
        let direct = depth == Depth::Tree || is_chart || inside.len() == 1;
        match outermost {
            Some((_, place)) if depth == Depth::Folder && place.parent() != Some(folder) => {}
            Some((file, place)) => {
                found.insert((file, place.as_path().into()));
            }
            None if direct => {
                found.insert((file, place.into()));
            }
            None => {}
        }
    }
    found.into_iter().collect()
}
