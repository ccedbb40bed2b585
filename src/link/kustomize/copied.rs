//! Kustomizations that copy images about, so that one may be read or written from somewhere else.

use std::collections::BTreeSet;

use super::super::tree::{Tree, facts, kustomizations};
use super::super::{Group, SiteId};
use super::making::is_image_field;
use crate::scan::ScannedFile;
use crate::sites::{Acts, Copies, Kustomization, Site};

/// A blocked group for the sites of the files that a kustomization with `replacements` or `vars`
/// takes in, directly or through other kustomizations. A component or transformer that copies fields
/// makes every kustomization copy that lists it.
pub(in super::super) fn copied_fields(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    let of = |what| {
        let roots = copiers(files, tree, what).into_iter();
        roots.filter_map(move |root| copied(files, tree, root, what))
    };
    of(Copies::Images).chain(of(Copies::Texts)).collect()
}

/// The files whose builds copy this.
fn copiers(files: &[ScannedFile], tree: &Tree<'_>, what: Copies) -> BTreeSet<usize> {
    let copies = |kustomization: &Kustomization| kustomization.copies == what;
    if !kustomizations(files).any(|(_, kustomization)| copies(kustomization)) {
        return BTreeSet::new();
    }
    let mut listed: BTreeSet<usize> = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        if facts(file).any(|fact| copies(fact) && fact.acts == Acts::OnItsParents) {
            listed.insert(index);
        }
    }
    let is_one = |&index: &usize| {
        let mut taken = tree.taken(index).iter();
        facts(&files[index]).any(&copies) || taken.any(|edge| listed.contains(&edge.to))
    };
    (0..files.len()).filter(is_one).collect()
}

fn copied(files: &[ScannedFile], tree: &Tree<'_>, root: usize, what: Copies) -> Option<Group> {
    let counts =
        |site: &Site| what == Copies::Images || site.entry().is_none() && !is_image_field(site);
    let mut members: Vec<SiteId> = Vec::new();
    for file in tree.reached(root) {
        let sites = files[file].scan.sites.iter().enumerate();
        let sites = sites.filter(|(_, site)| counts(site));
        members.extend(sites.map(|(site, _)| SiteId { file, site }));
    }
    let place = files[root].source.path.display();
    (!members.is_empty()).then(|| Group {
        label: format!("the fields that {place} copies"),
        members,
        blocked: Some(format!(
            "{place} copies fields with `replacements` or `vars` and takes this file in, and what becomes of an image that is copied in parts is not known here; change it by hand, together with what copies it"
        )),
    })
}
