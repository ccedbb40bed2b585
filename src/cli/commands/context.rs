//! Reading what the run needs: the files of the walk, and whatever they take in from elsewhere.
//!
//! A file that others depend on counts whatever it is called, and one that cannot be read is known to
//! be missing: nothing that it could have held back is changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::link;
use crate::link::nearby::{self, Glance, Nearby, Places, Wanted};
use crate::report;
use crate::scan::{self, ScannedFile};
use crate::sites;
use crate::source::{self, Failure, ReadError, SourceFile};
use crate::walk::{self, Role, Walk, Walked};

/// The files of a run, scanned, and those that could not be read.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) files: Vec<ScannedFile>,
    pub(super) failures: Vec<Failure>,
    /// Files that were asked for and say nothing, because a run of this program wrote them.
    pub(super) own: Vec<PathBuf>,
}

/// How files are read.
pub(super) struct Reader<'r> {
    /// The largest file that is read, in bytes.
    pub(super) limit: u64,
    /// The current directory, resolved.
    pub(super) current: &'r Path,
    /// What files are scanned with.
    pub(super) options: &'r scan::Options,
    /// Told with each file how many are read, of how many.
    pub(super) progress: &'r (dyn Fn(usize, usize) + Sync),
}

/// Reads and scans in parallel what the run has to know of the files of a walk, their order kept, and then
/// what those take in.
pub(super) fn scan(walk: &Walk, reader: &Reader<'_>) -> Scanned {
    let part = nearby(walk, reader).and_then(|read| with_outside(walk, read, reader, Known::Part));
    let whole = || {
        with_outside(
            walk,
            read_all(walk, &walk.files, reader),
            reader,
            Known::Whole,
        )
    };
    part.or_else(whole).unwrap_or_default()
}

/// How much of the walk was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// What hangs together with the files that were asked for.
    Part,
    /// Everything.
    Whole,
}

/// The files that were read and what they take in from elsewhere; nothing when that in turn may name what
/// was not read.
fn with_outside(walk: &Walk, read: Read, reader: &Reader<'_>, known: Known) -> Option<Scanned> {
    let mut scanned = Scanned::default();
    scanned.add(&walk.files, read, Needed::ByName);
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
            return Some(scanned);
        }
        let read = read_all(walk, &walked, reader);
        if known == Known::Part && read.iter().flatten().any(link::takes_in) {
            return None;
        }
        scanned.add(&walked, read, Needed::All);
    }
}

/// What was read of each file of a list.
type Read = Vec<Result<ScannedFile, ReadError>>;

fn read_all(walk: &Walk, files: &[Walked], reader: &Reader<'_>) -> Read {
    let (done, all) = (AtomicUsize::new(0), files.len());
    let files = files.par_iter();
    let counted = |file| {
        let read = read(file, walk, reader);
        (reader.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        read
    };
    files.map(counted).collect()
}

/// The files of a walk, of which those of the context are read as far as they hang together with the
/// others; nothing when that cannot be told from a part of them.
fn nearby(walk: &Walk, reader: &Reader<'_>) -> Option<Read> {
    let files = &walk.files;
    // Nothing is asked for where standard input stands for a file, which is not known here.
    let is_part = [Role::Selected, Role::Context].into_iter().all(|role| {
        let mut roles = files.iter().map(|file| file.role);
        roles.any(|known| known == role)
    });
    if !is_part || !walk.folder_links.is_empty() {
        return None;
    }
    let places = Places::of(files, &walk.roots);
    if !places.are_plain() {
        return None;
    }
    let (mut read, mut glances) = (Read::new(), Vec::new());
    let glanced = files.par_iter().map(|file| match source_of(file, reader) {
        Ok(source) => glance(source, file, walk, reader, &places),
        Err(error) => (Err(error), Glance::default()),
    });
    glanced.unzip_into_vecs(&mut read, &mut glances);
    let is_read = |index: &usize| files[*index].role == Role::Selected || glances[*index].speaks;
    let mut new: Vec<usize> = (0..files.len()).filter(is_read).collect();
    let mut nearby = Nearby::new(files, &places, glances);
    loop {
        let known = new.iter().map(|&index| (index, read[index].as_ref().ok()));
        let wanted = nearby.after(known);
        let Wanted::These(wanted) = wanted else {
            return None;
        };
        if wanted.is_empty() {
            return Some(read);
        }
        new = wanted.into_iter().collect();
        let missing: Vec<Walked> = new.iter().map(|&index| files[index].clone()).collect();
        for (&index, file) in new.iter().zip(read_all(walk, &missing, reader)) {
            read[index] = file;
        }
    }
}

/// A file of a walk, scanned when it was asked for or speaks of others.
fn glance(
    source: SourceFile,
    file: &Walked,
    walk: &Walk,
    reader: &Reader<'_>,
    places: &Places<'_>,
) -> (Result<ScannedFile, ReadError>, Glance) {
    let below = below(&source, &walk.roots);
    if report::is_own(&source.text) {
        return (Ok(ScannedFile::unasked(&below, source)), Glance::default());
    }
    let glance = match file.role {
        Role::Selected => Glance::default(),
        Role::Context => nearby::glance(&below, &source, reader.options, places),
    };
    let read = if file.role == Role::Selected || glance.speaks {
        ScannedFile::below(&below, source, file.role, reader.options)
    } else {
        ScannedFile::unasked(&below, source)
    };
    (Ok(read), glance)
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
    fn add(&mut self, walked: &[Walked], read: Read, needed: Needed) {
        self.files.reserve(read.len());
        for (file, result) in walked.iter().zip(read) {
            let error = match result {
                Ok(scanned) => {
                    if file.role == Role::Selected && scanned.role == Role::Context {
                        self.own.push(file.path.clone());
                    }
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
                let inside = walk::KUSTOMIZATIONS.iter().map(|name| path.join(name));
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
    let source = source_of(file, reader)?;
    if report::is_own(&source.text) {
        let below = below(&source, &walk.roots);
        return Ok(ScannedFile::unasked(&below, source));
    }
    Ok(scanned(source, file.role, &walk.roots, reader.options))
}

fn source_of(file: &Walked, reader: &Reader<'_>) -> Result<SourceFile, ReadError> {
    let source = source::read(file.path.clone(), file.real.clone(), reader.limit)?;
    let links = file.links.clone();
    Ok(SourceFile { links, ..source })
}

pub(super) fn scanned(
    source: SourceFile,
    role: Role,
    roots: &[PathBuf],
    options: &scan::Options,
) -> ScannedFile {
    let below = below(&source, roots);
    ScannedFile::below(&below, source, role, options)
}

/// The path of a file within its repository; outside of any, the path that is shown.
fn below(source: &SourceFile, roots: &[PathBuf]) -> PathBuf {
    let mut roots = roots.iter();
    let below = roots.find_map(|root| source.real.strip_prefix(root).ok());
    below.unwrap_or(&source.path).to_path_buf()
}
