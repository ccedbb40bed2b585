//! The files of a walk by the places where they stand, before any of them is read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::sites::{is_chart_file, is_kustomization_name};
use crate::walk::Walked;

/// Where the files of a walk stand. A file is known by its place in the list of the walk.
pub struct Places<'w> {
    /// The real paths, as bytes: comparing paths part by part is slow.
    files: HashMap<&'w [u8], usize>,
    /// The folders that hold files, directly or further down, each with its kustomizations.
    folders: HashMap<&'w [u8], Vec<usize>>,
    /// The last parts of all of these.
    names: HashSet<&'w [u8]>,
    /// The `Chart.yaml` of each folder that has one.
    charts: HashMap<&'w [u8], usize>,
    /// The files in the order of their real paths.
    sorted: Vec<(&'w [u8], usize)>,
    /// The folders beyond which nothing is read.
    roots: Vec<&'w [u8]>,
    /// Whether every path can be recognised where it is written.
    is_plain: bool,
}

impl<'w> Places<'w> {
    /// The places of these files, which lie below these folders.
    pub fn of(files: &'w [Walked], roots: &'w [PathBuf]) -> Self {
        let mut places = Self {
            files: HashMap::with_capacity(files.len()),
            folders: HashMap::new(),
            names: HashSet::new(),
            charts: HashMap::new(),
            sorted: Vec::with_capacity(files.len()),
            roots: roots.iter().map(|root| bytes(root)).collect(),
            is_plain: true,
        };
        for (index, file) in files.iter().enumerate() {
            places.add(index, file);
        }
        places.sorted.sort_unstable();
        places
    }

    fn add(&mut self, index: usize, file: &'w Walked) {
        let path = bytes(&file.real);
        self.files.insert(path, index);
        self.sorted.push((path, index));
        let (folder, name) = split(path);
        self.is_plain &= file.links.is_empty() && name.iter().all(|&byte| is_plain(byte));
        self.names.insert(name);
        self.add_folder(folder);
        if is_kustomization_name(&file.real) {
            self.folders.entry(folder).or_default().push(index);
        }
        if is_chart_file(&file.real) {
            self.charts.insert(folder, index);
        }
    }

    /// Adds a folder and those above it.
    fn add_folder(&mut self, mut folder: &'w [u8]) {
        while !folder.is_empty() && !self.folders.contains_key(folder) {
            self.folders.insert(folder, Vec::new());
            if self.roots.contains(&folder) {
                return;
            }
            let (above, name) = split(folder);
            self.is_plain &= name.iter().all(|&byte| is_plain(byte));
            self.names.insert(name);
            folder = above;
        }
    }

    /// Whether every path is written in letters that stand for themselves wherever a file names it, and
    /// none is known by further names.
    pub fn are_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether any file or folder has this name: the last part of a path.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name.as_bytes())
    }

    /// What stands at a path: the file, or the kustomizations and the chart of the folder.
    pub(super) fn at(&self, path: &str) -> impl Iterator<Item = usize> {
        let path = path.as_bytes();
        let file = self.files.get(path).into_iter();
        let folder = self.folders.get(path).into_iter().flatten();
        let chart = self.charts.get(path).into_iter();
        file.chain(folder).chain(chart).copied()
    }

    /// Whether a folder with files stands at a path.
    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.folders.contains_key(path.as_bytes())
    }

    /// The files below a folder.
    pub(super) fn below(&self, folder: &[u8]) -> impl Iterator<Item = usize> {
        let first = self.sorted.partition_point(|(path, _)| *path < folder);
        let inside = move |path: &[u8]| path.starts_with(folder);
        // Siblings whose names begin alike may stand in between (`a-b/` before `a/`).
        let rest = self.sorted[first..].iter();
        let rest = rest.take_while(move |(path, _)| inside(path));
        let length = folder.len();
        rest.filter(move |(path, _)| path.get(length) == Some(&b'/'))
            .map(|(_, index)| *index)
    }

    /// The files in a folder, and not further down.
    pub(super) fn in_folder(&self, folder: &[u8]) -> impl Iterator<Item = usize> {
        let length = folder.len() + 1;
        let first = self.sorted.partition_point(|(path, _)| *path < folder);
        let rest = self.sorted[first..].iter();
        let inside = rest.take_while(move |(path, _)| path.starts_with(folder));
        let direct = inside.filter(move |(path, _)| split(path).0.len() + 1 == length);
        direct.map(|(_, index)| *index)
    }

    /// The folders above a file, the nearest first, up to the root of its repository.
    pub(super) fn above<'p>(&'p self, real: &'p Path) -> impl Iterator<Item = &'p [u8]> {
        let (nearest, _) = split(bytes(real));
        let next = |folder: &&'p [u8]| {
            let above = split(folder).0;
            (!self.roots.contains(folder) && !above.is_empty()).then_some(above)
        };
        std::iter::successors(Some(nearest), next)
    }

    /// The outermost folder above a file that is a chart.
    pub(super) fn chart_above<'p>(&'p self, real: &'p Path) -> Option<&'p [u8]> {
        let charts = self.above(real);
        charts
            .filter(|folder| self.charts.contains_key(folder))
            .last()
    }
}

/// The bytes of a path.
pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The folder of a path and its last part.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

/// Whether a byte of a path stands for itself in YAML, with or without quotes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'@' | b'~')
}

/// `path` as seen from `folder`, both as text, with `.` and `..` taken out.
pub(super) fn joined(folder: &str, path: &str) -> String {
    let mut joined = String::with_capacity(folder.len() + 1 + path.len());
    joined.push_str(folder);
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => joined.truncate(joined.rfind('/').unwrap_or(0)),
            part => {
                joined.push('/');
                joined.push_str(part);
            }
        }
    }
    joined
}
