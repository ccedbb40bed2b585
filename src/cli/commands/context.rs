//! Reading what the run needs: the files of the walk, and whatever they take in from elsewhere.
//!
//! A file that others depend on counts whatever it is called, and one that cannot be read is known to
//! be missing: nothing that it could have held back is changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::link;
use crate::scan::{self, ScannedFile};
use crate::sites;
use crate::source::{self, Failure, ReadError, SourceFile};
use crate::walk::{self, Role, Walk, Walked};

/// What kustomize looks for in a folder.
const KUSTOMIZATIONS: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The files of a run, scanned, and those that could not be read.
pub(super) struct Scanned {
    pub(super) files: Vec<ScannedFile>,
    pub(super) failures: Vec<Failure>,
}

/// How files are read.
pub(super) struct Reader<'r> {
    /// The largest file that is read, in bytes.
    pub(super) limit: u64,
    /// The current directory, resolved.
    pub(super) current: &'r Path,
    /// What files are scanned with.
    pub(super) options: &'r scan::Options,
}

/// Reads and scans the files of a walk in parallel, their order kept, and then what they take in.
pub(super) fn scan(walk: &Walk, reader: &Reader<'_>) -> Scanned {
    let mut scanned = Scanned {
        files: Vec::new(),
        failures: Vec::new(),
    };
    scanned.add(&walk.files, Needed::ByName, walk, reader);
    scanned.leave_links_outside(walk, reader.current);
    let mut tried = BTreeSet::new();
    loop {
        let wanted = link::taken_from_outside(&scanned.files, &walk.folder_links);
        let wanted: Vec<PathBuf> = wanted
            .into_iter()
            .filter(|path| tried.insert(path.clone()))
            .collect();
        let walked = scanned.find(wanted, walk, reader.current);
        if walked.is_empty() {
            return scanned;
        }
        scanned.add(&walked, Needed::All, walk, reader);
    }
}

/// Which files of the context others depend on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// Those whose name says that they name images.
    ByName,
    /// Every one: something takes it in.
    All,
}

impl Scanned {
    fn add(&mut self, walked: &[Walked], needed: Needed, walk: &Walk, reader: &Reader<'_>) {
        let results: Vec<_> = walked
            .par_iter()
            .map(|file| (file, read(file, walk, reader)))
            .collect();
        for (file, result) in results {
            let error = match result {
                Ok(scanned) => {
                    self.files.push(scanned);
                    continue;
                }
                Err(error) => error,
            };
            let mut places = std::iter::once(&file.real).chain(&file.links);
            let depends = |path: &PathBuf| sites::names_images(path) || sites::is_values_name(path);
            let needed = needed == Needed::All || places.any(depends);
            let said = self.failures.iter().any(|known| known.path == file.path);
            if !said && (needed || file.role == Role::Selected) {
                self.failures.push(Failure::of(&file.path, error));
            }
            if needed {
                let Walked {
                    path, real, links, ..
                } = file.clone();
                self.files.push(ScannedFile::unread(path, real, links));
            }
        }
    }

    /// Kustomizations that are links out of the repository are not read.
    fn leave_links_outside(&mut self, walk: &Walk, current: &Path) {
        for link in walk.outside.iter().filter(|path| sites::names_images(path)) {
            let path = walk::shown(link, current);
            let message = "is a link out of the repository, which is not followed, and may name any image in it; put the file itself here";
            self.failures.push(Failure::of(&path, message));
            let unread = ScannedFile::unread(path, link.clone(), Vec::new());
            self.files.push(unread);
        }
    }

    /// The files at the wanted places, as far as they lie inside of the repository. One that is
    /// known already is read again, because a further name may make something else of it.
    fn find(&mut self, wanted: Vec<PathBuf>, walk: &Walk, current: &Path) -> Vec<Walked> {
        let mut found: Vec<Walked> = Vec::new();
        let places = wanted.into_iter().flat_map(|path| {
            if path.is_dir() {
                let inside = KUSTOMIZATIONS.iter().map(|name| path.join(name));
                inside.filter(|path| path.is_file()).collect()
            } else {
                vec![path]
            }
        });
        for place in places {
            let Ok(real) = place.canonicalize() else {
                continue;
            };
            let inside = walk.roots.iter().any(|root| real.starts_with(root));
            if !inside || !real.is_file() {
                continue;
            }
            let known = self.files.iter().position(|file| file.source.real == real);
            let known = known.map(|index| self.files.remove(index));
            let (mut links, role) = known.map_or((Vec::new(), Role::Context), |file| {
                (file.source.links, file.role)
            });
            links.extend((place != real).then_some(place));
            match found.iter_mut().find(|file| file.real == real) {
                Some(file) => file.links.extend(links),
                None => found.push(Walked {
                    path: walk::shown(&real, current),
                    real,
                    links,
                    role,
                }),
            }
        }
        found
    }
}

fn read(file: &Walked, walk: &Walk, reader: &Reader<'_>) -> Result<ScannedFile, ReadError> {
    let source = source::read(file.path.clone(), file.real.clone(), reader.limit)?;
    let links = file.links.clone();
    let source = SourceFile { links, ..source };
    Ok(scanned(source, file.role, &walk.roots, reader.options))
}

/// A file by its path within its repository; outside of any, by the path that is shown.
pub(super) fn scanned(
    source: SourceFile,
    role: Role,
    roots: &[PathBuf],
    options: &scan::Options,
) -> ScannedFile {
    let mut roots = roots.iter();
    let below = roots.find_map(|root| source.real.strip_prefix(root).ok());
    let below = below.unwrap_or(&source.path).to_path_buf();
    ScannedFile::below(&below, source, role, options)
}
