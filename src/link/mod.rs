//! The second stage: facts of the whole repository become groups and constraints.
//!
//! Runs once, over what the scan found. It decides nothing about images; it says which sites have
//! to move together, and which files nothing may be changed in.

mod aimed;
mod away;
mod chart_refs;
mod charted;
mod deployers;
mod filled;
pub mod given;
mod homes;
mod kustomize;
mod layer_files;
mod layers;
pub mod nearby;
mod objects;
mod patched;
mod pieces;
mod placeholder;
mod releases;
mod stacks;
mod tested;
mod tree;
mod unread;
mod uses;
mod values;
mod vendored;

pub use charted::{Charted, NewTexts, Said, Slot};
pub use deployers::{Deployer, Deployers, How};
pub use layers::Silent;
pub use tree::{FolderLinks, taken_from_outside, takes_in};
pub use uses::{ChartUse, ReleaseUse};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::helm::NoCharts;
use crate::reason::Reason;
use crate::scan::ScannedFile;
use kustomize::NameSet;
pub use kustomize::{
    Builder, Builds, Built, End, EntryId, Flow, Given, Named, Pattern, Provider, Run, Segment,
};
use stacks::Charts;
use tree::Tree;
pub use values::{Front, Merged, View};

/// A site of the run: which file, and which of its sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId {
    /// The file, by its place in the list of scanned files.
    pub file: usize,
    /// The site, by its place in the file.
    pub site: usize,
}

/// Sites that are changed together or not at all.
#[derive(Clone, Debug)]
pub struct Group {
    /// What ties them together, for people.
    pub label: String,
    /// The sites.
    pub members: Vec<SiteId>,
    /// Why the group cannot be changed as a whole, when that is clear already.
    pub blocked: Option<String>,
}

/// What the files say about each other.
#[derive(Debug, Default)]
pub struct Links {
    /// The groups of more than one file or with a constraint; a site in none is on its own.
    pub groups: Vec<Group>,
    /// Files in which nothing is changed, and why.
    pub held: BTreeMap<usize, (Reason, String)>,
    /// The images of Helm values, as each merge of layers shows them.
    pub views: Vec<View>,
    /// How the charts of the repository are used.
    pub uses: Vec<ChartUse>,
    /// Releases that name no image of their charts.
    pub silent: Vec<Silent>,
    /// What deploys the files.
    pub deployers: Deployers,
    /// What kustomizations build.
    pub builds: Builds,
    names: NameSet,
    /// The merges that releases make.
    combined: Vec<layers::Combined>,
}

impl Links {
    /// Every place that may decide the target of the files for which `wanted` holds: where those
    /// stand that deploy them, directly or through others.
    pub fn deciding(
        &self,
        files: &[ScannedFile],
        wanted: impl Fn(&ScannedFile) -> bool,
    ) -> BTreeSet<PathBuf> {
        let mut places = BTreeSet::new();
        let mut pending: Vec<usize> = (0..files.len())
            .filter(|&file| wanted(&files[file]))
            .collect();
        let mut seen: BTreeSet<usize> = pending.iter().copied().collect();
        while let Some(file) = pending.pop() {
            places.extend(files[file].source.places().map(Path::to_path_buf));
            for deployer in self.deployers.get(&file).into_iter().flatten() {
                pending.extend(Some(deployer.by).filter(|by| seen.insert(*by)));
            }
        }
        places
    }

    /// The releases of charts, each in every way in which it may be put together.
    pub fn releases(&self, files: &[ScannedFile]) -> Vec<ReleaseUse> {
        uses::releases(&Charts::of(files), &self.combined)
    }

    /// Adds a group.
    #[must_use]
    pub fn with_group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// The kustomize name that would match the reference `text` at `site`, and where it stands: a
    /// rewrite to a text that an entry matches would hand the image over to that entry.
    pub fn named_by(&self, text: &str, site: SiteId) -> Option<&str> {
        self.names.find(text, site)
    }
}

/// Links the scanned files of a tree without links to folders.
pub fn link(files: &mut [ScannedFile]) -> Links {
    link_in(files, &FolderLinks::new(), &NoCharts)
}

/// Links the scanned files; `folders` are the links to folders between them, and `known` tells of charts.
/// Sites that needed another file's word for being sites get it here.
pub fn link_in(
    files: &mut [ScannedFile],
    folders: &FolderLinks,
    known: &dyn crate::helm::Charts,
) -> Links {
    let mut named = releases::named(files, known);
    for (index, file) in files.iter_mut().enumerate() {
        file.scan.promote(named.remove(&index).unwrap_or_default());
    }
    aimed::judge(files, folders);
    let tree = Tree::of(files, folders);
    let (builds, loose) = Builds::of(files, &tree);
    let names = NameSet::of(files, &builds, &loose);
    let mut groups = names.groups(files);
    groups.extend(kustomize::copied_fields(files, &tree));
    let mut deployers = deployers::of(files, &tree);
    groups.extend(placeholder::groups(files, &tree, &deployers));
    groups.extend(pieces::groups(files, &tree));
    groups.extend(tested::groups(files, &tree));
    groups.extend(objects::declared(files, &builds, &tree));
    groups.extend(chart_refs::groups(files, known));
    let charts = Charts::of(files);
    let releases = releases::read(files, &charts, &tree);
    deployers::add_uses(&mut deployers, files, &releases.uses);
    let mut held = unread::held(files, &tree);
    held.extend(vendored::held(files));
    let stacks = charts.stacks(&releases, &held);
    Links {
        groups,
        views: values::views(files, &charts, &stacks, known),
        uses: uses::uses(files, &charts, &stacks),
        silent: releases.silent,
        held,
        deployers,
        builds,
        names,
        combined: releases.combined,
    }
}

/// `path` with `.` and `..` taken out, as far as the text alone allows.
fn normalise(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
