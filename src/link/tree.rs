//! The files by the places where they stand, and what each kustomization takes in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

use rayon::prelude::*;

use super::{deployers, normalise};
use crate::scan::ScannedFile;
use crate::sites::{Aim, Fact, Kustomization, TakenAs, Taking};

/// Links to folders: where each stands, and the real folder.
pub type FolderLinks = BTreeMap<PathBuf, PathBuf>;

/// How many links to folders one path may lead through.
const MAX_LINKS: usize = 16;

/// Every kustomization, or what acts like one, with its file.
pub(super) fn kustomizations(
    files: &[ScannedFile],
) -> impl Iterator<Item = (&ScannedFile, &Kustomization)> {
    files
        .iter()
        .flat_map(|file| facts(file).map(move |kustomization| (file, kustomization)))
}

/// The kustomizations of a file.
pub(super) fn facts(file: &ScannedFile) -> impl Iterator<Item = &Kustomization> {
    file.scan.facts.iter().filter_map(|fact| match fact {
        Fact::Kustomization(kustomization) => Some(kustomization),
        _ => None,
    })
}

/// A file that a kustomization takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The file.
    pub(super) to: usize,
    /// The place by which it was found.
    pub(super) place: PathBuf,
    /// The place of the kustomization from which it was found.
    pub(super) from: PathBuf,
    /// What becomes of it.
    pub(super) role: TakenAs,
    /// Which of the kustomizations of the file takes it in.
    pub(super) fact: usize,
    /// What it is for, when it is a patch with a target.
    pub(super) aim: Option<Aim>,
}

