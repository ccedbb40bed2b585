//! What the modules that link values hand to each other: layers, releases, and merges of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::scan::ScannedFile;
use crate::sites::{BlockId, ChartSource, Deployed, Given, Loose, Release};
use crate::source::Span;

/// The values that a chart itself brings.
pub(super) const DEFAULTS: &str = "values.yaml";

/// Values of a file, and the keys below which those of the chart in question stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Layer {
    /// The file.
    pub file: usize,
    /// Where they begin, when they are a part of the file.
    pub block: Option<BlockId>,
    /// The keys below which the chart's values stand in it.
    pub at: Vec<String>,
}

impl Layer {
    /// Values that are a whole file.
    pub(super) fn whole(file: usize) -> Self {
        Self {
            file,
            block: None,
            at: Vec::new(),
        }
    }

    /// Whether an image is named in the values.
    pub(super) fn names_images(&self, files: &[ScannedFile]) -> bool {
        let mut sites = files[self.file].scan.sites.iter();
        sites.any(|site| match site.parts() {
            Some(parts) => parts.block == self.block,
            None => self.block.is_none(),
        })
    }

    /// What is known of the values besides their images.
    pub(super) fn loose<'a>(&self, files: &'a [ScannedFile]) -> Option<&'a Loose> {
        let scan = &files[self.file].scan;
        match self.block {
            Some(block) => scan.blocks.get(&block),
            None => scan.loose.as_ref(),
        }
    }
}

/// What the values of a merge are values of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Root {
    /// The chart in a folder, or whatever the files of a folder are for.
    Folder(PathBuf),
    /// A chart that is not in the repository: which of them.
    Away(usize),
}

impl Root {
    /// The folder.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Away(_) => None,
        }
    }
}

/// A release of a file.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// The file.
    pub file: usize,
    /// The release.
    pub release: Release,
    /// Its layers, each with the file that says so.
    pub layers: Vec<(usize, Given)>,
    /// The files of the patches that are merged into it.
    pub patches: Vec<usize>,
}

/// One merge that a release makes.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    /// Its layers, without the chart's own defaults, the earliest first.
    pub layers: Vec<Layer>,
    /// What they are values of.
    pub root: Root,
    /// Whether the chart's own defaults do not count.
    pub replaces_defaults: bool,
    /// Why not every layer is known.
    pub unreadable: Option<String>,
    /// The files whose paths decide the target.
    pub targets: Vec<usize>,
    /// Where the chart comes from.
    pub source: ChartSource,
    /// The file that says so.
    pub by: usize,
    /// The name of the release, when it is told.
    pub name: Option<String>,
    /// How it is deployed.
    pub deployed: Deployed,
    /// Where to point at it.
    pub span: Option<Span>,
    /// Whether it is the release of a chart for sure: a folder that an Application names may hold
    /// something else.
    pub is_of_chart: bool,
}

/// What the releases of a repository say about values.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// The merges.
    pub combined: Vec<Combined>,
    /// Files of which the releases tell how they are merged.
    pub told: BTreeSet<usize>,
    /// Which file, by its place in the list, uses which: its target is theirs.
    pub uses: BTreeSet<(usize, usize)>,
    /// Releases that name no image of their charts.
    pub silent: Vec<Silent>,
}

/// A release of a chart that is not in the repository, and of whose images no file names any.
#[derive(Clone, Debug)]
pub struct Silent {
    /// Its file.
    pub file: usize,
    /// Where to point at it.
    pub span: Span,
    /// The chart, for people.
    pub chart: String,
}

pub(super) fn folder_of(file: &ScannedFile) -> &Path {
    file.source.real.parent().unwrap_or(Path::new(""))
}
