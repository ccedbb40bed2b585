//! The two copies of the repository, as it is and as the plan makes it: for each rendering its own, of the
//! files alone that go into it, so that no rendering finds what it has not named.
//!
//! A file lies in a copy at its whole path. Links stay links, to the copies of what they point at; nothing
//! outside of the given roots is taken in, whatever points there. Every file is copied once, into a store, and
//! linked from there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

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

/// Where the store keeps the files.
const FILES: &str = "files";

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

/// What goes into a rendering, as it is put into the copies.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A file, or a folder with all that is in it.
    Add(PathBuf),
    /// The links that a path leads through.
    Link(PathBuf),
    /// A file or folder, or a package from anywhere, at a place in the repository.
    Bring(PathBuf, PathBuf),
}

/// The files of all renderings, each once: before, and after where that differs.
pub(super) struct Store<'t> {
    folder: TempDir,
    /// Beyond these nothing is copied.
    roots: &'t [PathBuf],
    changes: &'t Changes,
    stored: Mutex<Stored>,
}

#[derive(Default)]
struct Stored {
    files: BTreeMap<PathBuf, [PathBuf; 2]>,
    bytes: u64,
}

impl<'t> Store<'t> {
    pub(super) fn new(roots: &'t [PathBuf], changes: &'t Changes) -> io::Result<Self> {
        // The tools tell paths without links.
        let folder = tempfile::Builder::new()
            .prefix("ecr-rewrite-prove.")
            .tempdir_in(std::env::temp_dir().canonicalize()?)?;
        fs::create_dir(folder.path().join(FILES))?;
        Ok(Self {
            folder,
            roots,
            changes,
            stored: Mutex::default(),
        })
    }

    /// The copies of a file, before and after.
    fn of(&self, real: &Path) -> io::Result<[PathBuf; 2]> {
        let stored = self.stored.lock();
        let mut stored = stored.map_err(|_| io::Error::other("the store is broken"))?;
        if let Some(known) = stored.files.get(real) {
            return Ok(known.clone());
        }
        let size = real.symlink_metadata()?;
        if !size.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        stored.bytes += size.len();
        let number = stored.files.len();
        if stored.bytes > MAX_BYTES || number > MAX_FILES {
            return Err(io::Error::other("there is more than is copied"));
        }
        let folder = self.folder.path().join(FILES);
        let place = |side: &str| folder.join(format!("{number}-{side}"));
        let copies = match self.changes.get(real) {
            Some(texts) => {
                let copies = ["before", "after"].map(place);
                fs::write(&copies[0], &texts.before)?;
                fs::write(&copies[1], &texts.after)?;
                copies
            }
            None => {
                // The tools only read: one copy will do for both.
                let copy = place("both");
                fs::copy(real, &copy)?;
                [copy.clone(), copy]
            }
        };
        stored.files.insert(real.to_path_buf(), copies.clone());
        Ok(copies)
    }

    /// A new file that goes into no copy.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Whether a real path is one of the repository.
    fn is_inside(&self, real: &Path) -> bool {
        self.roots.iter().any(|root| real.starts_with(root))
    }
}

/// The copies for one rendering.
pub(super) struct Trees<'t> {
    folder: TempDir,
    store: &'t Store<'t>,
    /// The files that were put in, and the links that were made.
    known: BTreeSet<PathBuf>,
    made: usize,
}

impl<'t> Trees<'t> {
    pub(super) fn new(store: &'t Store<'t>) -> io::Result<Self> {
        Ok(Self {
            folder: tempfile::Builder::new()
                .prefix("render.")
                .tempdir_in(store.folder.path())?,
            store,
            known: BTreeSet::new(),
            made: 0,
        })
    }

    /// Puts in what goes into a rendering.
    pub(super) fn put(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Add(path) => self.add(path),
            Step::Link(path) => self.link(path),
            Step::Bring(from, to) => self.bring(from, to),
        }
    }

    /// A text without the paths of the copies: with those of the repository, from its root.
    pub(super) fn without_copies(&self, text: &str) -> String {
        let mut text = text.to_string();
        for side in SIDES {
            for root in self.store.roots {
                let copy = self.place(side, root).to_string_lossy().into_owned();
                text = text.replace(&format!("{copy}/"), "").replace(&copy, ".");
            }
            text = text.replace(&*self.place(side, Path::new("")).to_string_lossy(), "");
        }
        let own = self.folder.path().to_string_lossy().into_owned();
        text.replace(&format!("{own}/"), "").replace(&own, "")
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

    /// Puts in a file, or a folder with all that is in it.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        let real = path.canonicalize()?;
        if !self.store.is_inside(&real) {
            return Err(io::Error::other("it lies outside of the repository"));
        }
        self.link(path)?;
        if real.is_dir() {
            self.folder(&real)
        } else {
            self.file(&real)
        }
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
        let copies = self.store.of(real)?;
        for (side, copy) in SIDES.into_iter().zip(copies) {
            let place = self.place(side, real);
            fs::create_dir_all(place.parent().unwrap_or(&place))?;
            fs::hard_link(&copy, &place).or_else(|_| fs::copy(&copy, &place).map(drop))?;
        }
        Ok(())
    }

    /// Makes the links that a path leads through.
    fn link(&mut self, path: &Path) -> io::Result<()> {
        let mut path = normalised(path);
        for _ in 0..MAX_LINKS {
            let mut above: Vec<&Path> = path.ancestors().collect();
            above.reverse();
            let roots = self.store.roots;
            let inside = |at: &&&Path| roots.iter().any(|root| at.starts_with(root));
            let Some(at) = above.iter().filter(inside).find(|at| at.is_symlink()) else {
                return Ok(());
            };
            let real = at.canonicalize()?;
            if !self.store.is_inside(&real) {
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
    fn bring(&mut self, from: &Path, to: &Path) -> io::Result<()> {
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