/// The files of a run as a tree.
pub(super) struct Tree<'a> {
    files: &'a [ScannedFile],
    links: &'a FolderLinks,
    /// As texts, since places are normalised: comparing paths part by part is slow.
    by_place: BTreeMap<&'a OsStr, usize>,
    /// The kustomizations of each folder.
    by_folder: HashMap<&'a OsStr, Vec<(usize, &'a Path)>>,
    /// For each file, what it takes in.
    taken: Vec<Vec<Taken>>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(files: &'a [ScannedFile], links: &'a FolderLinks) -> Self {
        let places = files.iter().enumerate();
        let places = places.flat_map(|(file, scanned)| {
            let places = scanned.source.places();
            places.map(move |place| (place.as_os_str(), file))
        });
        let mut by_folder: HashMap<&OsStr, Vec<(usize, &Path)>> = HashMap::new();
        for (index, file) in files.iter().enumerate() {
            for place in file.source.places() {
                if crate::sites::is_kustomization_name(place)
                    && let Some(folder) = place.parent()
                {
                    let known = by_folder.entry(folder.as_os_str());
                    known.or_default().push((index, place));
                }
            }
        }
        let mut tree = Self {
            files,
            links,
            // All at once: files come nearly in order.
            by_place: places.collect(),
            by_folder,
            taken: Vec::new(),
        };
        let taken = (0..files.len()).into_par_iter();
        tree.taken = taken.map(|file| tree.take_in(file)).collect();
        tree
    }

    /// The file that stands at `path`, or the kustomizations of the folder there, with their places.
    pub(super) fn at(&self, path: &Path) -> Vec<(usize, PathBuf)> {
        let path = self.real(path);
        match self.by_place.get(path.as_os_str()) {
            Some(&file) => vec![(file, path)],
            None => self.kustomizations_of(&path).collect(),
        }
    }

    /// The kustomizations of a folder, with their places.
    pub(super) fn kustomizations_of(
        &self,
        folder: &Path,
    ) -> impl Iterator<Item = (usize, PathBuf)> {
        let known = self.by_folder.get(folder.as_os_str()).into_iter().flatten();
        known.map(|(file, place)| (*file, place.to_path_buf()))
    }

    /// The files below a folder, with their places.
    pub(super) fn below(&self, folder: &Path) -> impl Iterator<Item = (usize, &'a Path)> {
        let mut inside = folder.as_os_str().to_os_string();
        if folder.file_name().is_some() {
            inside.push(MAIN_SEPARATOR_STR);
        }
        let from = (Bound::Included(inside.as_os_str()), Bound::Unbounded);
        let from = self.by_place.range::<OsStr, _>(from);
        let is_inside = move |place: &OsStr| {
            let place = place.as_encoded_bytes();
            place.starts_with(inside.as_encoded_bytes())
        };
        let itself = self.by_place.get_key_value(folder.as_os_str());
        let below = from.take_while(move |(place, _)| is_inside(place));
        let all = itself.into_iter().chain(below);
        all.map(|(place, file)| (*file, Path::new(*place)))
    }

    /// `path` with the links to folders in it followed.
    pub(super) fn real(&self, path: &Path) -> PathBuf {
        let mut path = normalise(path);
        if self.links.is_empty() {
            return path;
        }
        for _ in 0..MAX_LINKS {
            let link = path
                .ancestors()
                .find_map(|at| Some((at, self.links.get(at)?)));
            let Some((at, real)) = link else { break };
            let rest = path.strip_prefix(at).unwrap_or(Path::new(""));
            // Joined with nothing, a path gets a separator at its end.
            path = normalise(&real.join(rest));
        }
        path
    }

    /// The files that the kustomizations of a file take in.
    pub(super) fn taken(&self, file: usize) -> &[Taken] {
        &self.taken[file]
    }

    fn take_in(&self, file: usize) -> Vec<Taken> {
        let mut taken = Vec::new();
        for (index, fact) in facts(&self.files[file]).enumerate() {
            for taking in &fact.takes_in {
                for (from, at) in self.paths(file, fact, taking) {
                    let found = self.at(&at).into_iter();
                    taken.extend(found.map(|(to, place)| Taken {
                        to,
                        place,
                        from: from.to_path_buf(),
                        role: taking.role,
                        fact: index,
                        aim: taking.aim.clone(),
                    }));
                }
            }
        }
        taken.retain(|taken| taken.to != file);
        taken
    }

    /// Where what a kustomization takes in may stand, each with the place from which it is read: every
    /// place of its file, since kustomize reads paths from the one that it was given.
    pub(super) fn paths(
        &self,
        file: usize,
        fact: &Kustomization,
        taking: &Taking,
    ) -> Vec<(&'a Path, PathBuf)> {
        let folder = |place: &'a Path| match &fact.folder {
            Some((folder, _)) => deployers::folder_of(self, place, folder),
            None => place.parent().map(Path::to_path_buf),
        };
        let places = self.files[file].source.places();
        places
            .filter_map(|place| Some((place, folder(place)?.join(&taking.path))))
            .collect()
    }

    /// A file and all that it takes in, directly or through others.
    pub(super) fn reached(&self, file: usize) -> BTreeSet<usize> {
        self.reached_from([file].into())
    }

    fn reached_from(&self, mut reached: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut pending: Vec<usize> = reached.iter().copied().collect();
        while let Some(file) = pending.pop() {
            let taken = self.taken(file).iter().map(|taken| taken.to);
            pending.extend(taken.filter(|&to| reached.insert(to)));
        }
        reached
    }

    /// Whether anything takes a file in to act on the others.
    pub(super) fn acts(&self, file: usize) -> bool {
        let mut taken = self.taken.iter().flatten();
        taken.any(|taken| taken.role != TakenAs::Resource && taken.to == file)
    }

    /// All that is built together with some files: what takes them in, directly or through others,
    /// and what that takes in.
    pub(super) fn built_with(&self, files: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut above: Vec<Vec<usize>> = vec![Vec::new(); self.files.len()];
        for (by, taken) in self.taken.iter().enumerate() {
            taken.iter().for_each(|taken| above[taken.to].push(by));
        }
        let mut pending: Vec<usize> = files.iter().copied().collect();
        let mut known = files;
        while let Some(file) = pending.pop() {
            let by = above[file].iter().copied();
            pending.extend(by.filter(|&by| known.insert(by)));
        }
        self.reached_from(known)
    }

    /// The files with objects that a patch in this one may act on: those of its builds, or all when
    /// nothing here takes it in.
    pub(super) fn may_act_on(&self, files: &[ScannedFile], file: usize) -> BTreeSet<usize> {
        let mut places = files[file].source.places();
        if places.any(crate::sites::is_kustomization_name) || self.acts(file) {
            self.built_with([file].into())
        } else {
            (0..files.len()).collect()
        }
    }
}

/// Whether a file takes others in.
pub fn takes_in(file: &ScannedFile) -> bool {
    facts(file).any(|fact| !fact.takes_in.is_empty())
}

/// The paths that the kustomizations of the files name and that none of the files stands at: what
/// they take in counts whatever it is called. A folder stands for the kustomization in it.
pub fn taken_from_outside(files: &[ScannedFile], links: &FolderLinks) -> BTreeSet<PathBuf> {
    let tree = Tree::of(files, links);
    let missing = files.par_iter().enumerate().flat_map_iter(|(index, file)| {
        let tree = &tree;
        let takings = facts(file).flat_map(move |fact| {
            let takings = fact.takes_in.iter();
            takings.flat_map(move |taking| tree.paths(index, fact, taking))
        });
        let missing = takings.filter(move |(_, path)| tree.at(path).is_empty());
        missing.map(move |(_, path)| tree.real(&path))
    });
    missing.collect()
}
