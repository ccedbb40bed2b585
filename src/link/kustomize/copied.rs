//! Kustomizations that copy images about, so that one may be read or written from somewhere else.

use std::collections::BTreeSet;

use super::super::tree::{Tree, facts, kustomizations};
use super::super::{Group, SiteId};
use crate::scan::ScannedFile;
use crate::sites::Acts;

/// A blocked group for the sites of the files that a kustomization with `replacements` or `vars`
/// takes in, directly or through other kustomizations. A component or transformer that copies fields
/// makes every kustomization copy that lists it.
pub(in super::super) fn copied_fields(files: &[ScannedFile], tree: &Tree<'_>) -> Vec<Group> {
    if !kustomizations(files).any(|(_, kustomization)| kustomization.copies_fields) {
        return Vec::new();
    }
    let mut copiers: BTreeSet<usize> = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        if facts(file).any(|fact| fact.copies_fields && fact.acts == Acts::OnItsParents) {
            copiers.insert(index);
        }
    }
    let mut groups = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let copies = facts(file).any(|fact| fact.copies_fields)
            || tree
                .taken(index)
                .iter()
                .any(|edge| copiers.contains(&edge.to));
        if copies {
            groups.extend(copied(files, tree, index));
        }
    }
    groups
}

fn copied(files: &[ScannedFile], tree: &Tree<'_>, root: usize) -> Option<Group> {
    let members: Vec<SiteId> = tree
        .reached(root)
        .into_iter()
        .flat_map(|file| (0..files[file].scan.sites.len()).map(move |site| SiteId { file, site }))
        .collect();
    let place = files[root].source.path.display();
    (!members.is_empty()).then(|| Group {
        label: format!("the fields that {place} copies"),
        members,
        blocked: Some(format!(
            "{place} copies fields with `replacements` or `vars` and takes this file in; such images are not rewritten yet"
        )),
    })
}
