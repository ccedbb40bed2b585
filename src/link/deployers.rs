//! What brings files into a cluster: the target of an image is that of the files that deploy it.
//!
//! Only the steps are told here, one file from another; which target they lead to is the plan's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::tree::Tree;
use crate::scan::ScannedFile;
use crate::sites::{Depth, Fact, is_kustomization_name};

/// A file that deploys another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deployer {
    /// The deploying file, by its place in the list of scanned files.
    pub by: usize,
    /// Where that one stands: it may be reached by links.
    pub from: PathBuf,
    /// Where the deployed file stands, as seen from there.
    pub place: PathBuf,
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

/// Who deploys what: kustomizations what they take in, Flux Kustomizations and Argo CD Applications
/// the folder that they name.
pub(super) fn of(files: &[ScannedFile], tree: &Tree<'_>) -> Deployers {
    let mut deployers: BTreeMap<usize, BTreeSet<Deployer>> = BTreeMap::new();
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
                        from: taken.from.clone(),
                        place: taken.place.clone(),
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
                for (to, place) in deployed(tree, from, folder, *depth) {
                    add(
                        to,
                        Deployer {
                            by,
                            from: from.to_path_buf(),
                            place,
                            how: How::PointsAt,
                        },
                    );
                }
            }
        }
    }
    deployers
        .into_iter()
        .map(|(file, deployers)| (file, deployers.into_iter().collect()))
        .collect()
}

/// Whether a file is read as a kustomization where it stands, when only some of its names say that
/// it is one.
fn builds_at(file: &ScannedFile, place: &Path) -> bool {
    is_kustomization_name(place) || !file.source.places().any(is_kustomization_name)
}

/// What stands in a folder that a file at `from` names from the root of the repository.
fn deployed(tree: &Tree<'_>, from: &Path, folder: &str, depth: Depth) -> Vec<(usize, PathBuf)> {
    let folder = Path::new(folder.trim_start_matches('/'));
    if folder.components().all(|part| part.as_os_str() == ".") {
        // Where the root is cannot be told from one file, and everything below it says little.
        return Vec::new();
    }
    let above: Vec<&Path> = from.ancestors().skip(1).collect();
    let folders = above
        .into_iter()
        .rev()
        .map(|above| tree.real(&above.join(folder)));
    let found = folders
        .into_iter()
        .find(|folder| tree.below(folder).next().is_some());
    let Some(folder) = found else {
        return Vec::new();
    };
    let is_chart = tree
        .below(&folder)
        .any(|(_, place)| place == folder.join("Chart.yaml"));
    let files = tree.below(&folder).filter_map(|(file, place)| {
        // What a kustomization further down builds comes from there.
        let nested: Vec<&Path> = place
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(&folder))
            .collect();
        let outermost = nested
            .iter()
            .rev()
            .find_map(|above| tree.kustomizations_of(above).next());
        match outermost {
            Some(kustomization) => (depth == Depth::Tree
                || kustomization.1.parent() == Some(&folder))
            .then_some(kustomization),
            None if depth == Depth::Folder && !is_chart && nested.len() > 1 => None,
            None => Some((file, place.to_path_buf())),
        }
    });
    let files: BTreeSet<(usize, PathBuf)> = files.collect();
    files.into_iter().collect()
}
