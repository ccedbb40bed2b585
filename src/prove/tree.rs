//! The two copies of the repository, as it is and as the plan makes it: of the files that matter alone.
//!
//! A file lies in a copy at its whole path. Links stay links, to the copies of what they point at; nothing
//! outside of the given roots is taken in, whatever points there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::rules::RuleSet;

/// More bytes than the files of any repository that matter to renderings.
const MAX_BYTES: u64 = 2 << 30;
/// More files than that.
const MAX_FILES: usize = 500_000;
/// How many links one path may lead through.
const MAX_LINKS: usize = 16;

/// The text of a file before and after.
#[derive(Clone, Debug)]
pub struct Texts {
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
    /// What decided its images.
    pub rules: Arc<RuleSet>,
    /// Whether a name in it meets its image again, which an earlier move had cut off: the image gets the tag
    /// that goes with the name.
    pub heals: bool,
}

/// The files that change, by their real paths.
pub type Changes = BTreeMap<PathBuf, Texts>;

/// Which of the two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// As it is.
    Before,
    /// As the plan makes it.
    After,
}

/// Both of them.
const SIDES: [Side; 2] = [Side::Before, Side::After];

/// The copies.
pub(super) struct Trees<'t> {
    folder: TempDir,
    /// Beyond these nothing is copied.
    roots: &'t [PathBuf],
    changes: &'t Changes,
    /// The files that were copied, and the links that were made.
    known: BTreeSet<PathBuf>,
    bytes: u64,
    made: usize,
}

impl<'t> Trees<'t> {
    pub(super) fn new(roots: &'t [PathBuf], changes: &'t Changes) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ecr-rewrite-prove.")
            .tempdir()?;
        Ok(Self {
            folder,
            roots,
            changes,
            known: BTreeSet::new(),
            bytes: 0,
            made: 0,
        })
    }

    /// Where a path of the repository lies in a copy.
    pub(super) fn place(&self, side: Side, path: &Path) -> PathBuf {
        let name = match side {
            Side::Before => "before",
            Side::After => "after",
        };
        let mut place = self.folder.path().join(name);
        let parts = path.components();
        place.extend(parts.filter(|part| matches!(part, Component::Normal(_))));
        place
    }

    /// A new file that is in no repository, with its text on either side.
    pub(super) fn write(&mut self, side: Side, text: &str) -> io::Result<PathBuf> {
        self.made += 1;
        let name = match side {
            Side::Before => "b",
            Side::After => "a",
        };
        let path = self.folder.path().join(format!("{name}{}.json", self.made));
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Copies a file, or a folder with all that is in it.
    pub(super) fn add(&mut self, path: &Path) -> io::Result<()> {
        let real = path.canonicalize()?;
        if !self.is_inside(&real) {
            return Err(io::Error::other("it lies outside of the repository"));
        }
        self.link(path)?;
        if real.is_dir() {
            self.folder(&real)
        } else {
            self.file(&real)
        }
    }

    fn is_inside(&self, real: &Path) -> bool {
        self.roots.iter().any(|root| real.starts_with(root))
    }

    fn folder(&mut self, real: &Path) -> io::Result<()> {
        if !self.known.insert(real.to_path_buf()) {
            return Ok(());
        }
        for side in SIDES {
            fs::create_dir_all(self.place(side, real))?;
        }
        for entry in fs::read_dir(real)? {
            let path = entry?.path();
            let kind = path.symlink_metadata()?.file_type();
            if kind.is_symlink() {
                // One that leads nowhere, or outside, is missing in the copy.
                drop(self.add(&path));
            } else if kind.is_dir() {
                if path.file_name().is_none_or(|name| name != ".git") {
                    self.folder(&path)?;
                }
            } else if kind.is_file() {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, real: &Path) -> io::Result<()> {
        if !self.known.insert(real.to_path_buf()) {
            return Ok(());
        }
        let size = real.symlink_metadata()?;
        if !size.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        self.bytes += size.len();
        if self.bytes > MAX_BYTES || self.known.len() > MAX_FILES {
            return Err(io::Error::other("there is more than is copied"));
        }
        let [before, after] = SIDES.map(|side| self.place(side, real));
        for place in [&before, &after] {
            fs::create_dir_all(place.parent().unwrap_or(place))?;
        }
        match self.changes.get(real) {
            Some(texts) => {
                fs::write(before, &texts.before)?;
                fs::write(after, &texts.after)
            }
            None => {
                fs::copy(real, &before)?;
                // The tools only read: one copy will do for both.
                fs::hard_link(&before, &after).or_else(|_| fs::copy(&before, &after).map(drop))
            }
        }
    }

    /// Makes the links that a path leads through.
    pub(super) fn link(&mut self, path: &Path) -> io::Result<()> {
        let mut path = normalised(path);
        for _ in 0..MAX_LINKS {
            let mut above: Vec<&Path> = path.ancestors().collect();
            above.reverse();
            let roots = self.roots;
            let inside = |at: &&&Path| roots.iter().any(|root| at.starts_with(root));
            let Some(at) = above.iter().filter(inside).find(|at| at.is_symlink()) else {
                return Ok(());
            };
            let real = at.canonicalize()?;
            if !self.is_inside(&real) {
                return Err(io::Error::other("it leads out of the repository"));
            }
            if self.known.insert(at.to_path_buf()) {
                for side in SIDES {
                    let place = self.place(side, at);
                    fs::create_dir_all(place.parent().unwrap_or(&place))?;
                    linked(&self.place(side, &real), &place)?;
                }
            }
            let rest = path.strip_prefix(at).unwrap_or(Path::new(""));
            path = normalised(&real.join(rest));
        }
        Err(io::Error::other("it leads through too many links"))
    }

    /// Puts a file or folder of the repository, or a package from anywhere, into a folder of both copies.
    pub(super) fn bring(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if from.is_dir() {
            self.add(from)?;
        }
        let real = from.canonicalize()?;
        if !self.known.insert(to.to_path_buf()) {
            return Ok(());
        }
        for side in SIDES {
            let place = self.place(side, to);
            fs::create_dir_all(place.parent().unwrap_or(&place))?;
            if place.symlink_metadata().is_ok() {
                continue;
            }
            if real.is_dir() {
                linked(&self.place(side, &real), &place)?;
            } else {
                fs::copy(&real, &place)?;
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn linked(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn linked(to: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(to, at)
}

/// A path with its `.` and `..` taken out.
pub(super) fn normalised(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(result.pop()),
            other => result.push(other),
        }
    }
    result
}
